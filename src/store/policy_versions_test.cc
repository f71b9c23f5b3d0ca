// SPDX-License-Identifier: Apache-2.0
#include "store/policy_versions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/dynamodb_testing.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SiteItems items_of(const std::string& rules) {
  return {{"origin", "origin", R"({"folder": "/srv"})"}, {"site", "rules", rules}};
}

class PolicyVersionsTest : public testing::Test {
 protected:
  std::optional<std::int64_t> push(const std::string& rules, std::int64_t base) {
    PolicyVersions::Push order{.site = "shop", .items = items_of(rules), .base = base, .by = "ann"};
    auto version = run(versions_.push(std::move(order), bench_.soon()));
    EXPECT_TRUE(version) << version.error().message;
    return *version;
  }
  SiteVersion in_force() { return *run(versions_.in_force("shop", bench_.soon())); }
  Result<bool> move(std::int64_t base, std::int64_t to) {
    PolicyVersions::Move order{.site = "shop", .base = base, .to = to};
    return run(versions_.move(std::move(order), bench_.soon()));
  }
  std::vector<std::int64_t> history() {
    std::vector<std::int64_t> numbers;
    auto versions = run(versions_.history("shop", bench_.soon()));
    EXPECT_TRUE(versions) << versions.error().message;
    for (const SiteVersion& version : *versions) numbers.push_back(version.version);
    return numbers;
  }

  DynamoBench bench_;
  PushedClock& clock_ = bench_.clock;
  PolicyVersions versions_{bench_.client, clock_};
};

TEST_F(PolicyVersionsTest, APushIsInForceAndComesBackAsItWas) {
  EXPECT_EQ(in_force().version, 0);
  EXPECT_EQ(push("{}", 0), 1);
  SiteVersion now = in_force();
  EXPECT_EQ(now, (SiteVersion{.version = 1,
                              .revision = revision_of(items_of("{}")),
                              .items = 2,
                              .updated_unix_seconds = 1'700'000'000,
                              .by = "ann"}));
  EXPECT_EQ(*run(versions_.load("shop", 1, 2, bench_.soon())), items_of("{}"));
  auto index = run(versions_.index(bench_.soon()));
  ASSERT_EQ(index->size(), 1u);
  EXPECT_EQ(index->at("shop"), now);
  EXPECT_EQ(run(versions_.history("shop", bench_.soon()))->at(0), now);
}

TEST_F(PolicyVersionsTest, OfTwoPushersOneWinsAndTheOtherLeavesNothing) {
  EXPECT_EQ(push("{}", 0), 1);
  EXPECT_EQ(push(R"({"snap_widths": true})", 1), 2);
  EXPECT_EQ(push(R"({"snap_widths": false})", 1), std::nullopt) << "has seen version 1";
  EXPECT_EQ(in_force().version, 2);
  EXPECT_THAT(history(), ElementsAre(2, 1));
  EXPECT_EQ(bench_.fake.keys("shop").size(), 4u) << "the loser's pieces are gone";
  EXPECT_EQ(push("{}", 2), 4) << "a number is never used twice";
}

TEST_F(PolicyVersionsTest, ARollBackIsOneWrite) {
  push("{}", 0);
  push(R"({"snap_widths": true})", 1);
  EXPECT_FALSE(*move(1, 1)) << "somebody else was faster";
  EXPECT_TRUE(*move(2, 1));
  EXPECT_EQ(in_force().version, 1);
  EXPECT_EQ(in_force().revision, revision_of(items_of("{}")));
  EXPECT_EQ(push("{}", 1), 3) << "above what was rolled back";
  auto absent = move(3, 9);
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().code, ErrorCode::NotFound);
  EXPECT_THAT(absent.error().detail, HasSubstr("site shop, version 9: is not kept"));
}

TEST_F(PolicyVersionsTest, ASiteIsTakenOutAndComesBack) {
  push("{}", 0);
  EXPECT_TRUE(*move(1, 0));
  EXPECT_TRUE(run(versions_.index(bench_.soon()))->empty());
  EXPECT_THAT(history(), ElementsAre(1));
  EXPECT_TRUE(*move(0, 1));
  EXPECT_EQ(in_force().version, 1);
}

TEST_F(PolicyVersionsTest, TheNewestTwentyAndTheOneInForceAreKept) {
  for (int i = 0; i < 23; ++i) push("{}", i);
  EXPECT_EQ(history().size(), 20u);
  EXPECT_EQ(history().front(), 23);
  EXPECT_TRUE(*move(23, 4));
  // A push that fails to win prunes nothing; one that wins keeps what was in force before it only
  // as long as it is among the newest.
  EXPECT_EQ(push("{}", 4), 24);
  EXPECT_EQ(history().back(), 5);
}

TEST_F(PolicyVersionsTest, AVersionWithAPieceMissingIsNotLoaded) {
  push("{}", 0);
  auto torn = run(versions_.load("shop", 1, 3, bench_.soon()));
  ASSERT_FALSE(torn);
  EXPECT_EQ(torn.error().code, ErrorCode::NotFound);
  EXPECT_THAT(torn.error().detail, HasSubstr("2 of its 3 items"));
  bench_.fake.put("shop", "00000001#what", {});
  EXPECT_FALSE(run(versions_.load("shop", 1, 3, bench_.soon())));
}

TEST_F(PolicyVersionsTest, AnUnfinishedPushIsNotInTheHistory) {
  push("{}", 0);
  bench_.fake.put("shop", "00000002#preset#card", {{"doc", {{"S", "{}"}}}});
  EXPECT_THAT(history(), ElementsAre(1));
  EXPECT_FALSE(move(1, 2));
}

}  // namespace
}  // namespace tintype
