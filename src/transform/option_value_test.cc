// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "transform/option_table.h"

namespace tintype {
namespace {

struct Case {
  OptionId id;
  std::string_view value;
  std::string_view expected;  // as printed; empty: refused
};

void expect(std::initializer_list<Case> cases) {
  for (const Case& c : cases) {
    Transformation t;
    auto result = set_option(t, c.id, c.value);
    SCOPED_TRACE(c.value);
    if (c.expected.empty()) {
      EXPECT_FALSE(result.has_value());
      EXPECT_EQ(t, Transformation{});
    } else {
      EXPECT_TRUE(result.has_value());
      EXPECT_EQ(print_option(t, c.id), c.expected);
    }
  }
}

TEST(OptionValue, Sides) {
  constexpr OptionId id = OptionId::Width;
  expect({{id, "1", "1"},
          {id, "0800", "800"},
          {id, "16383", "16383"},
          {id, "0", ""},
          {id, "16384", ""},
          {id, "-1", ""},
          {id, "+1", ""},
          {id, "1e3", ""},
          {id, "1e308", ""},
          {id, "NaN", ""},
          {id, "\xD9\xA3\xD9\xA0", ""},
          {id, "800.", ""},
          {id, "800.0", ""},
          {id, "4294967297", ""},
          {id, "99999999999999999999999", ""},
          {id, " 8", ""},
          {id, "", ""},
          {id, "50%", ""},
          {id, "auto", "auto"},
          {id, "0x10", ""}});
}

TEST(OptionValue, AspectRatios) {
  constexpr OptionId id = OptionId::AspectRatio;
  expect({{id, "16:9", "16-9"},
          {id, "16-9", "16-9"},
          {id, "32:18", "16-9"},
          {id, "1.5", "3-2"},
          {id, "1.91:1", "191-100"},
          {id, "1", "1-1"},
          {id, "0.5625", "9-16"},
          {id, "2.3333", "2333-1000"},
          {id, "1.77777777", "889-500"},
          {id, "9.99996", "10-1"},
          {id, "10000", "10000-1"},
          {id, "10000:1", "10000-1"},
          {id, "0.0001", "1-10000"},
          {id, "20000:2", "10000-1"},
          {id, "10001:1", ""},
          {id, "10001", ""},
          {id, "0:1", ""},
          {id, "1:0", ""},
          {id, "0", ""},
          {id, "16:9:1", ""},
          {id, "-16:9", ""},
          {id, "16/9", ""},
          {id, ":", ""},
          {id, "", ""}});
}

TEST(OptionValue, Colors) {
  constexpr OptionId id = OptionId::Background;
  expect({{id, "fff", "ffffff"},
          {id, "#F4a", "ff44aa"},
          {id, "f00c", "ff0000cc"},
          {id, "A1B2C3", "a1b2c3"},
          {id, "a1b2c3ff", "a1b2c3"},
          {id, "#a1b2c300", "a1b2c300"},
          {id, "Red", "ff0000"},
          {id, "transparent", "00000000"},
          {id, "ff", ""},
          {id, "fffff", ""},
          {id, "ggg", ""},
          {id, "##fff", ""},
          {id, "#red", ""},
          {id, "rebeccapurple", ""},
          {id, "#", ""},
          {id, "0xfff", ""},
          {id, "fffffffff", ""}});
}

TEST(OptionValue, Crops) {
  constexpr OptionId id = OptionId::Crop;
  expect({{id, "0,0,300,200", "0-0-300-200"},
          {id, "0-0-300-200", "0-0-300-200"},
          {id, "10%,10%,80%,80%", "10p-10p-80p-80p"},
          {id, "10p-10P-80p-80%", "10p-10p-80p-80p"},
          {id, "33.333p,0p,33.335p,100p", "33.33p-0p-33.34p-100p"},
          {id, "65535,65535,1,1", "65535-65535-1-1"},
          {id, "0,0,0,1", ""},
          {id, "0,0,1,0", ""},
          {id, "0,0,65536,1", ""},
          {id, "1.5,0,1,1", ""},
          {id, "100p,0p,1p,1p", ""},
          {id, "99.996p,0p,1p,1p", ""},
          {id, "0p,0p,0p,1p", ""},
          {id, "0p,0p,101p,1p", ""},
          {id, "10p,10,80p,80p", ""},
          {id, "0,0,1p,1p", ""},
          {id, "1,2,3", ""},
          {id, "1,2,3,4,5", ""},
          {id, "1,2,3,4,", ""},
          {id, "1,2-3,4", ""},
          {id, "-1,0,5,5", ""},
          {id, "p,p,p,p", ""},
          {id, ",,,", ""},
          {id, "", ""}});
}

TEST(OptionValue, Gravities) {
  constexpr OptionId id = OptionId::Gravity;
  expect({{id, "n", "n"},
          {id, "Bottom-Left", "sw"},
          {id, "SMART", "smart"},
          {id, "fp-0.5-0.3", "fp-0.5-0.3"},
          {id, "FP:.25:1", "fp-0.25-1"},
          {id, "0.5,0.3", "fp-0.5-0.3"},
          {id, "0,0", "fp-0-0"},
          {id, "fp-0.33333333-0.66666666", "fp-0.3333-0.6667"},
          {id, "fp-1.1-0", ""},
          {id, "fp-0.5", ""},
          {id, "fp-", ""},
          {id, "fp", ""},
          {id, "fp-0.5:0.3", ""},
          {id, "0.5", ""},
          {id, "0.5,0.3,0.1", ""},
          {id, "fp--0.5-0.3", ""},
          {id, "face", ""},
          {id, "north_west", ""},
          {id, "", ""}});
}

TEST(OptionValue, Decimals) {
  expect({{OptionId::Dpr, "2", "2"},
          {OptionId::Dpr, "2.625", "2.63"},
          {OptionId::Dpr, "8.004", "8"},
          {OptionId::Dpr, "8.005", ""},
          {OptionId::Dpr, "0.09", ""},
          {OptionId::Dpr, "1000", ""},
          {OptionId::Dpr, "2x", ""},
          {OptionId::Blur, "0.3", "0.3"},
          {OptionId::Blur, "0.29", ""},
          {OptionId::Blur, "100", "100"},
          {OptionId::Sharpen, "10", "10"},
          {OptionId::Sharpen, "0", ""}});
}

TEST(OptionValue, Words) {
  expect({{OptionId::Fit, "COVER", "cover"},
          {OptionId::Fit, "fill", ""},
          {OptionId::Fit, "contain", ""},
          {OptionId::Flip, "HV", "hv"},
          {OptionId::Flip, "vh", ""},
          {OptionId::Flip, "x", ""},
          {OptionId::Rotate, "-90", "270"},
          {OptionId::Rotate, "45", ""},
          {OptionId::Rotate, "450", ""},
          {OptionId::Format, "jpg", "jpeg"},
          {OptionId::Format, "WebP", "webp"},
          {OptionId::Format, "gif", ""},
          {OptionId::Format, "svg", ""},
          {OptionId::Upscale, "", "1"},
          {OptionId::Upscale, "TRUE", "1"},
          {OptionId::Upscale, "yes", ""},
          {OptionId::Trim, "", "10"},
          {OptionId::Trim, "0", ""},
          {OptionId::Quality, "101", ""},
          {OptionId::Quality, "auto", "auto"},
          {OptionId::Metadata, "copyright", "copyright"},
          {OptionId::Metadata, "keep", ""}});
}

TEST(OptionValue, DefaultsPrintNothing) {
  Transformation t;
  for (const OptionSpec& spec : option_table()) EXPECT_EQ(print_option(t, spec.id), std::nullopt);
  ASSERT_TRUE(set_option(t, OptionId::Fit, "inside"));
  ASSERT_TRUE(set_option(t, OptionId::Gravity, "center"));
  ASSERT_TRUE(set_option(t, OptionId::Dpr, "1"));
  ASSERT_TRUE(set_option(t, OptionId::Rotate, "360"));
  ASSERT_TRUE(set_option(t, OptionId::Upscale, "0"));
  ASSERT_TRUE(set_option(t, OptionId::Metadata, "none"));
  for (const OptionSpec& spec : option_table()) EXPECT_EQ(print_option(t, spec.id), std::nullopt);
}

TEST(OptionValue, InsideIsSaidWhereTheDefaultIsCover) {
  Transformation t;
  ASSERT_TRUE(set_option(t, OptionId::AspectRatio, "1:1"));
  ASSERT_TRUE(set_option(t, OptionId::Fit, "inside"));
  EXPECT_EQ(print_option(t, OptionId::Fit), "inside");
}

TEST(OptionValue, AutoForgetsTheFormatSaidBefore) {
  Transformation t;
  ASSERT_TRUE(set_option(t, OptionId::Format, "webp"));
  ASSERT_TRUE(set_option(t, OptionId::Format, "auto"));
  EXPECT_EQ(t, Transformation{});
}

TEST(OptionValueDeathTest, PresetAndVersionAreNoFields) {
  Transformation t;
  EXPECT_DEATH((void)set_option(t, OptionId::Preset, "a"), "not a field");
}

}  // namespace
}  // namespace tintype
