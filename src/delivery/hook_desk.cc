// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook_desk.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <utility>

#include "base/json.h"
#include "delivery/purge.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// After 10, 20 and 40 seconds, for a purge that fails when nobody waits for it any more.
constexpr int kTriesBehind = 3;

const HookRule* find_hook(const Policy& policy, const HookCall& call) {
  const SitePolicy* site = policy.find(call.site);
  if (!site) return nullptr;
  auto it = std::ranges::find(site->hooks, call.name, &HookRule::name);
  return it == site->hooks.end() ? nullptr : &*it;
}

struct Errand {
  PurgeOrder order;
  std::optional<WarmOrder> warm;  // afterwards
};

PurgeOrder purge_order(const std::string& site, PurgeOrder::What what, std::string value) {
  PurgeOrder order;
  order.site = site;
  order.what = what;
  order.value = std::move(value);
  return order;
}

}  // namespace

// The purges of one hook. Lives on the loop that took it.
struct HookDesk::Job {
  explicit Job(const Executor& executor) : waiting(executor) {}
  std::string site, hook;
  HookProof proof;
  Milliseconds delay_ms{0};  // before the first purge
  std::deque<Errand> errands;
  int lanes = 0;  // at work
  std::optional<Error> failure;
  bool is_left = false;  // the answer has gone out
  asio::steady_timer waiting;
};

struct HookDesk::State {
  State(Parts p, const HookDeskSettings& s) : parts(std::move(p)), settings(s) {}

  const Parts parts;
  const HookDeskSettings settings;
  SeenHooks seen;
  std::atomic<std::uint64_t> obeyed_count{0}, ignored_count{0}, seen_count{0}, refused_count{0},
      failed_count{0};

  // Here and not in the coroutine: GCC 12 copies aggregates that are initialized there bit by bit.
  HookAnswer refuse(const HookCall& call, int status, std::string detail) {
    return refuse(call, HookRefusal{status, std::move(detail)});
  }
  HookAnswer refuse(const HookCall& call, HookRefusal refusal) {
    ++refused_count;
    log(LogLevel::Warn, "hook-refused",
        {{"site", call.site.substr(0, 64)},
         {"hook", call.name.substr(0, 64)},
         {"client", call.client},
         {"status", refusal.status},
         {"message", refusal.detail}});
    return {.status = refusal.status, .json = {}, .problem = std::move(refusal.detail)};
  }

  void fill(Job& job, const HookRule& rule, HookOrder order) const {
    using What = PurgeOrder::What;
    // Purged before, the picture would be fetched again as it was.
    if (rule.recipe == HookRule::Recipe::Bynder) job.delay_ms = settings.bynder_delay_ms;
    for (std::string& source : order.changed) {
      Errand errand{purge_order(job.site, What::Source, source), std::nullopt};
      if (!rule.warm_presets.empty()) {
        errand.warm = WarmOrder{job.site, std::move(source), rule.warm_presets, {}};
      }
      job.errands.push_back(std::move(errand));
    }
    for (std::string& source : order.deleted) {
      job.errands.push_back({purge_order(job.site, What::Source, std::move(source)), std::nullopt});
    }
    for (std::string& prefix : order.deleted_prefixes) {
      job.errands.push_back({purge_order(job.site, What::Prefix, std::move(prefix)), std::nullopt});
    }
  }

  // A few of these work side by side; the last one to end tells whoever waits.
  static Task<> work(std::shared_ptr<State> state, std::shared_ptr<Job> job) {
    if (job->delay_ms.count() > 0) co_await sleep_for(job->delay_ms);
    // Who waits for the answer sends it all again; behind the answer every picture has its turn.
    while (!job->errands.empty() && (!job->failure || job->is_left)) {
      Errand errand = std::move(job->errands.front());
      job->errands.pop_front();
      PurgeOrder order = errand.order;
      auto purged = co_await state->parts.purge(std::move(order));
      for (int tries = 1; !purged && job->is_left && tries <= kTriesBehind; ++tries) {
        co_await sleep_for(Seconds(5 << tries));
        PurgeOrder again = errand.order;
        purged = co_await state->parts.purge(std::move(again));
      }
      if (!purged) {
        job->failure = std::move(purged).error();
      } else if (errand.warm) {
        state->parts.warm.offer(std::move(*errand.warm));
      }
    }
    if (--job->lanes > 0) co_return;
    job->waiting.cancel();
    if (job->failure) state->tell_failure(*job);
  }

  void tell_failure(const Job& job) {
    ++failed_count;
    seen.forget(job.proof);  // sent once more, it is obeyed once more
    log(LogLevel::Error, "hook-failed",
        {{"site", job.site},
         {"hook", job.hook},
         {"told", !job.is_left},
         {"message", job.failure->message}});
  }

