// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

TEST(Text, IntegersAreStrict) {
  EXPECT_EQ(parse_int("800"), 800);
  EXPECT_EQ(parse_int("-3"), -3);
  for (auto bad : {"", " 8", "8 ", "+8", "0x8", "8.0", "1e3", "\xD9\xA3", "99999999999999999999"}) {
    EXPECT_FALSE(parse_int(bad)) << bad;
  }
}

TEST(Text, DecimalsAreStrict) {
  EXPECT_EQ(parse_decimal("0.5"), 0.5);
  EXPECT_EQ(parse_decimal(".5"), 0.5);
  EXPECT_EQ(parse_decimal("-2"), -2);
  for (auto bad : {"", ".", "-", "1e3", "nan", "inf", "1.2.3", "0x1p3", "1,5"}) {
    EXPECT_FALSE(parse_decimal(bad)) << bad;
  }
  EXPECT_EQ(format_decimal(0.500, 3), "0.5");
  EXPECT_EQ(format_decimal(12, 2), "12");
  EXPECT_EQ(format_decimal(-0.0001, 2), "0");
}

TEST(Text, PercentRoundTrip) {
  EXPECT_EQ(percent_decode("a%2Fb%20c"), "a/b c");
  EXPECT_FALSE(percent_decode("%"));
  EXPECT_FALSE(percent_decode("%4"));
  EXPECT_FALSE(percent_decode("%zz"));
  EXPECT_EQ(percent_encode("a/b c~", "/"), "a/b%20c~");
  EXPECT_EQ(percent_encode("\xC3\xA4"), "%C3%A4");
}

TEST(Text, Utf8RefusesOverlongAndSurrogates) {
  EXPECT_TRUE(is_utf8("gr\xC3\xBC\xC3\x9F \xF0\x9F\x93\xB7"));
  EXPECT_FALSE(is_utf8("\xC0\xAF"));
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xE2\x82"));
}

TEST(Text, JsonStrings) {
  EXPECT_EQ(json_string("a\"b\\\n"), "\"a\\\"b\\\\\\u000a\"");
  EXPECT_EQ(json_string("\xFFx"), "\"\xEF\xBF\xBDx\"");
}

TEST(Text, HttpDates) {
  EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
  EXPECT_FALSE(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"));
  EXPECT_EQ(iso_date(784111777), "1994-11-06T08:49:37Z");
}

TEST(Text, SplitKeepsEmptyParts) {
  EXPECT_EQ(split("a,,b", ',').size(), 3u);
  EXPECT_EQ(split("", ',').size(), 1u);
  EXPECT_EQ(trim(" \ta b\t"), "a b");
  EXPECT_EQ(human_bytes(12'345'678), "12.3 MB");
}

}  // namespace
}  // namespace tintype
