// SPDX-License-Identifier: Apache-2.0
// PurgeLog: the purges that this process knows of, so that what was begun before one is not kept
// after it. A purge is noted here first, then carried out; who makes something remembers now()
// before it fetches the source, keeps what it made, asks was_purged_since(), and takes it back when
// the answer is yes. In that order no variant slips through between the two: either the question
// sees the note, or the purge comes after the keeping. Bounded to the last 10,000 purges and 15
// minutes; of what is forgotten it says yes. Thread-safe; the usual question costs one atomic read.
//
// In the walk: at the begin of a flight, and behind each tier's keep.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string_view>

#include "base/clock.h"
#include "cache/entry.h"
#include "delivery/purge_scope.h"

namespace tintype {

class PurgeLog {
 public:
  explicit PurgeLog(const Clock& clock) : clock_(clock) {}

  // How many purges there have been. Also good in a flight's key: who asks after a purge does not
  // join a flight from before it.
  std::uint64_t now() const { return count_.load(std::memory_order_acquire); }
  void note(std::shared_ptr<const PurgeScope> scope);

  // Whether any purge since `then`, an earlier now(), covers this variant or remembered failure.
  bool was_purged_since(std::uint64_t then, const EntryMeta& meta) const;
  // Whether any purge that is remembered came when this variant was already finished. For variants
  // that are on their way to the store that all tasks share (`finished` is when that was here), or
  // come from there (it is not known, and the purge's own second counts as later).
  bool was_purged(const EntryMeta& meta, Steady finished = {}) const;

 private:
  struct Noted {
    std::shared_ptr<const PurgeScope> scope;
    Steady at;
    std::int64_t unix_seconds = 0;
  };

  const Clock& clock_;
  std::atomic<std::uint64_t> count_{0};
  mutable std::mutex mutex_;
  std::deque<Noted> noted_;  // the last is number count_
};

}  // namespace tintype
