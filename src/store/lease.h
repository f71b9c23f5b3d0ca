// SPDX-License-Identifier: Apache-2.0
// Lease: the port through which service tasks agree who of them makes a variant, so that a miss
// that reaches several of them is rendered once. A lease has a short life and is a hint, never a
// lock: who gets none because the store is down makes the variant all the same, and a second render
// costs CPU, not correctness. DynamoLease keeps leases in the policy's table, MemoryLease in this
// process, for tests. Thread-safe. Walk: on a miss, before the source is fetched.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/dynamodb_client.h"

namespace tintype {

struct LeaseSettings {
  // Longer than nearly every fetch and render together; so long waits who waits for a task that
  // died. Whole seconds, because the clocks of tasks agree no better.
  Seconds life{5};
};

class Lease {
 public:
  virtual ~Lease() = default;

  enum class Holder : std::uint8_t { Mine, Others };
  // Mine also when this task held it already. Fails as the store does.
  virtual Task<Result<Holder>> acquire(std::string key, Deadline deadline) = 0;
  // Ends a lease before its time; one that is not ours stays. A failure costs others the wait for
  // its end, so it is not told.
  virtual Task<> release(std::string key, Deadline deadline) = 0;
  virtual Seconds life() const = 0;
};

class DynamoLease final : public Lease {
 public:
  // `dynamo` and `clock` must outlive it. `owner` tells this task from all others: random.
  DynamoLease(DynamoClient& dynamo, const Clock& clock, std::string owner,
              LeaseSettings settings = {});
  Task<Result<Holder>> acquire(std::string key, Deadline deadline) override;
  Task<> release(std::string key, Deadline deadline) override;
  Seconds life() const override { return settings_.life; }

 private:
  DynamoClient& dynamo_;
  const Clock& clock_;
  std::string owner_;
  LeaseSettings settings_;
};

// The leases of one place, shared by several MemoryLease: each is a task.
struct MemoryLeases {
  struct Held {
    std::string owner;
    std::int64_t until_unix_seconds = 0;
  };
  std::mutex mutex;
  std::map<std::string, Held> held;
};

class MemoryLease final : public Lease {
 public:
  // `clock` must outlive it.
  MemoryLease(std::shared_ptr<MemoryLeases> leases, const Clock& clock, std::string owner,
              LeaseSettings settings = {});
  Task<Result<Holder>> acquire(std::string key, Deadline deadline) override;
  Task<> release(std::string key, Deadline deadline) override;
  Seconds life() const override { return settings_.life; }

  // From now on each acquire fails with this code; nullopt: works again.
  void fail_with(std::optional<ErrorCode> code);

 private:
  std::shared_ptr<MemoryLeases> leases_;
  const Clock& clock_;
  std::string owner_;
  LeaseSettings settings_;
  std::optional<ErrorCode> fault_;  // guarded by leases_->mutex
};

}  // namespace tintype
