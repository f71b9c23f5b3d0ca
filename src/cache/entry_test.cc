// SPDX-License-Identifier: Apache-2.0
#include "cache/entry.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

EntryMeta variant() {
  EntryMeta meta;
  meta.etag = "\"tag\"";
  meta.stored_unix_seconds = 1'700'000'000;
  meta.fresh_until_unix_seconds = 1'700'000'000 + 2'592'000;
  meta.max_age_seconds = 86'400;
  return meta;
}

TEST(CacheControl, CachesThatArePurgedKeepVariantsLongerThanBrowsers) {
  EXPECT_EQ(cache_control_of(variant()), "public, max-age=86400, s-maxage=2592000");
  EntryMeta as_long = variant();
  as_long.max_age_seconds = 2'592'000;
  EXPECT_EQ(cache_control_of(as_long), "public, max-age=2592000");
}

TEST(CacheControl, WhatIsStaleOrPrivateLivesShort) {
  EntryMeta stale = variant();
  stale.is_stale = true;
  stale.max_age_seconds = 10;
  EXPECT_EQ(cache_control_of(stale), "public, max-age=10");
  EntryMeta own = variant();
  own.is_private = true;
  EXPECT_EQ(cache_control_of(own), "private, max-age=86400");
}

TEST(CacheControl, FailuresSayTheirOwnLifeOrNone) {
  EntryMeta failure;
  failure.status = 404;
  failure.max_age_seconds = 60;
  EXPECT_EQ(cache_control_of(failure), "public, max-age=60");
  failure.max_age_seconds = 0;
  EXPECT_EQ(cache_control_of(failure), "no-store");
}

}  // namespace
}  // namespace tintype
