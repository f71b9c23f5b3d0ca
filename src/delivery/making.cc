// SPDX-License-Identifier: Apache-2.0
#include "delivery/making.h"

#include <algorithm>

#include "base/hash.h"
#include "delivery/failure.h"
#include "image/sniff.h"
#include "policy/cache_tag.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// A disk that does not answer for this long counts as a miss: rendering anew is quicker, and a disk
// that hangs must not hang the service.
constexpr Milliseconds kDiskPatience{1'000};

// Microseconds since it was made, counted into a phase when read.
class Stopwatch {
 public:
  Stopwatch(const WalkParts& parts, Phase phase)
      : parts_(parts), phase_(phase), started_(parts.clock.now()) {}
  std::int64_t stop() const {
    auto passed =
        std::chrono::duration_cast<std::chrono::microseconds>(parts_.clock.now() - started_);
    parts_.metrics.observe(phase_, passed);
    return passed.count();
  }

 private:
  const WalkParts& parts_;
  Phase phase_;
  Steady started_;
};

// A failure, and whether it is the source's whatever variant was asked.
struct MakingError {
  Error error;
  bool of_source = false;
};
template <class T>
using Making = tl::expected<T, MakingError>;

tl::unexpected<MakingError> failed(Error error, bool of_source) {
  return tl::unexpected(MakingError{std::move(error), of_source});
}

// What a flight knows of purges: how many there had been when it began.
std::uint64_t purges_so_far(const WalkParts& parts) {
  return parts.purges ? parts.purges->now() : 0;
}
bool is_purged(const WalkParts& parts, std::uint64_t since, const EntryMeta& meta) {
  return parts.purges && parts.purges->was_purged_since(since, meta);
}

struct Fetched {
  Source source;
  bool policy_changed = false;
};

// The source and a fresh look at the policy, at the same time.
Task<Making<Fetched>> fetch(const WalkParts& parts, const NamedVariant& named, Deadline deadline) {
  auto origin = parts.origins.of(*named.site);
  // The operator's fault, not the client's; why stands in the log, a path leaves no process.
  if (!origin) {
    Error error = Error::in_private(ErrorCode::OriginFailed, origin.error().message);
    co_return failed(std::move(error), true);
  }
  Milliseconds patience_ms = named.site->origin.timeout_ms;
  for (const OriginRule& rule : named.site->fallback_origins) patience_ms += rule.timeout_ms;
  Deadline until = deadline.no_later_than(parts.clock.now() + patience_ms);
  SourceFetches::Wanted wanted{.path = named.ask.source, .version = named.ask.version};
  // Nor does a source that is fetched after a purge come out of a fetch from before it.
  wanted.purges = purges_so_far(parts);
  auto [source, policy] = co_await both_until_first(
      parts.fetches.fetch(*origin, std::move(wanted), until), parts.policies.refresh());
  if (!policy) policy = parts.policies.current();  // the look was given up with the fetch's end
  const SitePolicy* site_now = policy->find(named.ask.site);
  bool changed = policy != named.policy && (!site_now || !(*site_now == *named.site));
  if (changed) co_return Fetched{.source = {}, .policy_changed = true};
  if (!source) {
    bool of_source = source.error().code != ErrorCode::Busy;
    co_return failed(std::move(source).error(), of_source);
  }
  parts.metrics.count_source_bytes(source->bytes->size());
  co_return Fetched{.source = std::move(*source), .policy_changed = false};
}

Entry entry_of(const WalkParts& parts, const NamedVariant& named, RenderedVariant rendered,
               Format format) {
  std::int64_t now = parts.clock.unix_seconds();
  Hash128 hash = xxh3_128(rendered.bytes);
  std::uint8_t digest[16];
  for (int i = 0; i < 8; ++i) {
    digest[i] = static_cast<std::uint8_t>(hash.high >> (56 - 8 * i));
    digest[8 + i] = static_cast<std::uint8_t>(hash.low >> (56 - 8 * i));
  }
  Entry entry;
  entry.body = std::move(rendered.bytes);
  entry.meta.key = named.path;
  entry.meta.status = 200;
  entry.meta.media_type = media_type_of(format);
  entry.meta.etag = '"' + hex(digest) + '"';
  entry.meta.site = named.ask.site;
  entry.meta.source = named.ask.source;
  // Not the source's date: a variant also changes with its site's presets and defaults, and
  // If-Modified-Since must not call an old one new.
  entry.meta.modified_unix_seconds = now;
  entry.meta.stored_unix_seconds = now;
  entry.meta.fresh_until_unix_seconds = now + named.site->variant_ttl.count();
  entry.meta.max_age_seconds = named.site->browser_ttl.count();
  return entry;
}

Task<Making<Entry>> render(const WalkParts& parts, const NamedVariant& named, Source source,
                           std::pair<Deadline, Trace*> run) {
  Stopwatch planning(parts, Phase::Plan);
  auto info = sniff(*source.bytes);
  if (!info) co_return failed(std::move(info).error(), true);
  PlanLimits limits = limits_of(*named.site);
  auto planned = plan(named.settled, *info, limits);
  Timings& timings = run.second->timings;
  timings.plan_us = planning.stop();
  if (!planned) co_return failed(std::move(planned).error(), false);

  // The source waits in memory with its job, so admission counts it too.
  planned->cost.peak_bytes += static_cast<std::int64_t>(source.bytes->size());
  double weight = planned->cost.weight;
  Format format = planned->encode.format;
  RenderJob job{.plan = *planned, .limits = limits, .source = source.bytes, .deadline = run.first};
  auto rendered = co_await parts.renderer.render(std::move(job));
  if (!rendered) {
    // Damage that only the decoder sees is the source's all the same.
    ErrorCode code = rendered.error().code;
    bool of_source = code == ErrorCode::Corrupt || code == ErrorCode::Unsupported;
    co_return failed(std::move(rendered).error(), of_source);
  }
  timings.queue_us = rendered->queued_us;
  timings.render_us = rendered->rendered_us;
  parts.metrics.observe(Phase::Queue, std::chrono::microseconds(rendered->queued_us));
  parts.metrics.observe(Phase::Render, std::chrono::microseconds(rendered->rendered_us));
  parts.metrics.count_variant_bytes(rendered->bytes.size());
  Entry entry = entry_of(parts, named, std::move(*rendered), format);
  entry.meta.tags = cache_tags_of(*named.site, named.ask.source, source.tags);
  entry.meta.render_weight = weight;
  co_return entry;
}

SharedEntry remember(const WalkParts& parts, Entry entry) {
  parts.render_head(entry);
  auto shared = std::make_shared<const Entry>(std::move(entry));
  if (shared->meta.fresh_until_unix_seconds > parts.clock.unix_seconds()) parts.memory.keep(shared);
  return shared;
}

// Writes behind the answer: a failure costs a later render, never an answer. What was purged in the
// meantime is taken back.
Task<> keep_on_disk(const WalkParts& parts, SharedEntry entry, std::uint64_t since) {
  Stopwatch storing(parts, Phase::Store);
  auto keep = [&parts, entry, since] {
    auto kept = parts.disk->keep(*entry);
    if (is_purged(parts, since, entry->meta)) parts.disk->remove(entry->meta.key);
    return kept;
  };
  auto kept = co_await run_on(parts.blocking, std::move(keep));
  storing.stop();
  if (!kept) {
    log(LogLevel::Debug, "variant-not-kept",
        {{"key", entry->meta.key}, {"message", kept.error().message}});
  }
}

// A stored variant past its freshness stands in for a failure of ours or the origin's, for as long
// as that failure would have been remembered.
SharedEntry serve_stale(const WalkParts& parts, const Entry& stale, std::int64_t life_seconds) {
  Entry entry = stale;
  std::int64_t life = std::max<std::int64_t>(1, life_seconds);
  entry.meta.is_stale = true;
  entry.meta.fresh_until_unix_seconds = parts.clock.unix_seconds() + life;
  entry.meta.max_age_seconds = life;
  return remember(parts, std::move(entry));
}

// Busy comes in storms: one line a second says as much as thousands.
bool worth_a_line(const WalkParts& parts, ErrorCode code, std::int64_t now_unix_seconds) {
  return code != ErrorCode::Busy ||
         parts.last_busy_line->exchange(now_unix_seconds) != now_unix_seconds;
}

SharedEntry fail_variant(const WalkParts& parts, const NamedVariant& named, const MakingError& why,
                         Trace& trace, const SharedEntry& stale) {
  const FailureRule& rule = rule_of(why.error.code);
  std::int64_t now = parts.clock.unix_seconds();
  if (worth_a_line(parts, why.error.code, now)) {
    log(rule.level, "variant-failed",
        {{"code", name_of(why.error.code)}, {"key", named.path}, {"message", why.error.message}});
  }
  if (rule.status >= 500 && stale) {
    trace.outcome = Outcome::Stale;
    return serve_stale(parts, *stale, rule.negative_ttl_seconds);
  }
  trace.outcome = outcome_of_failure(rule.status);
  std::string key = why.of_source ? source_failure_key(named.ask) : named.path;
  return remember(parts, failure_entry(why.error, std::move(key), now));
}

// The source failed a moment ago, for this variant or another.
SharedEntry fail_again(const WalkParts& parts, SharedEntry failure, Trace& trace,
                       const SharedEntry& stale) {
  if (failure->meta.status >= 500 && stale) {
    trace.outcome = Outcome::Stale;
    return serve_stale(parts, *stale, failure->meta.max_age_seconds);
  }
  trace.outcome = Outcome::NegativeHit;
  return failure;
}

Task<SharedEntry> look_on_disk(const WalkParts& parts, const NamedVariant& named, Trace& trace) {
  if (!parts.disk) co_return nullptr;
  Stopwatch reading(parts, Phase::Disk);
  auto read = [disk = parts.disk, path = named.path] { return disk->get(path); };
  auto found = co_await run_on_within(parts.blocking, kDiskPatience, std::move(read));
  trace.timings.disk_us = reading.stop();
  if (!found) log(LogLevel::Warn, "disk-slow", {{"key", named.path}});
  co_return found ? std::move(*found) : nullptr;
}

// What another task has made, kept here from now on too.
Task<SharedEntry> look_at_shared(const WalkParts& parts, const NamedVariant& named,
                                 Deadline deadline) {
  if (!parts.shared) co_return nullptr;
  std::uint64_t since = purges_so_far(parts);
  std::string path = named.path;
  SharedEntry found = co_await parts.shared->find(std::move(path), deadline);
  if (!found) co_return nullptr;
  Entry entry = *found;
  entry.meta.site = named.ask.site;
  entry.meta.source = named.ask.source;
  SharedEntry shared = remember(parts, std::move(entry));
  if (parts.disk) {
    asio::co_spawn(co_await asio::this_coro::executor, keep_on_disk(parts, shared, since),
                   asio::detached);
  }
  co_return shared;
}

// What is finished somewhere: in memory, on disk, in the store that all tasks share. Null: it is to
// be made; `stale` may then hold what it was.
struct Finished {
  SharedEntry entry, stale;
};
Task<Finished> find_finished(const WalkParts& parts, const NamedVariant& named, Deadline deadline,
                             Trace& trace) {
  // Memory again, because another flight may have landed between the look that missed and this
  // one's start.
  SharedEntry remembered = parts.memory.get(named.path);
  if (is_fresh(parts, remembered)) {
    trace.outcome = outcome_of_memory(*remembered);
    co_return Finished{remembered, nullptr};
  }
  SharedEntry stored = co_await look_on_disk(parts, named, trace);
  if (is_fresh(parts, stored)) {
    trace.outcome = Outcome::DiskHit;
    co_return Finished{remember(parts, *stored), nullptr};
  }
  if (SharedEntry shared = co_await look_at_shared(parts, named, deadline)) {
    trace.outcome = Outcome::StoreHit;
    co_return Finished{shared, nullptr};
  }
  SharedEntry stale = stored ? stored : remembered;
  if (stale && stale->is_negative()) stale = nullptr;
  co_return Finished{nullptr, stale};
}

// Other tasks need not wait for what this one will not make.
Task<> give_up(const WalkParts& parts, const NamedVariant& named, Deadline deadline) {
  if (!parts.shared) co_return;
  std::string path = named.path;
  co_await parts.shared->give_up(std::move(path), deadline);
}

// Fetches, renders and keeps.
Task<Making<SharedEntry>> make(const WalkParts& parts, const NamedVariant& named, Deadline deadline,
                               Trace& trace) {
  std::uint64_t since = purges_so_far(parts);
  Stopwatch fetching(parts, Phase::Fetch);
  auto fetched = co_await fetch(parts, named, deadline);
  trace.timings.fetch_us = fetching.stop();
  if (!fetched) co_return tl::unexpected(fetched.error());
  if (fetched->policy_changed) co_return SharedEntry();
  auto made = co_await render(parts, named, std::move(fetched->source), {deadline, &trace});
  if (!made) co_return tl::unexpected(made.error());
  // Before the question: a purge that comes between is then later than the variant.
  Steady finished_at = parts.clock.now();
  if (is_purged(parts, since, made->meta)) {
    // Of what was to go: who waits for it gets it; no cache keeps it, here or in front of us.
    made->meta.fresh_until_unix_seconds = parts.clock.unix_seconds();
    made->meta.max_age_seconds = 0;
    co_await give_up(parts, named, deadline);
    co_return remember(parts, std::move(*made));
  }
  SharedEntry entry = remember(parts, std::move(*made));
  if (parts.disk) {
    asio::co_spawn(co_await asio::this_coro::executor, keep_on_disk(parts, entry, since),
                   asio::detached);
  }
  if (parts.shared) parts.shared->offer(entry, finished_at);
  co_return entry;
}

Task<Result<SharedEntry>> find_or_make(const WalkParts& parts, const NamedVariant& named,
                                       Trace& trace) {
  Deadline deadline = Deadline::after(parts.clock, parts.request_deadline_ms);
  deadline.trace = named.trace;
  Finished finished = co_await find_finished(parts, named, deadline, trace);
  if (finished.entry) co_return finished.entry;
  // Only now: a variant that exists is served whatever has become of its source since.
  SharedEntry failure = parts.memory.get(source_failure_key(named.ask));
  if (is_fresh(parts, failure)) {
    co_await give_up(parts, named, deadline);
    co_return fail_again(parts, std::move(failure), trace, finished.stale);
  }
  auto made = co_await make(parts, named, deadline, trace);
  if (made && *made) co_return *made;
  co_await give_up(parts, named, deadline);
  if (made) co_return fail_private(ErrorCode::Busy, "the policy changed");
  co_return fail_variant(parts, named, made.error(), trace, finished.stale);
}

}  // namespace

bool is_fresh(const WalkParts& parts, const SharedEntry& entry) {
  return entry && entry->meta.fresh_until_unix_seconds > parts.clock.unix_seconds();
}

Outcome outcome_of_memory(const Entry& entry) {
  if (entry.is_negative()) return Outcome::NegativeHit;
  return entry.meta.is_stale ? Outcome::Stale : Outcome::MemoryHit;
}

Outcome outcome_of_failure(int status) {
  if (status == 503) return Outcome::Busy;
  if (status == 502 || status == 504) return Outcome::OriginError;
  return status >= 500 ? Outcome::ServerError : Outcome::ClientError;
}

Task<Result<SharedEntry>> make_variant(const WalkParts& parts, NamedVariant named,
                                       std::shared_ptr<Trace> trace) {
  std::uint64_t since = purges_so_far(parts);
  auto found = co_await find_or_make(parts, named, *trace);
  // Who waits for it gets it; who comes later does not.
  if (found && is_purged(parts, since, (*found)->meta)) parts.memory.remove((*found)->meta.key);
  co_return found;
}

}  // namespace tintype
