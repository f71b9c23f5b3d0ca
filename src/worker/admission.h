// SPDX-License-Identifier: Apache-2.0
// Admission: decides whether one more render may wait or run, by the estimated cost of all that do
// already. A refusal is immediate, so that an overloaded service says 503 in microseconds instead
// of letting every request time out (docs/internals/figures.md P21). Thread-safe. Walk: plan ->
// admission -> queue -> worker.
#pragma once

#include <cstdint>
#include <mutex>

#include "plan/plan.h"
#include "worker/settings.h"

namespace tintype {

class Admission {
 public:
  explicit Admission(const WorkerSettings& settings) : settings_(settings) {}

  // Counts the job in and returns true, or returns false. A job is always admitted when nothing
  // else waits or runs, however costly: the limits of the plan have already allowed it.
  bool admit(const Cost& cost);
  // Counts an admitted job out. Exactly once per admitted job.
  void leave(const Cost& cost);
  // From now on nothing is admitted.
  void close();

  struct Load {
    int jobs = 0;
    double weight = 0;
    std::int64_t bytes = 0;
    bool is_saturated = false;  // a job of the average cost would be refused
  };
  Load load() const;

 private:
  double counted_weight(const Cost& cost) const;
  bool fits(const Cost& cost) const;  // requires: mutex_ held

  const WorkerSettings settings_;
  mutable std::mutex mutex_;
  bool is_closed_ = false;
  int jobs_ = 0;
  double weight_ = 0;
  std::int64_t bytes_ = 0;
  Cost average_;  // of recent jobs
};

}  // namespace tintype
