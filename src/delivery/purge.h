// SPDX-License-Identifier: Apache-2.0
// Purger: carries purge orders out, in the order in which nothing old can come back: noted in the
// PurgeLog first, this task's own tiers, the other tasks told and given time to read, then the
// variant store, and the edge last, which would else be filled again from what stands behind it.
// When a layer fails, those behind it are left alone and the report says so. Repeating an order is
// how it is resumed: what is gone is not listed again, so it goes on where it stopped.
//
// Thread-safe; owns none of its parts. In no walk: asked by the admin API, hooks and the feed.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "cache/disk_tier.h"
#include "cache/memory_tier.h"
#include "delivery/purge_feed.h"
#include "delivery/purge_log.h"
#include "delivery/purge_report.h"
#include "store/policy_store.h"
#include "store/variant_store.h"

namespace tintype {

struct PurgeSettings {
  // Given to the other tasks beyond the feed's interval: for a read that was just under way, and
  // for what they were writing to the store when they learnt of it.
  Milliseconds propagation_margin_ms{2'000};
  Milliseconds call_timeout_ms{30'000};  // of one call of the store or the feed
  // CloudFront takes 15 wildcards at a time and bills each path beyond 1,000 a month (0.005 $):
  // more sources of a tag than this become one wildcard for what their paths have in common.
  std::size_t max_edge_paths = 60;
};

// Asks the edge to forget paths; a wildcard stands only at the end. The reference is the same for
// the same purge, so that a repeated call is no second invalidation.
using EdgeInvalidation =
    std::function<Task<Result<>>(std::vector<std::string> paths, std::string reference)>;

struct PurgeParts {
  PolicyStore& policies;
  PurgeLog& log;
  MemoryTier& memory;
  DiskTier* disk = nullptr;     // null: none
  asio::thread_pool& blocking;  // for the disk
  const Clock& clock;
  VariantStore* store = nullptr;  // the bare one, not guarded_store.h; null: none
  PurgeFeed* feed = nullptr;      // null: there is one task
  EdgeInvalidation edge = {};     // empty: no edge that can be asked
  // The source cache: forgets a site's sources whose path begins with the prefix; how many.
  std::function<Task<std::uint64_t>(std::string site, std::string prefix)> forget_sources = {};
  // Told of each finished purge but those from the feed; for the audit log.
  std::function<void(const PurgeReport&)> on_done = {};
};

// A purge under way, shared by who does it and who asks how far it is. Thread-safe.
class PurgeProgress {
 public:
  PurgeProgress(PurgeReport report, PurgeScope scope)
      : scope_(std::make_shared<const PurgeScope>(std::move(scope))), report_(std::move(report)) {}
  const std::shared_ptr<const PurgeScope>& scope() const { return scope_; }
  PurgeReport report() const {
    std::lock_guard lock(mutex_);
    return report_;
  }
  template <class Change>
  void change(Change&& how) {
    std::lock_guard lock(mutex_);
    how(report_);
  }

 private:
  const std::shared_ptr<const PurgeScope> scope_;
  mutable std::mutex mutex_;
  PurgeReport report_;
};

// Edge paths in order, without doubles and without those that a wildcard covers; more than
// `max_paths` become one wildcard of what they have in common.
std::vector<std::string> tidy_edge_paths(std::vector<std::string> paths, std::size_t max_paths);

class Purger {
 public:
  explicit Purger(PurgeParts parts, const PurgeSettings& settings = {});
  ~Purger();

  // Who asked, for the audit log.
  struct Who {
    std::string by, client;
  };
  // The order as a purge that can be run; nothing is done yet. Gives an order without an id one.
  // Fails with BadRequest when there is no such site or preset.
  Result<std::shared_ptr<PurgeProgress>> prepare(PurgeOrder order, Who who);
  // Carries it out; the progress has the report, also of a failure. Once per progress. Must end
  // before this object does.
  Task<> run(std::shared_ptr<PurgeProgress> progress);

  // Reads the feed for ever and carries out on this task's own tiers what others have ordered. To
  // be spawned once; ends with its loop.
  Task<> follow_feed();
  // One such reading; how many orders it brought. Fails as the feed does, and reads on from the
  // same place the next time.
  Task<Result<std::size_t>> read_feed();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tintype
