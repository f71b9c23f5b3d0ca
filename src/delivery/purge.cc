// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge.h"

#include <algorithm>
#include <deque>
#include <random>
#include <set>
#include <utility>

#include "base/hash.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

using Progress = std::shared_ptr<PurgeProgress>;
using Scope = std::shared_ptr<const PurgeScope>;

// What VariantStore::list gives and VariantStore::remove takes at a time.
constexpr std::size_t kPage = 1'000;
// Own orders come back from the feed within seconds; this many are remembered until then.
constexpr std::size_t kOwnOrders = 1'000;
constexpr Milliseconds kFeedTimeout{10'000};
constexpr Seconds kComplainEvery{60};

std::string new_id() {
  std::random_device random;
  std::uint8_t bytes[12];
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return "purge-" + hex(bytes);
}

// "/shop/p/a.jpg/_/" of a variant's path; empty of anything else.
std::string source_part(std::string_view path) {
  std::size_t marker = path.find("/_/", 1);
  return marker == std::string_view::npos ? std::string() : std::string(path.substr(0, marker + 3));
}

// What one task's own tiers lose by a purge.
struct OwnLoss {
  std::uint64_t memory = 0, disk = 0, sources = 0;
  std::set<std::string> tagged;  // "/shop/p/a.jpg/_/": where the tag was found
};

void note_tagged(const PurgeScope& scope, const EntryMeta& meta, OwnLoss& loss) {
  if (!scope.is_tag_at_edge) return;
  if (std::string part = source_part(meta.key); !part.empty()) loss.tagged.insert(std::move(part));
}

}  // namespace

std::vector<std::string> tidy_edge_paths(std::vector<std::string> paths, std::size_t max_paths) {
  std::ranges::sort(paths);
  std::vector<std::string> kept;
  auto is_covered = [&kept](const std::string& path) {
    if (kept.empty()) return false;
    std::string_view last = kept.back();
    return last.ends_with('*') && path.starts_with(last.substr(0, last.size() - 1));
  };
  for (std::string& path : paths) {
    if (!is_covered(path)) kept.push_back(std::move(path));
  }
  if (kept.size() <= max_paths) return kept;
  // Our own folder has nothing in common with a site.
  auto sites =
      std::ranges::find_if(kept, [](const auto& path) { return !path.starts_with("/_/"); });
  if (sites == kept.end()) return kept;
  // Sorted: what the first and the last have in common, all have.
  auto [first, last] = std::ranges::mismatch(*sites, kept.back());
  std::string common(sites->begin(), first);
  common.resize(common.rfind('/') + 1);
  kept.erase(sites, kept.end());
  kept.push_back(common + "*");
  return kept;
}

struct Purger::State {
  PurgeParts parts;
  PurgeSettings settings;
  std::mutex mutex;
  std::deque<std::string> own_ids;  // guarded by mutex
  std::string cursor;               // of the feed; the follower's alone
  Steady complained_at{};

  Deadline deadline() const { return Deadline::after(parts.clock, settings.call_timeout_ms); }
  void remember_own(const std::string& id);
  bool is_own(const std::string& id);

  Task<OwnLoss> forget_own(Scope scope);
  Task<OwnLoss> count_own(Scope scope);
  Task<Result<>> tell_others(Progress progress);
  using EdgePaths = std::vector<std::string>;
  Task<Result<EdgePaths>> purge_store(Progress progress);
  Task<Result<EdgePaths>> purge_tagged(Progress progress);
  Task<Result<std::uint64_t>> purge_prefix(Progress progress, std::string prefix);
  Task<Result<>> purge_edge(Progress progress, EdgePaths paths);
  Task<Result<>> carry_out(Progress progress);
  Task<Result<>> count(Progress progress);
  std::size_t apply(const PurgeFeed::News& news, std::vector<Scope>& scopes);
};

