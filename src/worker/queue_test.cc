// SPDX-License-Identifier: Apache-2.0
#include "worker/queue.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

PendingJob waiting(double weight, Deadline deadline = {}) {
  PendingJob pending;
  pending.job.plan.cost.weight = weight;
  pending.job.deadline = deadline;
  return pending;
}

double weight_of(const std::optional<PendingJob>& pending) {
  return pending ? pending->job.plan.cost.weight : -1;
}

TEST(JobQueue, ServesInOrderOfArrival) {
  JobQueue queue;
  queue.push(waiting(1));
  queue.push(waiting(2));
  queue.push_front(waiting(0));
  EXPECT_EQ(queue.size(), 3u);
  EXPECT_EQ(weight_of(queue.take_next()), 0);
  EXPECT_EQ(weight_of(queue.take_next()), 1);
  EXPECT_EQ(weight_of(queue.take_next()), 2);
  EXPECT_FALSE(queue.take_next());
}

TEST(JobQueue, DropsWhatHasExpiredFromAnywhere) {
  ManualClock clock;
  JobQueue queue;
  queue.push(waiting(1));
  queue.push(waiting(2, Deadline::after(clock, Milliseconds(10))));
  queue.push(waiting(3));
  queue.push(waiting(4, Deadline::after(clock, Milliseconds(20))));
  EXPECT_TRUE(queue.take_expired(clock).empty());
  clock.advance(Milliseconds(10));
  const auto expired = queue.take_expired(clock);
  ASSERT_EQ(expired.size(), 1u);
  EXPECT_EQ(expired[0].job.plan.cost.weight, 2);
  EXPECT_EQ(weight_of(queue.take_next()), 1);
  EXPECT_EQ(weight_of(queue.take_next()), 3);
  EXPECT_EQ(queue.take_all().size(), 1u);
  EXPECT_EQ(queue.size(), 0u);
}

}  // namespace
}  // namespace tintype
