// SPDX-License-Identifier: Apache-2.0
// Clock: the port through which everything that waits or expires reads time, so that tests and the
// simulation can move it by hand. Thread-safe. SystemClock is the real one. Deadline: the moment by
// which a piece of work must have ended, handed down from step to step of the walk.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/trace.h"

namespace tintype {

using Steady = std::chrono::steady_clock::time_point;
using Milliseconds = std::chrono::milliseconds;
using Seconds = std::chrono::seconds;

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes back; for deadlines and durations.
  virtual Steady now() const = 0;
  // Seconds since 1970-01-01 UTC; for Last-Modified, expiry on disk and logs.
  virtual std::int64_t unix_seconds() const = 0;
  // The same in microseconds, for what is put beside the times of other services: spans, metrics.
  virtual std::int64_t unix_us() const { return unix_seconds() * 1'000'000; }
};

class SystemClock final : public Clock {
 public:
  Steady now() const override { return std::chrono::steady_clock::now(); }
  std::int64_t unix_seconds() const override {
    return std::chrono::duration_cast<Seconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  std::int64_t unix_us() const override {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
};

// Moves only when told to. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t unix_start_seconds = 1'700'000'000)
      : unix_start_seconds_(unix_start_seconds) {}
  Steady now() const override {
    return Steady{} + std::chrono::hours(1) + Milliseconds(ms_.load());
  }
  std::int64_t unix_seconds() const override { return unix_start_seconds_ + ms_.load() / 1000; }
  std::int64_t unix_us() const override { return unix_start_seconds_ * 1'000'000 + ms_ * 1000; }
  void advance(Milliseconds by) { ms_ += by.count(); }

 private:
  std::int64_t unix_start_seconds_;
  std::atomic<std::int64_t> ms_{0};
};

// The moment by which a piece of work must have ended, and for whom it is done. Trivial to copy,
// because coroutines take it by value.
struct Deadline {
  Steady at = Steady::max();
  TraceContext trace{};  // for requests that this work makes to others

  static Deadline after(const Clock& clock, Milliseconds duration) {
    return {clock.now() + duration};
  }
  // The same work with at most so much time.
  Deadline no_later_than(Steady other) const { return {other < at ? other : at, trace}; }
  bool passed(const Clock& clock) const { return clock.now() >= at; }
  // Zero once passed.
  Milliseconds remaining(const Clock& clock) const {
    auto left = std::chrono::duration_cast<Milliseconds>(at - clock.now());
    return left.count() > 0 ? left : Milliseconds(0);
  }
};

}  // namespace tintype