namespace {

void begin_step(const Progress& progress, std::string_view step) {
  progress->change([step](PurgeReport& report) { report.step = step; });
}

void add_loss(const Progress& progress, const OwnLoss& loss) {
  progress->change([&loss](PurgeReport& report) {
    report.counts.memory += loss.memory;
    report.counts.disk += loss.disk;
    report.counts.sources += loss.sources;
  });
}

// What of the tiers' own finds the edge must forget too.
void add_tagged(const OwnLoss& loss, std::vector<std::string>& paths) {
  for (const std::string& part : loss.tagged) paths.push_back(part + "*");
}

// A whole site, of what this task has itself: for orders that its policy does not understand.
PurgeScope everything_of(const std::string& site) {
  Policy policy;
  policy.sites[site].name = site;
  return *scope_of({.site = site, .what = PurgeOrder::What::All}, policy);
}

std::string advice(const PurgeReport& report, const Error& error) {
  std::string reason = error.detail.empty() ? std::string(name_of(error.code)) : error.detail;
  std::string text = (report.step.empty() ? "purge" : report.step) + ": " + reason;
  if (report.order.dry_run) return text;
  return text +
         "; what comes behind it was left alone. Send the same order again: it goes on where it "
         "stopped";
}

}  // namespace

void Purger::State::remember_own(const std::string& id) {
  std::lock_guard lock(mutex);
  own_ids.push_back(id);
  if (own_ids.size() > kOwnOrders) own_ids.pop_front();
}

bool Purger::State::is_own(const std::string& id) {
  std::lock_guard lock(mutex);
  return std::ranges::find(own_ids, id) != own_ids.end();
}

// From the back to the front: each tier is filled from the one behind it.
Task<OwnLoss> Purger::State::forget_own(Scope scope) {
  OwnLoss loss;
  if (parts.forget_sources) {
    for (const std::string& prefix : scope->sources) {
      std::string site = scope->order.site, path = prefix;
      loss.sources += co_await parts.forget_sources(std::move(site), std::move(path));
    }
  }
  auto matches = [&loss, &scope](const EntryMeta& meta) {
    if (!scope->covers(meta)) return false;
    note_tagged(*scope, meta, loss);
    return true;
  };
  if (parts.disk != nullptr) {
    auto remove = [this, &scope, &matches]() -> std::uint64_t {
      if (!scope->shapes.empty() || !scope->tag.empty()) {
        return parts.disk->remove_if(scope->site_prefix(), matches);
      }
      std::uint64_t removed = 0;
      for (const std::string& prefix : scope->prefixes)
        removed += parts.disk->remove_prefix(prefix);
      return removed;
    };
    loss.disk = co_await run_on(parts.blocking, std::move(remove));
  }
  loss.memory = parts.memory.remove_if(matches);
  co_return loss;
}

Task<OwnLoss> Purger::State::count_own(Scope scope) {
  OwnLoss loss;
  if (parts.disk != nullptr) {
    auto count_rows = [this, &scope, &loss] {
      return parts.disk->count_if(scope->site_prefix(), [&](const EntryMeta& meta) {
        if (!scope->covers(meta)) return false;
        note_tagged(*scope, meta, loss);
        return true;
      });
    };
    loss.disk = co_await run_on(parts.blocking, std::move(count_rows));
  }
  parts.memory.remove_if([&](const EntryMeta& meta) {
    if (scope->covers(meta)) {
      ++loss.memory;
      note_tagged(*scope, meta, loss);
    }
    return false;
  });
  co_return loss;
}

// Afterwards every other task has read it: what it began before is not kept, here or in the store.
Task<Result<>> Purger::State::tell_others(Progress progress) {
  begin_step(progress, "other tasks");
  PurgeOrder order = progress->scope()->order;
  remember_own(order.id);
  CO_TRY(co_await parts.feed->append(std::move(order), deadline()));
  co_await sleep_for(parts.feed->interval() + settings.propagation_margin_ms);
  co_return Result<>{};
}

