// SPDX-License-Identifier: Apache-2.0
#include "transform/client_hints.h"

#include <gtest/gtest.h>

#include "transform/canonical_path.h"
#include "transform/option_table.h"
#include "transform/settle.h"

namespace tintype {
namespace {

TEST(ClientHints, AScreensRatioFallsIntoOneOfFourClasses) {
  auto of = [](std::string_view text) { return dpr_class_e2({.dpr = text}); };
  EXPECT_EQ(of("1"), 100);
  EXPECT_EQ(of("0.75"), 100);
  EXPECT_EQ(of("1.25"), 150);
  EXPECT_EQ(of("2.0"), 200);
  EXPECT_EQ(of("2.625"), 300);
  EXPECT_EQ(of("9"), 300);
  for (std::string_view none : {"", "0", "-2", "2x", "nan", "1e3"}) EXPECT_FALSE(of(none)) << none;
}

TEST(ClientHints, WidthIsTheLayoutsElseTheViewports) {
  auto of = [](const Hints& hints) { return width_class_px(hints, kWidthLadder); };
  EXPECT_EQ(of({.width = "401"}), 480);
  EXPECT_EQ(of({.width = "480"}), 480);
  EXPECT_EQ(of({.width = "99999"}), 3840);
  EXPECT_EQ(of({.width = "300", .viewport_width = "1000"}), 320);
  EXPECT_EQ(of({.viewport_width = "360"}), 480);
  EXPECT_EQ(of({.dpr = "3", .viewport_width = "360"}), 1200);
  EXPECT_EQ(of({.viewport_width = "999999999"}), 3840);
  EXPECT_FALSE(of({.dpr = "2"}));
  EXPECT_FALSE(of({.width = "-5"}));
  EXPECT_FALSE(width_class_px({.width = "5"}, {}));
}

TEST(ClientHints, ASlowNetworkIsOneThatSaysSo) {
  EXPECT_FALSE(is_network_slow({}));
  EXPECT_TRUE(is_network_slow({.save_data = "On"}));
  EXPECT_FALSE(is_network_slow({.save_data = "off"}));
  EXPECT_TRUE(is_network_slow({.ect = "3g"}));
  EXPECT_FALSE(is_network_slow({.ect = "4g"}));
  EXPECT_TRUE(is_network_slow({.downlink = "0.99"}));
  EXPECT_FALSE(is_network_slow({.downlink = "1"}));
  EXPECT_TRUE(is_network_slow({.rtt = "400"}));
  EXPECT_FALSE(is_network_slow({.rtt = "399"}));
  EXPECT_FALSE(is_network_slow({.ect = "x", .downlink = "fast", .rtt = "-"}));
}

std::string settled(std::string_view width, std::string_view dpr, const Hints& hints) {
  Ask ask;
  ask.source = "a.jpg";
  if (!width.empty()) {
    EXPECT_TRUE(set_option(ask.transformation, OptionId::Width, width));
  }
  if (!dpr.empty()) {
    EXPECT_TRUE(set_option(ask.transformation, OptionId::Dpr, dpr));
  }
  auto result = settle(ask, hints, {});
  return result ? canonical_options(*result, "") : result.error().detail;
}

TEST(ClientHints, AutoIsSettledFromThem) {
  EXPECT_EQ(settled("auto", "", {.width = "500"}), "w-640.jpeg");
  EXPECT_EQ(settled("auto", "2", {.width = "500"}), "w-640.jpeg") << "the ratio is in it already";
  EXPECT_EQ(settled("auto", "", {}), "full.jpeg");
  Ask both;
  both.source = "a.jpg";
  both.transformation.width_auto = true;
  both.transformation.height_px = 300;
  both.transformation.dpr_e2 = 200;
  EXPECT_EQ(canonical_options(settle(both, {.width = "400"}, {}).value(), ""), "h-600_w-480.jpeg");
  EXPECT_EQ(settled("400", "auto", {.dpr = "2"}), "w-800.jpeg");
  EXPECT_EQ(settled("400", "AUTO", {}), "w-400.jpeg");
}

TEST(ClientHints, AutoQualityHasTwoClasses) {
  auto of = [](std::string_view format, const Hints& hints) {
    Ask ask;
    EXPECT_TRUE(set_option(ask.transformation, OptionId::Format, format));
    EXPECT_TRUE(set_option(ask.transformation, OptionId::Quality, "auto"));
    return canonical_options(settle(ask, hints, {}).value(), "");
  };
  EXPECT_EQ(of("webp", {}), "full.webp");
  EXPECT_EQ(of("webp", {.save_data = "on"}), "q-60.webp");
  EXPECT_EQ(of("avif", {.ect = "2g"}), "q-40.avif");
  EXPECT_EQ(of("png", {.ect = "2g"}), "full.png");
}

TEST(ClientHints, WhatIsReadIsSaid) {
  static constexpr Format kOrder[] = {Format::Webp};
  Ask ask;
  EXPECT_EQ(hints_read(ask, kOrder), kAcceptBit);
  EXPECT_EQ(hints_read(ask, {}), 0);
  ask.transformation.width_auto = ask.transformation.quality_auto = true;
  EXPECT_EQ(hints_read(ask, kOrder), kAcceptBit | kDprBit | kWidthBit | kNetworkBit);
  ask.is_canonical = true;
  EXPECT_EQ(hints_read(ask, kOrder), 0);
}

TEST(ClientHints, TextsPreferTheNewNames) {
  HintTexts texts;
  EXPECT_TRUE(texts.take("DPR", "1"));
  EXPECT_TRUE(texts.take("Sec-CH-DPR", "2"));
  EXPECT_TRUE(texts.take("dpr", "3"));
  EXPECT_TRUE(texts.take("Accept", "image/avif"));
  EXPECT_TRUE(texts.take("accept", "*/*"));
  EXPECT_FALSE(texts.take("Cookie", "x"));
  EXPECT_EQ(texts.hints().dpr, "2");
  EXPECT_EQ(texts.hints().accept, "image/avif, */*");
}

}  // namespace
}  // namespace tintype
