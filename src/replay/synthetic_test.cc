// SPDX-License-Identifier: Apache-2.0
#include "replay/synthetic.h"

#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include "replay/spelling.h"

namespace tintype {
namespace {

// Observed against expected, by Pearson's statistic over the first ranks and the rest.
void expect_zipf(std::uint64_t count, double alpha) {
  constexpr int kDraws = 200'000;
  constexpr std::size_t kRanks = 20;
  std::mt19937_64 random(4711);
  auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Zipf zipf(count, alpha);
  std::vector<double> seen(kRanks + 1), expected(kRanks + 1);
  for (int i = 0; i < kDraws; ++i) {
    std::uint64_t rank = zipf.draw(uniform);
    ASSERT_GE(rank, 1u);
    ASSERT_LE(rank, count);
    ++seen[std::min<std::uint64_t>(rank - 1, kRanks)];
  }
  for (std::uint64_t rank = 1; rank <= count; ++rank) {
    expected[std::min<std::uint64_t>(rank - 1, kRanks)] +=
        std::pow(static_cast<double>(rank), -alpha);
  }
  double sum = std::accumulate(expected.begin(), expected.end(), 0.0);
  double statistic = 0;
  for (std::size_t i = 0; i <= kRanks; ++i) {
    double want = expected[i] / sum * kDraws;
    if (want > 0) statistic += (seen[i] - want) * (seen[i] - want) / want;
  }
  // 20 degrees of freedom: above 60 in one of 100,000 runs; the seed is fixed besides.
  EXPECT_LT(statistic, 60) << count << " " << alpha;
}

TEST(Zipf, FollowsItsLaw) {
  expect_zipf(1'000, 0.9);
  expect_zipf(100'000, 0.8);
  expect_zipf(100'000, 1.0);
  expect_zipf(1'000, 1.4);
  expect_zipf(21, 0.9);
}

TEST(Zipf, OfOneIsOne) {
  Zipf zipf(1, 0.9);
  std::mt19937_64 random(1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(zipf.draw([&] { return static_cast<double>(random() >> 11) * 0x1p-53; }), 1u);
  }
}

SharedPolicy plain_policy() {
  Policy policy;
  SitePolicy site;
  site.name = "shop";
  policy.sites.emplace("shop", site);
  policy.mounts.push_back({.path = "/", .dialect = Dialect::Native, .site = "shop"});
  return std::make_shared<const Policy>(std::move(policy));
}

TEST(Synthetic, AllSpellingsOfAVariantAreOnePath) {
  SharedPolicy policy = plain_policy();
  for (int size = 0; size < 38; ++size) {
    std::set<std::string> paths, targets;
    for (int spelling = 0; spelling < kSyntheticSpellings; ++spelling) {
      std::string target;
      spell({.product = 4711, .picture = 1, .size = size}, spelling, target);
      targets.insert(target);
      auto named = name_target({.target = target + "&_=1", .accept = "image/avif"}, policy);
      ASSERT_TRUE(named) << target << ": " << named.error().detail;
      paths.insert(named->path);
    }
    EXPECT_EQ(targets.size(), static_cast<std::size_t>(kSyntheticSpellings));
    EXPECT_EQ(paths.size(), 1u) << *targets.begin();
  }
}

TEST(Synthetic, TheSameSeedGivesTheSameRequests) {
  SyntheticTraffic a({.requests = 2'000, .seed = 5}), b({.requests = 2'000, .seed = 5}),
      c({.requests = 2'000, .seed = 6});
  SyntheticRequest x, y, z;
  int different = 0;
  while (a.next(x)) {
    ASSERT_TRUE(b.next(y));
    ASSERT_TRUE(c.next(z));
    EXPECT_EQ(x.target, y.target);
    EXPECT_EQ(x.region, y.region);
    EXPECT_EQ(x.size_bytes, y.size_bytes);
    different += x.target != z.target ? 1 : 0;
  }
  EXPECT_FALSE(b.next(y));
  EXPECT_GT(different, 1'000);
}

struct Tally {
  std::map<std::string, int> products;
  std::map<std::uint32_t, int> regions;
  int first_pictures = 0, avif = 0, noisy = 0, common = 0;
  std::int64_t last_unix_seconds = 0;
  double bytes = 0;
};

Tally tally_of(const SyntheticShape& shape) {
  Tally tally;
  SyntheticTraffic traffic(shape);
  SyntheticRequest request;
  while (traffic.next(request)) {
    ++tally.products[request.target.substr(3, 10)];
    ++tally.regions[request.region];
    tally.first_pictures += request.target.substr(13, 6) == "/0.jpg" ? 1 : 0;
    tally.avif += request.accept.find("avif") != std::string_view::npos ? 1 : 0;
    tally.noisy += request.target.find("&_=") != std::string::npos ? 1 : 0;
    tally.common += request.size_bytes > 0 ? 1 : 0;
    EXPECT_GE(request.unix_seconds, tally.last_unix_seconds);
    tally.last_unix_seconds = request.unix_seconds;
    tally.bytes += request.size_bytes;
  }
  return tally;
}

TEST(Synthetic, HasTheSharesOfTheModel) {
  constexpr int kRequests = 100'000;
  SyntheticShape shape{.requests = kRequests, .seed = 9, .products = 500};
  Tally tally = tally_of(shape);
  // Six standard deviations of a binomial share are below 0.0095 here.
  EXPECT_NEAR(tally.first_pictures / 1e5, 0.6, 0.01);
  EXPECT_NEAR(tally.avif / 1e5, 0.6, 0.01);
  EXPECT_NEAR(tally.noisy / 1e5, 0.04, 0.005);
  EXPECT_EQ(tally.regions.size(), 13u);
  // rank^-0.8 over 13 regions gives the first 0.2497 of it.
  double sum = 0;
  for (int rank = 1; rank <= 13; ++rank) sum += std::pow(rank, -0.8);
  EXPECT_NEAR(tally.regions[0] / 1e5, 1 / sum, 0.01);
  // 2 % of 500 products a day for 30 days make 300 new ones.
  EXPECT_GT(tally.products.size(), 700u);
  EXPECT_LE(tally.products.size(), 801u);
  EXPECT_NEAR(static_cast<double>(tally.last_unix_seconds - shape.unix_start_seconds),
              30.0 * 86'400, 60);
}

TEST(Synthetic, WithoutChurnNoProductIsNew) {
  Tally tally = tally_of({.requests = 20'000, .products = 50, .churn_per_day = 0});
  EXPECT_LE(tally.products.size(), 50u);
  EXPECT_GT(tally.products.size(), 45u);
}

TEST(Synthetic, SizesAreThoseOfTheVariantAndBounded) {
  std::vector<std::uint32_t> sizes;
  for (std::uint64_t product = 0; product < 5'000; ++product) {
    SyntheticVariant variant{.product = product, .picture = 0, .size = 3, .format = 0};
    std::uint32_t size_bytes = synthetic_size_bytes(variant);
    EXPECT_EQ(size_bytes, synthetic_size_bytes(variant));
    EXPECT_GE(size_bytes, 400u);
    EXPECT_LE(size_bytes, 2'000'000u);
    sizes.push_back(size_bytes);
  }
  std::sort(sizes.begin(), sizes.end());
  // Log-normal of sigma 1: the median of 5,000 is within 9 % (six standard errors of the mean of
  // the logarithms), and one sigma above it is e times as much.
  EXPECT_NEAR(sizes[2'500], 25'000, 2'600);
  EXPECT_NEAR(sizes[4'207] / static_cast<double>(sizes[2'500]), 2.718, 0.35);
}

}  // namespace
}  // namespace tintype
