// SPDX-License-Identifier: Apache-2.0
// What parse_target makes of a target. Everything that ends in a canonical path or a failure is
// pinned by spec/vectors/native.txt (vectors_test.cc).
#include <gtest/gtest.h>

#include "dialect/dialect.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

TEST(Native, SplitsSiteSourceAndOptions) {
  auto ask = parse_target("/shop/p/4711/front.jpg?w=800&Fit=cover&p=Thumb&v=7");
  ASSERT_TRUE(ask) << ask.error().detail;
  EXPECT_EQ(ask->site, "shop");
  EXPECT_EQ(ask->source, "p/4711/front.jpg");
  EXPECT_EQ(ask->transformation.width_px, 800);
  EXPECT_EQ(ask->transformation.fit, Fit::Cover);
  EXPECT_TRUE(ask->transformation.format_auto);
  EXPECT_EQ(ask->preset, "Thumb");
  EXPECT_EQ(ask->version, "7");
  EXPECT_FALSE(ask->is_canonical);
  EXPECT_EQ(ask->named, bit_of(OptionId::Width) | bit_of(OptionId::Fit) | bit_of(OptionId::Preset) |
                            bit_of(OptionId::Version));
}

TEST(Native, NamesAnOptionEvenAtItsDefault) {
  auto ask = parse_target("/shop/a.jpg?fit=inside&up=0&f=auto");
  ASSERT_TRUE(ask);
  EXPECT_EQ(ask->named,
            bit_of(OptionId::Fit) | bit_of(OptionId::Upscale) | bit_of(OptionId::Format));
}

TEST(Native, CollectsUnknownParametersAndNeverReadsTheirValues) {
  auto ask = parse_target("/shop/a.jpg?utm_source=50%off&w=8&=x&%66oo+bar=%zz");
  ASSERT_TRUE(ask) << ask.error().detail;
  EXPECT_EQ(ask->unknown, (std::vector<std::string>{"utm_source", "", "foo bar"}));
  EXPECT_EQ(ask->transformation.width_px, 8);
}

TEST(Native, DecodesThePathOnce) {
  auto ask = parse_target("/sh%6Fp/a%20b/%252e%252e/%C3%BC+x.jpg");
  ASSERT_TRUE(ask) << ask.error().detail;
  EXPECT_EQ(ask->site, "shop");
  EXPECT_EQ(ask->source, "a b/%2e%2e/\xC3\xBC+x.jpg");
}

TEST(Native, ReadsACanonicalPathAndIgnoresItsQuery) {
  auto ask = parse_target("/shop/a/%5F/b.jpg/_/h-600_v-3_w-800.webp?w=9x&utm=%zz");
  ASSERT_TRUE(ask) << ask.error().detail;
  EXPECT_TRUE(ask->is_canonical);
  EXPECT_EQ(ask->site, "shop");
  EXPECT_EQ(ask->source, "a/_/b.jpg");
  EXPECT_EQ(ask->version, "3");
  EXPECT_EQ(ask->transformation.width_px, 800);
  EXPECT_FALSE(ask->transformation.format_auto);
  EXPECT_EQ(ask->transformation.format, Format::Webp);
  EXPECT_TRUE(ask->unknown.empty());
  EXPECT_EQ(ask->named, bit_of(OptionId::Width) | bit_of(OptionId::Height) |
                            bit_of(OptionId::Version) | bit_of(OptionId::Format));
}

TEST(Native, TheLastMarkerBeginsTheOptions) {
  auto ask = parse_target("/shop/_a/b_/_/c.jpg/_/full.jpeg");
  ASSERT_TRUE(ask) << ask.error().detail;
  EXPECT_EQ(ask->source, "_a/b_/_/c.jpg");
}

TEST(Native, FailuresCanBeShown) {
  auto twice = parse_target("/shop/a.jpg?w=100&width=200");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().detail, "w is given twice with different values");
  EXPECT_EQ(twice.error().option, "w");
  auto escape = parse_target("/shop/a.jpg?q=8%0");
  ASSERT_FALSE(escape);
  EXPECT_EQ(escape.error().detail, "q=8%0: malformed percent escape");
  auto control = parse_target("/shop/a.jpg?w=%00%0d%0aSet-Cookie");
  ASSERT_FALSE(control);
  EXPECT_EQ(control.error().detail, "w=???Set-Cookie: must be 1 to 16383 (pixels), or auto");
  auto site = parse_target(std::string("/sh\r\nop/a.jpg"));
  ASSERT_FALSE(site);
  EXPECT_EQ(site.error().detail,
            "site sh??op: must be 1 to 64 of A-Z a-z 0-9 - . _ ~, not _ alone");
}

TEST(Native, RawControlCharactersAndBrokenUtf8AreRefused) {
  for (std::string_view path :
       {"/shop/a\tb.jpg", "/shop/a\x7F.jpg", "/shop/a\xC2\x85.jpg", "/shop/a\xFF.jpg",
        "/shop/a\xC0\xAF.jpg", "/shop/\xED\xA0\x80.jpg", "/shop/a\xC3", "/shop/a\\b.jpg"}) {
    auto ask = parse_target(path);
    ASSERT_FALSE(ask) << path;
    EXPECT_EQ(ask.error().code, ErrorCode::BadRequest) << path;
  }
  EXPECT_FALSE(parse_target(std::string_view("/shop/a\0b", 9)));
}

TEST(Native, OnlyOriginFormIsUnderstood) {
  for (std::string_view target : {"", "*", "shop/a.jpg", "http://host/shop/a.jpg", "?w=1"}) {
    auto ask = parse_target(target);
    ASSERT_FALSE(ask) << target;
    EXPECT_EQ(ask.error().code, ErrorCode::BadRequest);
  }
}

}  // namespace
}  // namespace tintype