// How many; a dry run only counts.
Task<Result<std::uint64_t>> Purger::State::purge_prefix(Progress progress, std::string prefix) {
  Scope scope = progress->scope();
  // Where only some of what is listed goes.
  bool is_picky = scope->prefixes.empty() && scope->tag.empty();
  bool is_marker = prefix.starts_with(marker_prefix(scope->order.site));
  std::uint64_t removed = 0;
  std::string after;
  while (true) {
    std::string list_prefix = prefix, list_after = after;
    CO_TRY(auto keys,
           co_await parts.store->list(std::move(list_prefix), std::move(list_after), deadline()));
    bool is_end = keys.size() < kPage;
    if (!keys.empty()) after = keys.back();
    if (is_picky) {
      std::erase_if(keys, [&](const std::string& key) { return !scope->covers_path(key); });
    }
    std::uint64_t count = keys.size();
    if (count > 0 && !scope->order.dry_run) {
      CO_TRY(co_await parts.store->remove(std::move(keys), deadline()));
    }
    removed += count;
    if (!is_marker) {
      progress->change([count](PurgeReport& report) { report.counts.store += count; });
    }
    if (is_end) co_return removed;
  }
}

// The sources that a tag's markers name. The markers stay: a purge that is cut short, by the edge
// too, finds all of them again, and one that is written anew with a variant meanwhile is not lost.
// They are empty, and end with the bucket's 30 days.
Task<Result<Purger::State::EdgePaths>> Purger::State::purge_tagged(Progress progress) {
  Scope scope = progress->scope();
  std::string prefix = marker_prefix(scope->order.site, scope->tag), after;
  EdgePaths paths;
  while (true) {
    std::string list_prefix = prefix, list_after = after;
    CO_TRY(auto markers,
           co_await parts.store->list(std::move(list_prefix), std::move(list_after), deadline()));
    for (const std::string& marker : markers) {
      std::string variants = prefix_of_marker(marker);
      if (variants.empty()) continue;
      paths.push_back(variants + "*");
      CO_TRY(co_await purge_prefix(progress, std::move(variants)));
    }
    bool is_end = markers.size() < kPage;
    if (is_end) co_return paths;
    after = markers.back();
  }
}

// Which paths the edge must forget for what was found there.
Task<Result<Purger::State::EdgePaths>> Purger::State::purge_store(Progress progress) {
  begin_step(progress, "store");
  Scope scope = progress->scope();
  std::vector<std::string> prefixes = scope->prefixes;
  if (!scope->shapes.empty()) prefixes.push_back(scope->site_prefix());
  for (std::string& prefix : prefixes) {
    CO_TRY(co_await purge_prefix(progress, std::move(prefix)));
  }
  if (scope->tag.empty()) co_return EdgePaths{};
  co_return co_await purge_tagged(progress);
}

Task<Result<>> Purger::State::purge_edge(Progress progress, EdgePaths paths) {
  begin_step(progress, "edge");
  Scope scope = progress->scope();
  paths.insert(paths.end(), scope->edge_paths.begin(), scope->edge_paths.end());
  // Without a store nobody knows which sources carry a tag.
  if (scope->is_tag_at_edge && parts.store == nullptr) paths.push_back(scope->site_prefix() + "*");
  paths = tidy_edge_paths(std::move(paths), settings.max_edge_paths);
  std::uint64_t count = paths.size();
  progress->change([count](PurgeReport& report) { report.counts.edge_paths = count; });
  if (scope->order.dry_run || paths.empty()) co_return Result<>{};
  std::string reference = scope->order.id;
  co_return co_await parts.edge(std::move(paths), std::move(reference));
}

Task<Result<>> Purger::State::count(Progress progress) {
  OwnLoss own = co_await count_own(progress->scope());
  add_loss(progress, own);
  EdgePaths paths;
  if (parts.store != nullptr) {
    CO_TRY(paths, co_await purge_store(progress));
  }
  add_tagged(own, paths);
  if (!parts.edge) co_return Result<>{};
  co_return co_await purge_edge(progress, std::move(paths));
}

Task<Result<>> Purger::State::carry_out(Progress progress) {
  Scope scope = progress->scope();
  parts.log.note(scope);
  begin_step(progress, "own tiers");
  OwnLoss own = co_await forget_own(scope);
  add_loss(progress, own);
  EdgePaths paths;
  add_tagged(own, paths);
  if (parts.feed != nullptr) CO_TRY(co_await tell_others(progress));
  if (parts.store != nullptr) {
    CO_TRY(auto found, co_await purge_store(progress));
    paths.insert(paths.end(), found.begin(), found.end());
  }
  if (parts.feed != nullptr || parts.store != nullptr) {
    // Again: what came in from the store meanwhile.
    OwnLoss rest = co_await forget_own(scope);
    add_loss(progress, rest);
    add_tagged(rest, paths);
  }
  if (!parts.edge) co_return Result<>{};
  co_return co_await purge_edge(progress, std::move(paths));
}

