// SPDX-License-Identifier: Apache-2.0
#include "worker/quarantine.h"

#include <string>

#include <gtest/gtest.h>

namespace tintype {
namespace {

TEST(Quarantine, RefusesAfterTheSecondCrash) {
  Quarantine quarantine;
  EXPECT_FALSE(quarantine.refuses(view_of("bad")));
  EXPECT_EQ(quarantine.blame(view_of("bad")), 1);
  EXPECT_FALSE(quarantine.refuses(view_of("bad")));
  EXPECT_EQ(quarantine.blame(view_of("bad")), 2);
  EXPECT_TRUE(quarantine.refuses(view_of("bad")));
}

TEST(Quarantine, DoesNotRefuseAnotherSourceOfTheSameLength) {
  Quarantine quarantine;
  quarantine.blame(view_of("bad"));
  quarantine.blame(view_of("bad"));
  EXPECT_FALSE(quarantine.refuses(view_of("dab")));
  EXPECT_FALSE(quarantine.refuses(view_of("longer")));
  EXPECT_FALSE(quarantine.refuses({}));
}

TEST(Quarantine, ForgetsTheLongestUnseenFirst) {
  Quarantine quarantine(/*max_sources=*/3);
  for (int crash = 0; crash < 2; ++crash) {
    for (const char* source : {"a", "b", "c"}) quarantine.blame(view_of(source));
  }
  EXPECT_TRUE(quarantine.refuses(view_of("a")));  // seen again: "b" is now the oldest
  quarantine.blame(view_of("d"));
  EXPECT_TRUE(quarantine.refuses(view_of("a")));
  EXPECT_FALSE(quarantine.refuses(view_of("b")));
  EXPECT_TRUE(quarantine.refuses(view_of("c")));
}

TEST(Quarantine, StaysBounded) {
  Quarantine quarantine(/*max_sources=*/16);
  for (int i = 0; i < 1'000; ++i) {
    const std::string source = std::to_string(i);
    quarantine.blame(view_of(source));
    quarantine.blame(view_of(source));
  }
  int refused = 0;
  for (int i = 0; i < 1'000; ++i) refused += quarantine.refuses(view_of(std::to_string(i)));
  EXPECT_EQ(refused, 16);
}

}  // namespace
}  // namespace tintype
