// SPDX-License-Identifier: Apache-2.0
#include "worker/queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tintype {

std::optional<PendingJob> JobQueue::take_next() {
  if (jobs_.empty()) return std::nullopt;
  std::optional<PendingJob> next(std::move(jobs_.front()));
  jobs_.pop_front();
  return next;
}

std::vector<PendingJob> JobQueue::take_expired(const Clock& clock) {
  const auto first = std::stable_partition(
      jobs_.begin(), jobs_.end(),
      [&](const PendingJob& pending) { return !pending.job.deadline.passed(clock); });
  std::vector<PendingJob> expired(std::make_move_iterator(first),
                                  std::make_move_iterator(jobs_.end()));
  jobs_.erase(first, jobs_.end());
  return expired;
}

std::vector<PendingJob> JobQueue::take_all() {
  std::vector<PendingJob> all(std::make_move_iterator(jobs_.begin()),
                              std::make_move_iterator(jobs_.end()));
  jobs_.clear();
  return all;
}

}  // namespace tintype