Purger::Purger(PurgeParts parts, const PurgeSettings& settings)
    : state_(new State{.parts = std::move(parts), .settings = settings}) {}
Purger::~Purger() = default;

Result<std::shared_ptr<PurgeProgress>> Purger::prepare(PurgeOrder order, Who who) {
  if (order.id.empty()) order.id = new_id();
  TRY(PurgeScope scope, scope_of(order, *state_->parts.policies.current()));
  PurgeReport report;
  report.id = order.id;
  report.order = std::move(order);
  report.by = std::move(who.by);
  report.client = std::move(who.client);
  report.started_unix_seconds = state_->parts.clock.unix_seconds();
  return std::make_shared<PurgeProgress>(std::move(report), std::move(scope));
}

Task<> Purger::run(std::shared_ptr<PurgeProgress> progress) {
  std::shared_ptr<State> state = state_;
  Steady began = state->parts.clock.now();
  bool is_dry = progress->scope()->order.dry_run;
  if (!is_dry) {
    // Should this process end before the purge does, this line and the client know of it.
    log(LogLevel::Info, "purge-begun",
        {{"id", progress->scope()->order.id}, {"what", describe(progress->scope()->order)}});
  }
  Result<> done;
  if (is_dry) {
    done = co_await state->count(progress);
  } else {
    done = co_await state->carry_out(progress);
  }
  auto passed = state->parts.clock.now() - began;
  progress->change([&](PurgeReport& report) {
    report.duration_ms = std::chrono::duration_cast<Milliseconds>(passed).count();
    report.state = done ? PurgeReport::State::Done : PurgeReport::State::Failed;
    if (!done) report.error = advice(report, done.error());
    report.step.clear();
  });
  PurgeReport report = progress->report();
  if (!done) {
    log(LogLevel::Error, "purge-failed", {{"id", report.id}, {"message", done.error().message}});
  }
  if (state->parts.on_done) state->parts.on_done(report);
}

// Noted all at once, so that nothing is kept that the second of them covers while the first is
// carried out.
std::size_t Purger::State::apply(const PurgeFeed::News& news, std::vector<Scope>& scopes) {
  SharedPolicy policy = parts.policies.current();
  for (const PurgeOrder& order : news.orders) {
    if (order.dry_run || is_own(order.id)) continue;
    auto scope = scope_of(order, *policy);
    // A policy that is older or newer than the order: rather too much.
    if (!scope) scope = everything_of(order.site);
    scopes.push_back(std::make_shared<const PurgeScope>(std::move(*scope)));
    parts.log.note(scopes.back());
    log(LogLevel::Info, "purge-of-other-task", {{"id", order.id}, {"what", describe(order)}});
  }
  return scopes.size();
}

Task<Result<std::size_t>> Purger::read_feed() {
  std::shared_ptr<State> state = state_;
  Deadline deadline = Deadline::after(state->parts.clock, kFeedTimeout);
  std::string from = state->cursor;
  CO_TRY(auto news, co_await state->parts.feed->read_since(std::move(from), deadline));
  std::vector<Scope> scopes;
  std::size_t count = state->apply(news, scopes);
  for (Scope& scope : scopes) co_await state->forget_own(std::move(scope));
  state->cursor = news.cursor;
  co_return count;
}

Task<> Purger::follow_feed() {
  std::shared_ptr<State> state = state_;
  while (true) {
    auto read = co_await read_feed();
    Steady now = state->parts.clock.now();
    if (!read && state->complained_at + kComplainEvery <= now) {
      state->complained_at = now;
      log(LogLevel::Warn, "purge-feed-unreadable", {{"message", read.error().message}});
    }
    co_await sleep_for(state->parts.feed->interval());
  }
}

}  // namespace tintype
