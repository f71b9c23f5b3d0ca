// SPDX-License-Identifier: Apache-2.0
#include "delivery/walk.h"

#include "delivery/failure.h"
#include "delivery/making.h"
#include "delivery/naming.h"

namespace tintype {

constexpr std::int64_t kRedirectMaxAgeSeconds = 300, kPrivateRedirectMaxAgeSeconds = 60;

struct Walk::State {
  WalkParts parts;
  Flights<SharedEntry> flights;

  Answer answer_with(SharedEntry entry, Outcome outcome, std::uint8_t hints_read) const {
    Answer answer;
    answer.age_seconds =
        std::max<std::int64_t>(0, parts.clock.unix_seconds() - entry->meta.stored_unix_seconds);
    answer.entry = std::move(entry);
    answer.outcome = outcome;
    answer.hints_read = hints_read;
    return answer;
  }

  // A failure that has no variant to stand for: made anew each time, which is cheaper than
  // remembering.
  Answer refuse(const Error& error) const {
    auto entry = std::make_shared<Entry>(failure_entry(error, {}, parts.clock.unix_seconds()));
    parts.render_head(*entry);
    return answer_with(std::move(entry), Outcome::ClientError, 0);
  }

  Result<NamedVariant> name(const Viewing& viewing) const {
    return name_variant(viewing, parts.policies.current(), parts.clock.unix_seconds());
  }

  static bool redirects(const NamedVariant& named) {
    return named.site->redirects && !named.ask.is_canonical;
  }

  // Made anew each time, like a refusal. Its life is short: which path it is may depend on the
  // client, and on the site's presets.
  Answer redirect(const NamedVariant& named) const {
    auto entry = std::make_shared<Entry>();
    entry->meta.status = 302;
    entry->meta.key = named.path;
    entry->meta.location = named.path;
    entry->meta.stored_unix_seconds = parts.clock.unix_seconds();
    // Caches that make nothing of Vary would give one client's format to all.
    entry->meta.is_private = named.hints_read != 0;
    entry->meta.max_age_seconds =
        entry->meta.is_private ? kPrivateRedirectMaxAgeSeconds : kRedirectMaxAgeSeconds;
    parts.render_head(*entry);
    return answer_with(std::move(entry), Outcome::MemoryHit, named.hints_read);
  }

  std::optional<Answer> find_in_memory(const NamedVariant& named) const {
    if (SharedEntry entry = parts.memory.get(named.path); is_fresh(parts, entry)) {
      Outcome outcome = outcome_of_memory(*entry);
      return answer_with(std::move(entry), outcome, named.hints_read);
    }
    return std::nullopt;
  }

  // One try: join the flight for this variant, or lead it. Nothing when the site's policy changed
  // while the source was fetched, so that the name itself must be made again.
  Task<std::optional<Answer>> fly(NamedVariant named) {
    auto trace = std::make_shared<Trace>();
    // Who asks after a purge does not join a flight from before it.
    std::string path = named.path;
    if (parts.purges) path += '\n' + std::to_string(parts.purges->now());
    std::uint8_t vary = named.hints_read;
    std::function<Task<Result<SharedEntry>>()> work = [this, named = std::move(named), trace] {
      return make_variant(parts, named, trace);
    };
    Flights<SharedEntry>::Landing landing = co_await flights.join(std::move(path), std::move(work));
    if (!landing.result) {
      if (landing.result.error().code == ErrorCode::Busy) co_return std::nullopt;
      Answer answer = refuse(landing.result.error());
      answer.outcome = Outcome::ServerError;
      co_return answer;
    }
    Outcome outcome = landing.collapsed ? Outcome::Collapsed : trace->outcome;
    if (landing.collapsed && (*landing.result)->meta.is_stale) outcome = Outcome::Stale;
    if (landing.collapsed && (*landing.result)->is_negative()) {
      outcome = outcome_of_failure((*landing.result)->meta.status);
    }
    Answer answer = answer_with(*landing.result, outcome, vary);
    if (!landing.collapsed) answer.timings = trace->timings;
    co_return answer;
  }
};

Walk::Walk(WalkParts parts) : state_(new State{.parts = std::move(parts), .flights = {}}) {}
Walk::~Walk() = default;

std::optional<Answer> Walk::answer_from_memory(const Viewing& viewing) {
  auto named = state_->name(viewing);
  if (!named) return state_->refuse(named.error());
  if (state_->redirects(*named)) return state_->redirect(*named);
  return state_->find_in_memory(*named);
}

Task<Answer> Walk::answer(Viewing viewing) {
  // A policy that changes twice during one request is an operator at work, not a reason to go on
  // for ever.
  for (int tries = 0; tries < 3; ++tries) {
    auto named = state_->name(viewing);
    if (!named) co_return state_->refuse(named.error());
    named->trace = viewing.trace;
    if (state_->redirects(*named)) co_return state_->redirect(*named);
    if (auto found = state_->find_in_memory(*named)) co_return *found;
    std::optional<Answer> answer = co_await state_->fly(std::move(*named));
    if (answer) co_return *answer;
  }
  co_return state_->refuse(Error::in_private(ErrorCode::Busy, "the policy keeps changing"));
}

}  // namespace tintype
