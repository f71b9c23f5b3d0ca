// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_log.h"

namespace tintype {
namespace {

// A scope is some hundred bytes: a few MB.
constexpr std::size_t kMaxNoted = 10'000;
// Longer than any request, and than a variant waits to be written back.
constexpr std::chrono::minutes kRemembered{15};

}  // namespace

void PurgeLog::note(std::shared_ptr<const PurgeScope> scope) {
  std::lock_guard lock(mutex_);
  Steady now = clock_.now();
  while (!noted_.empty() && (noted_.size() >= kMaxNoted || noted_.front().at + kRemembered < now)) {
    noted_.pop_front();
  }
  noted_.push_back({std::move(scope), now, clock_.unix_seconds()});
  count_.fetch_add(1, std::memory_order_release);
}

bool PurgeLog::was_purged_since(std::uint64_t then, const EntryMeta& meta) const {
  if (then == now()) return false;
  std::lock_guard lock(mutex_);
  std::uint64_t count = count_.load();
  if (count - then > noted_.size()) return true;
  for (std::size_t i = noted_.size() - (count - then); i < noted_.size(); ++i) {
    if (noted_[i].scope->covers(meta)) return true;
  }
  return false;
}

bool PurgeLog::was_purged(const EntryMeta& meta, Steady finished) const {
  if (now() == 0) return false;
  std::lock_guard lock(mutex_);
  Steady since = clock_.now() - kRemembered;
  for (auto noted = noted_.rbegin(); noted != noted_.rend() && noted->at >= since; ++noted) {
    bool is_earlier = finished == Steady{} ? noted->unix_seconds < meta.stored_unix_seconds
                                           : noted->at < finished;
    if (is_earlier) continue;
    if (noted->scope->covers(meta)) return true;
  }
  return false;
}

}  // namespace tintype
