// SPDX-License-Identifier: Apache-2.0
#include "server/deadlines.h"

#include <memory>
#include <vector>

#include <gtest/gtest.h>

namespace tintype {
namespace {

class Probe final : public Waiter {
 public:
  explicit Probe(std::vector<int>& expired, int id) : expired_(expired), id_(id) {}
  void expire(Wait) override {
    expired_.push_back(id_);
    if (again_on != nullptr) again_on->arm(*this, Wait::Write, again_at);
  }
  Deadlines* again_on = nullptr;
  Steady again_at{};

 private:
  std::vector<int>& expired_;
  int id_;
};

const std::array<Milliseconds, kWaitCount> kDurations = {Milliseconds(100), Milliseconds(50),
                                                         Milliseconds(10), Milliseconds(5)};
Steady at(int ms) {
  return Steady{} + Milliseconds(ms);
}

TEST(Deadlines, ExpiresInOrderAndOnce) {
  Deadlines deadlines(kDurations);
  std::vector<int> expired;
  Probe a(expired, 1), b(expired, 2), c(expired, 3);
  deadlines.arm(a, Wait::Idle, at(0));
  deadlines.arm(b, Wait::Idle, at(20));
  deadlines.arm(c, Wait::Head, at(20));
  deadlines.sweep(at(69));
  EXPECT_TRUE(expired.empty());
  deadlines.sweep(at(70));
  EXPECT_EQ(expired, (std::vector{3}));
  deadlines.sweep(at(130));
  EXPECT_EQ(expired, (std::vector{3, 1, 2}));
  deadlines.sweep(at(1000));
  EXPECT_EQ(expired.size(), 3u);
  EXPECT_FALSE(a.is_waiting());
}

TEST(Deadlines, ArmingAgainMovesAndLeavingForgets) {
  Deadlines deadlines(kDurations);
  std::vector<int> expired;
  Probe a(expired, 1), b(expired, 2);
  deadlines.arm(a, Wait::Head, at(0));
  deadlines.arm(b, Wait::Head, at(1));
  deadlines.arm(a, Wait::Head, at(2));
  deadlines.sweep(at(51));
  EXPECT_EQ(expired, (std::vector{2}));
  a.leave();
  deadlines.sweep(at(500));
  EXPECT_EQ(expired, (std::vector{2}));
}

TEST(Deadlines, MayArmItselfWhileExpiring) {
  Deadlines deadlines(kDurations);
  std::vector<int> expired;
  Probe a(expired, 1);
  a.again_on = &deadlines;
  a.again_at = at(10);
  deadlines.arm(a, Wait::Write, at(0));
  deadlines.sweep(at(10));
  EXPECT_EQ(expired.size(), 1u);
  EXPECT_TRUE(a.is_waiting());
}

TEST(Deadlines, ExpireAllIgnoresTheTime) {
  Deadlines deadlines(kDurations);
  std::vector<int> expired;
  Probe a(expired, 1), b(expired, 2);
  deadlines.arm(a, Wait::Idle, at(0));
  deadlines.arm(b, Wait::Head, at(0));
  deadlines.expire_all(Wait::Idle);
  EXPECT_EQ(expired, (std::vector{1}));
  EXPECT_TRUE(b.is_waiting());
}

TEST(Deadlines, EitherSideMayDieFirst) {
  std::vector<int> expired;
  auto waiter = std::make_unique<Probe>(expired, 1);
  {
    Deadlines deadlines(kDurations);
    deadlines.arm(*waiter, Wait::Idle, at(0));
    Probe shorter(expired, 2);
    deadlines.arm(shorter, Wait::Idle, at(0));
  }
  EXPECT_FALSE(waiter->is_waiting());
}

}  // namespace
}  // namespace tintype
