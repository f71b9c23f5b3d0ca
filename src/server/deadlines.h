// SPDX-License-Identifier: Apache-2.0
// Deadlines of one event loop's connections without a timer each: whoever waits hangs in the list
// of what it waits for. All waits of one kind last equally long, so a list is in the order of its
// deadlines and a sweep (four times a second) looks only at those that have passed. Arming costs a
// few pointer writes (measured: 0.1 us a request; a timer re-armed twice a request: 0.4 us). Not
// thread-safe: one per loop.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"

namespace tintype {

// What a connection waits for.
enum class Wait : std::uint8_t {
  Idle,    // a request's first byte
  Head,    // the rest of a head
  Write,   // the client to take an answer
  Linger,  // the client to close
};
inline constexpr int kWaitCount = 4;

// Something that waits. Leaves its list when it dies.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  virtual ~Waiter() { leave(); }

  // Called by the sweep after the waiter left its list; it may arm itself again, and may not
  // destroy other waiters.
  virtual void expire(Wait wait) = 0;

  bool is_waiting() const { return next_ != nullptr; }
  void leave() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    previous_ = next_ = nullptr;
  }

 private:
  friend class Deadlines;
  Waiter* previous_ = nullptr;
  Waiter* next_ = nullptr;
  Steady at_{};
};

class Deadlines {
 public:
  explicit Deadlines(const std::array<Milliseconds, kWaitCount>& durations)
      : durations_(durations) {
    for (End& end : ends_) end.previous_ = end.next_ = &end;
  }
  ~Deadlines() {
    for (End& end : ends_) {
      while (end.next_ != &end) end.next_->leave();
      end.previous_ = end.next_ = nullptr;
    }
  }
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;

  // Puts the waiter at the end of a list, leaving the one it was in.
  void arm(Waiter& waiter, Wait wait, Steady now) {
    waiter.leave();
    auto index = static_cast<std::size_t>(wait);
    End& end = ends_[index];
    waiter.at_ = now + durations_[index];
    waiter.previous_ = end.previous_;
    waiter.next_ = &end;
    end.previous_->next_ = &waiter;
    end.previous_ = &waiter;
  }

  // Expires everything whose time has passed.
  void sweep(Steady now) {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      End& end = ends_[i];
      while (end.next_ != &end && end.next_->at_ <= now) expire_first(end, static_cast<Wait>(i));
    }
  }
  // Expires the one that has waited longest, if anyone waits so.
  void expire_oldest(Wait wait) {
    End& end = ends_[static_cast<std::size_t>(wait)];
    if (end.next_ != &end) expire_first(end, wait);
  }
  // Expires everything of one kind at once, whatever its time. For waits that are not armed again.
  void expire_all(Wait wait) {
    End& end = ends_[static_cast<std::size_t>(wait)];
    while (end.next_ != &end) expire_first(end, wait);
  }

 private:
  struct End final : Waiter {
    void expire(Wait) override {}
  };
  static void expire_first(End& end, Wait wait) {
    Waiter* waiter = end.next_;
    waiter->leave();
    waiter->expire(wait);
  }

  std::array<Milliseconds, kWaitCount> durations_;
  std::array<End, kWaitCount> ends_;
};

}  // namespace tintype
