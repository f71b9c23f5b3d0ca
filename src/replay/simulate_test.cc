// SPDX-License-Identifier: Apache-2.0
#include "replay/simulate.h"

#include <limits>

#include <gtest/gtest.h>

#include "replay/quantity.h"

namespace tintype {
namespace {

constexpr std::int64_t kStart = 1'790'000'000;

LayerSizes two_edges() {
  LayerSizes sizes;
  sizes.edges = 2;
  sizes.edge_bytes = 1'000'000;
  sizes.shield_bytes = 1'000'000;
  sizes.ttl = Seconds(100);
  sizes.store_ttl = Seconds(1'000);
  return sizes;
}

TEST(CacheLayers, AMissGoesThroughEveryLayerOnce) {
  CacheLayers layers(two_edges());
  layers.ask({.key = 1, .size_bytes = 1'000, .edge = 0, .unix_seconds = kStart});      // rendered
  layers.ask({.key = 1, .size_bytes = 1'000, .edge = 0, .unix_seconds = kStart + 1});  // edge
  layers.ask({.key = 1, .size_bytes = 1'000, .edge = 1, .unix_seconds = kStart + 2});  // shield
  layers.ask({.key = 1, .size_bytes = 1'000, .edge = 3, .unix_seconds = kStart + 3});  // edge 1
  LayerCounts counts = layers.counts();
  EXPECT_EQ(counts.requests, 4u);
  EXPECT_EQ(counts.edge_hits, 2u);
  EXPECT_EQ(counts.shield_hits, 1u);
  EXPECT_EQ(counts.store_hits, 0u);
  EXPECT_EQ(counts.renders, 1u);
  EXPECT_EQ(counts.stored_bytes, 1'000u);
  EXPECT_DOUBLE_EQ(counts.edge_ratio(), 0.5);
  EXPECT_DOUBLE_EQ(counts.shared_ratio(), 0.75);
  EXPECT_DOUBLE_EQ(counts.renders_per_1000(), 250);
}

TEST(CacheLayers, TtlEndsFreshnessAndAgeIsHandedOn) {
  CacheLayers layers(two_edges());
  layers.ask({.key = 1, .size_bytes = 10, .edge = 0, .unix_seconds = kStart});
  layers.ask({.key = 1, .size_bytes = 10, .edge = 1, .unix_seconds = kStart + 90});   // shield
  layers.ask({.key = 1, .size_bytes = 10, .edge = 1, .unix_seconds = kStart + 99});   // edge
  layers.ask({.key = 1, .size_bytes = 10, .edge = 1, .unix_seconds = kStart + 100});  // store
  layers.ask({.key = 1, .size_bytes = 10, .edge = 1, .unix_seconds = kStart + 1'000});
  LayerCounts counts = layers.counts();
  EXPECT_EQ(counts.edge_hits, 1u);
  EXPECT_EQ(counts.shield_hits, 1u);
  EXPECT_EQ(counts.store_hits, 1u);
  EXPECT_EQ(counts.renders, 2u);
}

TEST(CacheLayers, SmallCachesEvictAndTheStoreDoesNot) {
  LayerSizes sizes = two_edges();
  sizes.edge_bytes = sizes.shield_bytes = 10'000;
  CacheLayers layers(sizes);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t key = 0; key < 100; ++key) {
      layers.ask({.key = key * 0x9e3779b97f4a7c15, .size_bytes = 1'000, .unix_seconds = kStart});
    }
  }
  LayerCounts counts = layers.counts();
  EXPECT_EQ(counts.renders, 100u);
  EXPECT_GT(counts.evicted, 150u);
  EXPECT_GE(counts.store_hits, 80u);
}

TEST(CacheLayers, WithoutRoomNothingIsKept) {
  LayerSizes sizes = two_edges();
  sizes.edge_bytes = sizes.shield_bytes = 0;
  CacheLayers layers(sizes);
  for (int i = 0; i < 5; ++i) layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = kStart});
  EXPECT_EQ(layers.counts().edge_hits, 0u);
  EXPECT_EQ(layers.counts().store_hits, 4u);
}

TEST(CacheLayers, TimeThatGoesBackIsTheFirstSecond) {
  CacheLayers layers(two_edges());
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = kStart});
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = 0});
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = -5});
  EXPECT_EQ(layers.counts().edge_hits, 2u);
}

TEST(CacheLayers, TimesBeyondAllReasonAreHeldWithin) {
  CacheLayers layers(two_edges());
  constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = kLeast});
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = kStart});
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = kMost});
  layers.ask({.key = 1, .size_bytes = 10, .unix_seconds = kMost});
  EXPECT_EQ(layers.counts().edge_hits, 2u);
  EXPECT_EQ(layers.counts().renders, 2u);
}

TEST(CacheLayers, AStoreThatIsBoundedSaysWhatItLetGo) {
  LayerSizes sizes = two_edges();
  sizes.edge_bytes = sizes.shield_bytes = 0;
  sizes.store_entries = 10;
  CacheLayers layers(sizes);
  for (int round = 0; round < 2; ++round) {
    for (std::uint64_t key = 0; key < 100; ++key) {
      layers.ask({.key = key, .size_bytes = 1'000, .unix_seconds = kStart});
    }
  }
  EXPECT_EQ(layers.counts().renders, 200u);
  EXPECT_EQ(layers.counts().store_evicted, 190u);
  EXPECT_EQ(layers.counts().evicted, 0u);
}

TEST(Quantity, Sizes) {
  EXPECT_EQ(parse_size_bytes("0", "--x"), 0);
  EXPECT_EQ(parse_size_bytes("50GB", "--x"), 50'000'000'000);
  EXPECT_EQ(parse_size_bytes("1.5 kb", "--x"), 1'500);
  EXPECT_EQ(parse_size_bytes("2MiB", "--x"), 2'097'152);
  for (const char* wrong : {"", "GB", "-1", "1e9", "5 parsecs", "nan", "1001TB", "1.2.3"}) {
    EXPECT_FALSE(parse_size_bytes(wrong, "--x")) << wrong;
  }
  EXPECT_NE(parse_size_bytes("lots", "--edge-cache").error().detail.find("--edge-cache lots"),
            std::string::npos);
}

TEST(Quantity, Durations) {
  EXPECT_EQ(parse_duration("30d", "--ttl"), Seconds(30 * 86'400));
  EXPECT_EQ(parse_duration("90", "--ttl"), Seconds(90));
  EXPECT_EQ(parse_duration("12H", "--ttl"), Seconds(43'200));
  for (const char* wrong : {"", "0", "d", "4000d", "-3d", "1w"}) {
    EXPECT_FALSE(parse_duration(wrong, "--ttl")) << wrong;
  }
}

TEST(Quantity, Grouped) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1'000), "1,000");
  EXPECT_EQ(grouped(12'345'678), "12,345,678");
}

}  // namespace
}  // namespace tintype
