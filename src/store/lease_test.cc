// SPDX-License-Identifier: Apache-2.0
#include "store/lease.h"

#include <gtest/gtest.h>

#include "store/dynamodb_testing.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

// The same promises of both kinds.
class LeaseTest : public testing::TestWithParam<bool> {
 protected:
  std::unique_ptr<Lease> task(const std::string& owner) {
    if (GetParam()) return std::make_unique<DynamoLease>(bench_.client, clock_, owner);
    return std::make_unique<MemoryLease>(leases_, clock_, owner);
  }
  Lease::Holder acquire(Lease& lease, const std::string& key = "/shop/a.jpg/_/w-400.webp") {
    auto holder = run(lease.acquire(key, bench_.soon()));
    EXPECT_TRUE(holder) << holder.error().message;
    return *holder;
  }
  void release(Lease& lease) {
    auto released = [](Lease& one, Deadline deadline) -> Task<bool> {
      co_await one.release("/shop/a.jpg/_/w-400.webp", deadline);
      co_return true;
    };
    EXPECT_TRUE(run(released(lease, bench_.soon())));
  }

  DynamoBench bench_;
  PushedClock& clock_ = bench_.clock;
  std::shared_ptr<MemoryLeases> leases_ = std::make_shared<MemoryLeases>();
};
INSTANTIATE_TEST_SUITE_P(Both, LeaseTest, testing::Bool(), [](const auto& each) {
  return each.param ? std::string("Dynamo") : std::string("Memory");
});

TEST_P(LeaseTest, OneTaskHoldsIt) {
  auto a = task("a"), b = task("b");
  EXPECT_EQ(acquire(*a), Lease::Holder::Mine);
  EXPECT_EQ(acquire(*a), Lease::Holder::Mine) << "an attempt that is sent again finds its own";
  EXPECT_EQ(acquire(*b), Lease::Holder::Others);
  EXPECT_EQ(acquire(*b, "/shop/b.jpg/_/w-400.webp"), Lease::Holder::Mine);
}

TEST_P(LeaseTest, ALeaseThatWasReleasedOrEndedIsFree) {
  auto a = task("a"), b = task("b");
  acquire(*a);
  release(*b);
  EXPECT_EQ(acquire(*b), Lease::Holder::Others) << "only the owner releases";
  release(*a);
  EXPECT_EQ(acquire(*b), Lease::Holder::Mine);
  clock_.advance(Milliseconds(5'000));
  EXPECT_EQ(acquire(*a), Lease::Holder::Others);
  clock_.advance(Milliseconds(1'000));
  EXPECT_EQ(acquire(*a), Lease::Holder::Mine);
}

TEST(DynamoLease, FailsAsTheTableDoes) {
  DynamoBench bench;
  DynamoLease lease(bench.client, bench.clock, "a");
  bench.fake.set_fault([](FakeDynamo::Connection& connection, const std::string&) {
    connection.send(FakeDynamo::refusal("AccessDeniedException"));
    return true;
  });
  auto holder = run(lease.acquire("x", bench.soon()));
  ASSERT_FALSE(holder);
  EXPECT_EQ(holder.error().code, ErrorCode::Forbidden);
}

}  // namespace
}  // namespace tintype
