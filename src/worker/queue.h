// SPDX-License-Identifier: Apache-2.0
// JobQueue: admitted renders waiting for a worker, first come first served. Work whose deadline has
// passed is never started: its viewer is gone. Not thread-safe: lives on the pool thread.
// Walk: admission -> queue -> worker.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "worker/pool.h"

namespace tintype {

// A render with the way back to whoever awaits it. `answer` must be called exactly once.
struct PendingJob {
  RenderJob job;
  std::function<void(Result<RenderedVariant>)> answer;
  Steady admitted_at;
};

class JobQueue {
 public:
  void push(PendingJob pending) { jobs_.push_back(std::move(pending)); }
  // For a job whose worker was found dead before it began.
  void push_front(PendingJob pending) { jobs_.push_front(std::move(pending)); }
  // Empty when nothing waits.
  std::optional<PendingJob> take_next();
  // Removes the jobs whose deadline has passed, whatever their place. O(waiting).
  std::vector<PendingJob> take_expired(const Clock& clock);
  std::vector<PendingJob> take_all();
  std::size_t size() const { return jobs_.size(); }

 private:
  std::deque<PendingJob> jobs_;
};

}  // namespace tintype
