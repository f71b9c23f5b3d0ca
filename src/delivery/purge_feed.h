// SPDX-License-Identifier: Apache-2.0
// PurgeFeed: the port by which service tasks tell each other of purges. The task that takes an
// order appends it; every task reads what is new, every interval(), and clears its own memory and
// disk. What all tasks share (variant store, edge) is purged only by the task that took the order,
// after the others have had the time to read. Thread-safe.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/purge_order.h"

namespace tintype {

class PurgeFeed {
 public:
  struct News {
    std::vector<PurgeOrder> orders;  // in their order; each has its id
    std::string cursor;              // where to read on; never empty
  };
  virtual ~PurgeFeed() = default;
  // Requires: the order has an id. Twice the same is no failure.
  virtual Task<Result<>> append(PurgeOrder order, Deadline deadline) = 0;
  // Orders appended after `cursor`; an empty one is the feed's present end and gives no orders.
  // What is read twice does no harm, what is left out does.
  virtual Task<Result<News>> read_since(std::string cursor, Deadline deadline) = 0;
  // How often every task reads.
  virtual Milliseconds interval() const = 0;
};

// In memory, for tests: tasks of one process share it.
class MemoryPurgeFeed final : public PurgeFeed {
 public:
  explicit MemoryPurgeFeed(Milliseconds interval) : interval_(interval) {}
  Task<Result<>> append(PurgeOrder order, Deadline deadline) override;
  Task<Result<News>> read_since(std::string cursor, Deadline deadline) override;
  Milliseconds interval() const override { return interval_; }
  // From now on each call fails with OriginFailed, or works again.
  void fail(bool is_failing);
  std::size_t size() const;

 private:
  const Milliseconds interval_;
  mutable std::mutex mutex_;
  std::vector<PurgeOrder> orders_;
  bool is_failing_ = false;
};

}  // namespace tintype
