// SPDX-License-Identifier: Apache-2.0
#include "replay/simulated_cache.h"

#include <random>

#include <gtest/gtest.h>

#include "replay/simulated_store.h"

namespace tintype {
namespace {

TEST(KeyTable, FindsWhatWasAddedWhileItGrows) {
  KeyTable table;
  EXPECT_EQ(table.find(0), KeyTable::kAbsent);
  for (std::uint64_t hash = 0; hash < 10'000; ++hash) {
    EXPECT_EQ(table.find(hash << 40), KeyTable::kAbsent);
    table.add({.hash = hash << 40, .size_bytes = static_cast<std::uint32_t>(hash)});
  }
  for (std::uint32_t hash = 0; hash < 10'000; ++hash) {
    ASSERT_EQ(table.find(std::uint64_t{hash} << 40), hash);
    EXPECT_EQ(table[hash].size_bytes, hash);
  }
  EXPECT_EQ(table.find(10'000), KeyTable::kAbsent);
  table = {};
  EXPECT_EQ(table.find(0), KeyTable::kAbsent);
}

// Beside S3Fifo alone: the same requests find the same, before, at and after the first eviction.
void replay_beside_s3_fifo(std::size_t capacity_bytes, std::uint64_t seed) {
  SimulatedCache simulated(capacity_bytes);
  S3Fifo<KeptKey> plain(capacity_bytes);
  S3Fifo<KeptKey>::Leaving leaving;
  std::mt19937_64 random(seed);
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    std::uint64_t hash = std::min(random() % 3'000, random() % 3'000);
    const KeptKey* found = simulated.use(hash);
    const KeptKey* expected = plain.use({hash});
    ASSERT_EQ(found != nullptr, expected != nullptr) << i;
    if (found != nullptr) {
      ASSERT_EQ(found->fresh_until_seconds, expected->fresh_until_seconds);
      if (random() % 4 != 0) continue;
    }
    KeptKey entry{hash, static_cast<std::uint32_t>(random() % 1'000 + 1), i};
    if (random() % 2'000 == 0) entry.size_bytes = 200'000;
    simulated.keep(entry);
    plain.keep(entry, leaving);
    ASSERT_EQ(simulated.entries(), plain.entries()) << i;
    ASSERT_EQ(simulated.evicted(), plain.evicted()) << i;
  }
}

TEST(SimulatedCache, DoesAsS3FifoDoes) {
  for (std::size_t capacity_bytes : {0, 7, 10'000, 200'000, 1'000'000, 1'500'000, 100'000'000}) {
    for (std::uint64_t seed : {1, 2, 3}) replay_beside_s3_fifo(capacity_bytes, seed);
  }
}

TEST(SimulatedStore, WhatIsExpiredGoes) {
  SimulatedStore store(1'000'000, Seconds(100));
  for (std::uint32_t now = 1; now <= 10'000; ++now) {
    store.keep({.hash = now, .fresh_until_seconds = now + 100}, now);
    EXPECT_TRUE(store.has_fresh(now, now + 99));
    EXPECT_FALSE(store.has_fresh(now, now + 100));
    EXPECT_EQ(store.has_fresh(now - 99, now), now > 99);
    ASSERT_LE(store.entries(), 200u);
  }
  EXPECT_EQ(store.evicted(), 0u);
}

TEST(SimulatedStore, TimeThatGoesBackEvictsNothing) {
  SimulatedStore store(1'000'000, Seconds(100));
  for (std::uint32_t i = 100; i <= 10'000; ++i) {
    std::uint32_t now = i - (i % 7) * 9;
    store.keep({.hash = i, .fresh_until_seconds = now + 100}, now);
  }
  EXPECT_EQ(store.evicted(), 0u);
  EXPECT_LE(store.entries(), 400u);
}

TEST(SimulatedStore, BeyondItsBoundTheOldestGo) {
  SimulatedStore store(10, Seconds(1'000));
  for (std::uint32_t i = 0; i < 100; ++i) {
    store.keep({.hash = i, .fresh_until_seconds = 1'001}, 1);
    store.keep({.hash = i, .fresh_until_seconds = 1'002}, 2);  // renewed where it is
    ASSERT_LE(store.entries(), 10u);
    EXPECT_EQ(store.has_fresh(i - 4, 2), i >= 4);
  }
  EXPECT_FALSE(store.has_fresh(0, 2));
  EXPECT_EQ(store.evicted() + store.entries(), 100u);
}

}  // namespace
}  // namespace tintype
