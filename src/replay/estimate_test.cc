// SPDX-License-Identifier: Apache-2.0
#include "replay/estimate.h"

#include <cmath>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/hash.h"

namespace tintype {
namespace {

std::uint64_t hash_of(std::uint64_t number) {
  return xxh3_64(view_of(std::to_string(number)));
}

TEST(DistinctCounter, IsWithinFourStandardErrorsFromOneToAMillion) {
  DistinctCounter counter(14);
  EXPECT_EQ(counter.estimate(), 0);
  std::uint64_t added = 0;
  for (std::uint64_t limit : {1u, 10u, 100u, 1'000u, 10'000u, 40'000u, 100'000u, 1'000'000u}) {
    while (added < limit) counter.add(hash_of(added++));
    auto exact = static_cast<double>(limit);
    EXPECT_NEAR(counter.estimate(), exact, 4 * 0.0082 * exact + 0.5) << limit;
  }
}

TEST(DistinctCounter, CountsRepeatsOnceAndClears) {
  DistinctCounter counter(10);
  for (int round = 0; round < 50; ++round) {
    for (std::uint64_t i = 0; i < 500; ++i) counter.add(hash_of(i));
  }
  EXPECT_NEAR(counter.estimate(), 500, 4 * 0.033 * 500);
  counter.clear();
  EXPECT_EQ(counter.estimate(), 0);
}

TEST(TopCounter, IsExactWhileThereIsRoom) {
  TopCounter counter(10);
  for (int i = 0; i < 5; ++i) counter.add("often", "first example");
  counter.add("once", "x");
  auto rows = counter.top(10);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].name, "often");
  EXPECT_EQ(rows[0].count, 5u);
  EXPECT_EQ(rows[0].excess, 0u);
  EXPECT_EQ(rows[0].example, "first example");
  EXPECT_EQ(counter.top(1).size(), 1u);
}

TEST(TopCounter, KeepsItsBoundsAgainstExactCounts) {
  constexpr std::size_t kRoom = 50;
  TopCounter counter(kRoom);
  std::map<std::string, std::uint64_t> exact;
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    // Roughly rank^-1 over a thousand names.
    auto name = std::to_string(static_cast<int>(std::pow(1000.0, (random() >> 11) * 0x1p-53)));
    counter.add(name, "");
    ++exact[name];
  }
  auto rows = counter.top(kRoom);
  EXPECT_EQ(rows.size(), kRoom);
  std::set<std::string> kept;
  for (const auto& row : rows) {
    kept.insert(row.name);
    EXPECT_GE(row.count, exact[row.name]) << row.name;
    EXPECT_LE(row.count - row.excess, exact[row.name]) << row.name;
    EXPECT_LE(row.excess, counter.total() / kRoom) << row.name;
  }
  for (const auto& [name, count] : exact) {
    bool must_be_kept = count > counter.total() / kRoom;
    EXPECT_TRUE(!must_be_kept || kept.contains(name)) << name;
  }
}

TEST(TopCounter, CutsTexts) {
  TopCounter counter(2);
  counter.add(std::string(10'000, 'n'), std::string(10'000, 'e'));
  EXPECT_EQ(counter.top(1)[0].name.size(), 200u);
  EXPECT_EQ(counter.top(1)[0].example.size(), 200u);
}

TEST(KeySample, HoldsTheSmallestHashesWithEverythingNotedAboutThem) {
  KeySample<int> sample(100);
  std::mt19937_64 random(3);
  std::map<std::uint64_t, int> exact;
  for (int i = 0; i < 20'000; ++i) {
    std::uint64_t hash = hash_of(random() % 2'000);
    ++exact[hash];
    if (int* note = sample.find_or_add(hash)) ++*note;
  }
  ASSERT_EQ(sample.notes().size(), 100u);
  auto smallest = exact.begin();
  for (const auto& [hash, count] : sample.notes()) {
    EXPECT_EQ(hash, smallest->first);
    EXPECT_EQ(count, smallest->second);
    ++smallest;
  }
}

}  // namespace
}  // namespace tintype
