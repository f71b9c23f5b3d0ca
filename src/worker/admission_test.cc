// SPDX-License-Identifier: Apache-2.0
#include "worker/admission.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

WorkerSettings limits() {
  return {.max_queued_weight = 10, .max_queued_bytes = 1'000};
}

TEST(Admission, RefusesAboveTheWeight) {
  Admission admission(limits());
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(admission.admit({.weight = 2.5, .peak_bytes = 1}));
  EXPECT_FALSE(admission.admit({.weight = 0.5, .peak_bytes = 1}));
  EXPECT_EQ(admission.load().jobs, 4);
  EXPECT_DOUBLE_EQ(admission.load().weight, 10);
}

TEST(Admission, RefusesAboveTheBytes) {
  Admission admission(limits());
  EXPECT_TRUE(admission.admit({.weight = 1, .peak_bytes = 900}));
  EXPECT_FALSE(admission.admit({.weight = 1, .peak_bytes = 101}));
  EXPECT_TRUE(admission.admit({.weight = 1, .peak_bytes = 100}));
  EXPECT_EQ(admission.load().bytes, 1'000);
}

TEST(Admission, ACostlyJobIsAdmittedAlone) {
  Admission admission(limits());
  const Cost huge{.weight = 500, .peak_bytes = 1'000'000};
  EXPECT_TRUE(admission.admit(huge));
  EXPECT_FALSE(admission.admit({.weight = 0.1, .peak_bytes = 1}));
  admission.leave(huge);
  EXPECT_TRUE(admission.admit({.weight = 0.1, .peak_bytes = 1}));
}

TEST(Admission, OneJobFillsAQuarterOfTheQueueAtMost) {
  Admission admission(limits());
  const Cost absurd{.weight = 500, .peak_bytes = 1};
  EXPECT_TRUE(admission.admit(absurd));
  EXPECT_TRUE(admission.admit({.weight = 2.5, .peak_bytes = 1}));
  EXPECT_TRUE(admission.admit(absurd));
  EXPECT_TRUE(admission.admit(absurd));
  EXPECT_FALSE(admission.admit(absurd));
  admission.leave(absurd);
  EXPECT_DOUBLE_EQ(admission.load().weight, 7.5);
}

TEST(Admission, LeavingMakesRoomExactly) {
  Admission admission(limits());
  for (int round = 0; round < 1'000; ++round) {
    ASSERT_TRUE(admission.admit({.weight = 0.1, .peak_bytes = 7}));
    ASSERT_TRUE(admission.admit({.weight = 0.2, .peak_bytes = 7}));
    admission.leave({.weight = 0.1, .peak_bytes = 7});
    admission.leave({.weight = 0.2, .peak_bytes = 7});
  }
  EXPECT_EQ(admission.load().jobs, 0);
  EXPECT_EQ(admission.load().weight, 0);
  EXPECT_EQ(admission.load().bytes, 0);
}

TEST(Admission, SaysWhenTheNextAverageJobWouldBeRefused) {
  Admission admission(limits());
  for (int i = 0; i < 200; ++i) {
    ASSERT_TRUE(admission.admit({.weight = 2, .peak_bytes = 1}));
    admission.leave({.weight = 2, .peak_bytes = 1});
  }
  EXPECT_FALSE(admission.load().is_saturated);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(admission.admit({.weight = 2.5, .peak_bytes = 1}));
  EXPECT_TRUE(admission.load().is_saturated);
}

TEST(Admission, AdmitsNothingOnceClosed) {
  Admission admission(limits());
  admission.close();
  EXPECT_FALSE(admission.admit({.weight = 0.1, .peak_bytes = 1}));
  EXPECT_TRUE(admission.load().is_saturated);
}

}  // namespace
}  // namespace tintype
