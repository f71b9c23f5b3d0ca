// SPDX-License-Identifier: Apache-2.0
#include "cli/warm_estimate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/standard_variants.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::Not;

class WarmEstimateTest : public testing::Test {
 protected:
  WarmEstimateTest() {
    auto policy = parse_policy(
        "sites: { shop: { origin: { folder: x }, formats: [webp], "
        "presets: { card: 'w=400&h=300&fit=cover' } } }",
        "/etc");
    EXPECT_TRUE(policy) << policy.error().detail;
    policy_ = std::move(*policy);
  }
  WarmPlan plan() {
    const SitePolicy& site = policy_.sites.at("shop");
    return {.site = site,
            .sources = {"a.jpg", "b.png"},
            .presets = {"card"},
            .accepts = accepts_of(site),
            .servers = {"http://one", "http://two"}};
  }
  Policy policy_;
};

TEST_F(WarmEstimateTest, CountsAndCosts) {
  WarmPlan order = plan();
  WarmEstimate estimate = estimate_warm(order, {});
  EXPECT_EQ(estimate.variants, 4u);
  EXPECT_EQ(estimate.requests, 4u);
  EXPECT_EQ(estimate.by_format.at("webp"), 2u);
  EXPECT_EQ(estimate.by_format.at("jpeg"), 2u);
  // 400 x 300 pixels, twice in each format.
  EXPECT_NEAR(estimate.size_bytes, 2 * 120'000 * (0.14 + 0.2), 1);
  EXPECT_GT(estimate.cpu_seconds, 0.04);
  EXPECT_LT(estimate.cpu_seconds, 1.0);
  // Larger sources take longer; what comes out is the same.
  WarmEstimate larger = estimate_warm(order, {.source = {8'000, 6'000}});
  EXPECT_GT(larger.cpu_seconds, estimate.cpu_seconds);
  EXPECT_EQ(larger.size_bytes, estimate.size_bytes);
  order.each_server = true;
  EXPECT_EQ(estimate_warm(order, {}).requests, 8u);
}

TEST_F(WarmEstimateTest, PricesOnlyWhereTheyAreKnown) {
  WarmPlan order = plan();
  WarmEstimate estimate = estimate_warm(order, {});
  std::string plain = describe(estimate, order, {});
  EXPECT_THAT(plain, HasSubstr("2 sources x 1 presets: 4 variants (2 jpeg, 2 webp)"));
  EXPECT_THAT(plain, Not(HasSubstr("$")));
  estimate.cpu_seconds = 7'200;
  EXPECT_THAT(describe(estimate, order, {.cpu_hour = 0.04}), HasSubstr("$0.08"));
}

TEST_F(WarmEstimateTest, SourcesWithoutVariantsAreCounted) {
  WarmPlan order = plan();
  order.presets = {"zoom"};
  WarmEstimate estimate = estimate_warm(order, {});
  EXPECT_EQ(estimate.impossible, 2u);
  EXPECT_THAT(describe(estimate, order, {}), HasSubstr("2 sources have none"));
}

}  // namespace
}  // namespace tintype
