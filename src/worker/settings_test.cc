// SPDX-License-Identifier: Apache-2.0
#include "worker/settings.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

TEST(WorkerSettings, DefaultsAreValid) {
  EXPECT_TRUE(WorkerSettings{}.validate());
}

void expect_refused(const WorkerSettings& settings, std::string_view option) {
  const Result<> result = settings.validate();
  ASSERT_FALSE(result) << option;
  EXPECT_EQ(result.error().option, option);
  EXPECT_NE(result.error().detail.find(option), std::string::npos);
}

TEST(WorkerSettings, RefusesWhatCannotWorkAndNamesIt) {
  expect_refused({.count = -1}, "count");
  expect_refused({.max_source_bytes = 0}, "max_source_bytes");
  expect_refused({.max_variant_bytes = -5}, "max_variant_bytes");
  expect_refused({.memory_bytes = 200'000'000}, "memory_bytes");
  expect_refused({.render_timeout_ms = Milliseconds(0)}, "render_timeout_ms");
  expect_refused({.recycle_after_jobs = 0}, "recycle_after_jobs");
  expect_refused({.recycle_above_rss_bytes = 0}, "recycle_above_rss_bytes");
  expect_refused({.max_queued_weight = 0}, "max_queued_weight");
  expect_refused({.max_queued_bytes = 0}, "max_queued_bytes");
}

TEST(WorkerSettings, MemoryMustHoldTheArenaAndTheEngine) {
  WorkerSettings settings;
  settings.memory_bytes = settings.max_source_bytes + settings.max_variant_bytes + 256'000'000;
  EXPECT_TRUE(settings.validate());
  settings.memory_bytes -= 1;
  expect_refused(settings, "memory_bytes");
}

}  // namespace
}  // namespace tintype
