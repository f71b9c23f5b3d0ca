// SPDX-License-Identifier: Apache-2.0
#include "transform/fixed_decimal.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

namespace tintype {
namespace {

std::string printed(std::int64_t value, int decimals) {
  std::string out;
  append_fixed(out, value, decimals);
  return out;
}

TEST(FixedDecimal, ReadsDigitsAndOnePoint) {
  EXPECT_EQ(parse_fixed("2", 2), 200);
  EXPECT_EQ(parse_fixed("2.", 2), 200);
  EXPECT_EQ(parse_fixed(".5", 2), 50);
  EXPECT_EQ(parse_fixed("0002.50", 2), 250);
  EXPECT_EQ(parse_fixed("0", 0), 0);
  EXPECT_EQ(parse_fixed("999999999.9999", 4), 9'999'999'999'999);
}

TEST(FixedDecimal, RoundsHalfUpByTheFirstDigitLeftOut) {
  EXPECT_EQ(parse_fixed("1.004999999", 2), 100);
  EXPECT_EQ(parse_fixed("1.005", 2), 101);
  EXPECT_EQ(parse_fixed("0.999", 2), 100);
  EXPECT_EQ(parse_fixed("2.5", 0), 3);
  EXPECT_EQ(parse_fixed("2.49", 0), 2);
  EXPECT_EQ(parse_fixed("2.625000000000000000000000000001", 2), 263);
}

TEST(FixedDecimal, RefusesEverythingElse) {
  for (std::string_view text :
       {"", ".", "-1", "+1", " 1", "1 ", "1e3", "0x10", "1,5", "1.2.3", "nan", "inf", "1000000000",
        "99999999999999999999999999", "\xD9\xA3", "\xEF\xBC\x91"}) {
    EXPECT_EQ(parse_fixed(text, 2), std::nullopt) << text;
  }
}

TEST(FixedDecimal, PrintsTheShortestText) {
  EXPECT_EQ(printed(200, 2), "2");
  EXPECT_EQ(printed(250, 2), "2.5");
  EXPECT_EQ(printed(205, 2), "2.05");
  EXPECT_EQ(printed(50, 2), "0.5");
  EXPECT_EQ(printed(1, 4), "0.0001");
  EXPECT_EQ(printed(0, 4), "0");
  EXPECT_EQ(printed(16383, 0), "16383");
}

RC_GTEST_PROP(FixedDecimal, ReadsWhatItPrints, ()) {
  int decimals = *rc::gen::inRange(0, 5);
  auto value = *rc::gen::inRange<std::int64_t>(0, 10'000'000);
  RC_ASSERT(parse_fixed(printed(value, decimals), decimals) == value);
}

}  // namespace
}  // namespace tintype