  // Whether it ended while somebody waited.
  static Task<bool> run(std::shared_ptr<State> state, std::shared_ptr<Job> job) {
    int most = static_cast<int>(std::min<std::size_t>(job->errands.size(), 1'000));
    job->lanes = std::min(most, state->settings.purges_at_once);
    job->waiting.expires_after(state->settings.patience_ms);
    Executor executor = co_await asio::this_coro::executor;
    for (int i = job->lanes; i > 0; --i) {
      asio::co_spawn(executor, work(state, job), asio::detached);
    }
    std::error_code ignored;
    if (job->lanes > 0) {
      co_await job->waiting.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
    job->is_left = job->lanes > 0;
    co_return !job->is_left;
  }
};

HookDesk::HookDesk(Parts parts, const HookDeskSettings& settings)
    : state_(std::make_shared<State>(std::move(parts), settings)) {}

HookDesk::~HookDesk() = default;

namespace {

void log_order(const HookCall& call, const HookOrder& order) {
  if (!order.subscribe_url.empty()) {
    // Whoever opens it lets the topic send: an operator's decision, never a request's.
    log(LogLevel::Warn, "hook-subscription",
        {{"site", call.site}, {"hook", call.name}, {"open", order.subscribe_url}});
  }
  log(LogLevel::Info, "hook",
      {{"site", call.site},
       {"hook", call.name},
       {"event", order.event},
       {"changed", order.changed.size()},
       {"deleted", order.deleted.size() + order.deleted_prefixes.size()},
       {"ignored", order.ignored}});
}

HookAnswer answer_with(const HookRule& rule, std::string_view word, const HookOrder& order) {
  JsonObject json;
  json.field("status", word).field("changed", order.changed.size());
  json.field("deleted", order.deleted.size() + order.deleted_prefixes.size());
  if (!order.ignored.empty()) json.field("ignored", order.ignored);
  // Cloudinary sends again whatever is not answered with 200.
  bool is_cloudinary = rule.recipe == HookRule::Recipe::Cloudinary;
  return {.status = is_cloudinary ? 200 : 202, .json = json.str(), .problem = {}};
}

}  // namespace

Task<HookAnswer> HookDesk::take(HookCall call) {
  std::shared_ptr<State> state = state_;
  SharedPolicy policy = state->parts.policies.current();
  const HookRule* rule = find_hook(*policy, call);
  if (!rule) {
    std::string detail = "no such hook: site '" + call.site.substr(0, 64) + "' has none named '" +
                         call.name.substr(0, 64) + "'";
    co_return state->refuse(call, 404, std::move(detail));
  }
  std::int64_t now = state->parts.clock.unix_seconds();
  auto order = read_hook(*rule, call.headers, call.body, now);
  if (!order) co_return state->refuse(call, std::move(order).error());
  // A DAM may tell two sites the same in the same second: each is obeyed.
  if (!order->proof.signature.empty()) {
    order->proof.signature.insert(0, call.site + "/" + call.name + "/");
  }
  SeenHooks::Verdict verdict = state->seen.remember(order->proof, now);
  if (verdict == SeenHooks::Verdict::Full) {
    co_return state->refuse(call, 503, "too many hooks in too short a time; send it again");
  }
  if (verdict == SeenHooks::Verdict::Seen) {
    ++state->seen_count;
    log(LogLevel::Info, "hook-seen", {{"site", call.site}, {"hook", call.name}});
    co_return answer_with(*rule, "seen", HookOrder());
  }
  log_order(call, *order);
  if (order->is_empty()) {
    ++state->ignored_count;
    co_return answer_with(*rule, "ignored", *order);
  }
  auto job = std::make_shared<Job>(co_await asio::this_coro::executor);
  job->site = call.site;
  job->hook = call.name;
  job->proof = order->proof;
  state->fill(*job, *rule, *order);
  bool is_over = co_await State::run(state, job);
  if (is_over && job->failure) {
    HookAnswer answer;
    answer.status = 503;
    answer.problem = "the purge failed; send it again";
    co_return answer;
  }
  ++state->obeyed_count;
  co_return answer_with(*rule, is_over ? "purged" : "purging", *order);
}

HookDeskState HookDesk::state() const {
  return {.obeyed = state_->obeyed_count,
          .ignored = state_->ignored_count,
          .seen = state_->seen_count,
          .refused = state_->refused_count,
          .failed = state_->failed_count};
}

std::function<Task<Result<>>(PurgeOrder)> purge_by(Purger& purger) {
  return [&purger](PurgeOrder order) -> Task<Result<>> {
    Purger::Who who;
    who.by = "hook";
    CO_TRY(auto progress, purger.prepare(std::move(order), std::move(who)));
    co_await purger.run(progress);
    PurgeReport report = progress->report();
    if (report.state == PurgeReport::State::Done) co_return Result<>();
    co_return fail_private(ErrorCode::Internal, report.error);
  };
}

}  // namespace tintype
