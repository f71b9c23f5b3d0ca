// SPDX-License-Identifier: Apache-2.0
#include "transform/native_url.h"

#include <gtest/gtest.h>

#include "transform/option_table.h"

namespace tintype {
namespace {

Ask ask_of(std::initializer_list<std::pair<OptionId, std::string_view>> options) {
  Ask ask;
  ask.site = "shop";
  ask.source = "a.jpg";
  for (auto [id, value] : options) {
    EXPECT_TRUE(set_option(ask.transformation, id, value));
    ask.named |= bit_of(id);
  }
  return ask;
}

TEST(NativeUrl, LeavesDefaultsOutUnlessASiteWouldFillThem) {
  Ask ask = ask_of({{OptionId::Width, "8"},
                    {OptionId::Gravity, "c"},
                    {OptionId::Fit, "inside"},
                    {OptionId::Upscale, "0"},
                    {OptionId::Format, "auto"}});
  EXPECT_EQ(native_url(ask), "/shop/a.jpg?w=8");
  EXPECT_EQ(native_url(ask, bit_of(OptionId::Gravity)), "/shop/a.jpg?g=c&w=8");
  EXPECT_EQ(native_url(ask, ~0u), "/shop/a.jpg?f=auto&fit=inside&g=c&up=0&w=8");
}

TEST(NativeUrl, NamesTheQualityOfADecidedFormatOnly) {
  Ask ask = ask_of({{OptionId::Format, "avif"}});
  ask.named |= bit_of(OptionId::Quality) | bit_of(OptionId::Blur);
  EXPECT_EQ(native_url(ask, ~0u), "/shop/a.jpg?f=avif&q=60");
  ask.transformation = {};
  EXPECT_EQ(native_url(ask, ~0u), "/shop/a.jpg?f=auto");
}

// What print_default says, set_option takes, and it is the default.
TEST(NativeUrl, DefaultsAreDefaults) {
  int printed = 0;
  Transformation t;
  for (const OptionSpec& spec : option_table()) {
    auto text = print_default(t, spec.id);
    if (!text) continue;
    ++printed;
    Transformation set;
    ASSERT_TRUE(set_option(set, spec.id, *text)) << spec.name;
    if (spec.id != OptionId::Background) {
      EXPECT_EQ(print_option(set, spec.id), std::nullopt) << spec.name;
    }
  }
  EXPECT_EQ(printed, 9);
}

}  // namespace
}  // namespace tintype
