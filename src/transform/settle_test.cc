// SPDX-License-Identifier: Apache-2.0
#include "transform/settle.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

// Options as a query's text: "w=400&ar=16:9".
Ask ask_of(std::string_view query) {
  Ask ask;
  ask.source = "a.jpg";
  if (query.empty()) return ask;
  for (std::string_view parameter : split(query, '&')) {
    std::size_t equals = parameter.find('=');
    const OptionSpec* spec = find_option(parameter.substr(0, equals));
    EXPECT_NE(spec, nullptr) << parameter;
    EXPECT_TRUE(set_option(ask.transformation, spec->id, parameter.substr(equals + 1)).has_value())
        << parameter;
  }
  return ask;
}

// The canonical options of the settled query, or the failure's detail.
std::string settled(std::string_view query) {
  auto result = settle(ask_of(query), {}, {});
  return result ? canonical_options(*result, "") : result.error().detail;
}

TEST(Settle, FoldsDprIntoTheSides) {
  EXPECT_EQ(settled("w=400&dpr=2"), "w-800.jpeg");
  EXPECT_EQ(settled("w=400&h=300&dpr=1.5"), "h-450_w-600.jpeg");
  EXPECT_EQ(settled("w=3&dpr=1.5"), "w-5.jpeg") << "4.5 rounds half up";
  EXPECT_EQ(settled("w=1&dpr=0.1"), "w-1.jpeg") << "at least one pixel";
  EXPECT_EQ(settled("dpr=3"), "full.jpeg");
  EXPECT_EQ(settled("w=16383&dpr=1"), "w-16383.jpeg");
}

TEST(Settle, RefusesSidesThatGrowTooLarge) {
  EXPECT_EQ(settled("w=16383&dpr=1.01"),
            "dpr=1.01 makes w=16383 into 16547: must be at most 16383");
  EXPECT_EQ(settled("h=2048&dpr=8"), "dpr=8 makes h=2048 into 16384: must be at most 16383");
  EXPECT_EQ(settled("w=100&ar=1:1000"), "ar=1-1000 makes h 100000: must be at most 16383");
  EXPECT_EQ(settled("h=16383&ar=10000"), "ar=10000-1 makes w 163830000: must be at most 16383");
  auto result = settle(ask_of("h=2048&dpr=8"), {}, {});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::BadRequest);
  EXPECT_EQ(result.error().option, "dpr");
}

TEST(Settle, AspectGivesTheMissingSideAndCuts) {
  EXPECT_EQ(settled("w=800&ar=16:9"), "fit-cover_h-450_w-800.jpeg");
  EXPECT_EQ(settled("h=450&ar=16:9"), "fit-cover_h-450_w-800.jpeg");
  EXPECT_EQ(settled("w=400&dpr=2&ar=16:9"), "fit-cover_h-450_w-800.jpeg");
  EXPECT_EQ(settled("w=1&ar=3:2"), "fit-cover_h-1_w-1.jpeg") << "0.67 rounds to 1";
  EXPECT_EQ(settled("w=1&ar=10:1"), "fit-cover_h-1_w-1.jpeg") << "at least one pixel";
  EXPECT_EQ(settled("w=3&ar=2:1"), "fit-cover_h-2_w-3.jpeg") << "1.5 rounds half up";
  EXPECT_EQ(settled("w=800&ar=16:9&fit=inside"), "h-450_w-800.jpeg");
  EXPECT_EQ(settled("w=800&ar=16:9&fit=pad"), "fit-pad_h-450_w-800.jpeg");
}

TEST(Settle, AspectBesideBothSidesHasNoEffect) {
  EXPECT_EQ(settled("w=800&h=100&ar=16:9"), "h-100_w-800.jpeg");
  EXPECT_EQ(settled("w=800&h=100&ar=16:9&fit=cover"), "fit-cover_h-100_w-800.jpeg");
}

TEST(Settle, AspectAloneStaysWhereItChangesTheShape) {
  EXPECT_EQ(settled("ar=16:9"), "ar-16-9_fit-cover.jpeg");
  EXPECT_EQ(settled("ar=16:9&g=n&dpr=2&up=1"), "ar-16-9_fit-cover_g-n.jpeg");
  EXPECT_EQ(settled("ar=16:9&fit=pad&g=s"), "ar-16-9_fit-pad_g-s.jpeg");
  EXPECT_EQ(settled("ar=16:9&fit=stretch"), "ar-16-9_fit-stretch.jpeg");
  EXPECT_EQ(settled("ar=16:9&fit=inside&g=n"), "full.jpeg");
  EXPECT_EQ(settled("ar=16:9&fit=outside"), "full.jpeg");
}

TEST(Settle, FitNeedsABox) {
  for (std::string fit : {"inside", "pad", "cover", "stretch", "outside"}) {
    EXPECT_EQ(settled("fit=" + fit), "full.jpeg");
    EXPECT_EQ(settled("w=400&g=n&fit=" + fit), "w-400.jpeg");
    EXPECT_EQ(settled("h=400&g=smart&fit=" + fit), "h-400.jpeg");
  }
  EXPECT_EQ(settled("w=400&h=300&fit=inside"), "h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=outside&g=n"), "fit-outside_h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=stretch&g=n"), "fit-stretch_h-300_w-400.jpeg");
}

TEST(Settle, GravityMattersForCoverAndPad) {
  EXPECT_EQ(settled("w=400&h=300&g=n"), "h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=cover&g=c"), "fit-cover_h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=cover&g=smart"), "fit-cover_g-smart_h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=pad&g=nw"), "fit-pad_g-nw_h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=pad&g=smart"), "fit-pad_h-300_w-400.jpeg");
  EXPECT_EQ(settled("w=400&h=300&fit=pad&g=0.1,0.2"), "fit-pad_h-300_w-400.jpeg");
}

TEST(Settle, FocalPointsOnTheCompassAreCompassPoints) {
  const std::pair<std::string, std::string> cases[] = {
      {"0,0", "_g-nw"}, {"0.5,0", "_g-n"},
      {"1,0", "_g-ne"}, {"0,0.5", "_g-w"},
      {"0.5,0.5", ""},  {"1,0.5", "_g-e"},
      {"0,1", "_g-sw"}, {"0.5,1", "_g-s"},
      {"1,1", "_g-se"}, {"0.5,0.4999", "_g-fp-0.5-0.4999"}};
  for (const auto& [point, gravity] : cases) {
    EXPECT_EQ(settled("w=4&h=3&fit=cover&g=" + point), "fit-cover" + gravity + "_h-3_w-4.jpeg");
  }
}

TEST(Settle, UpscaleNeedsASide) {
  EXPECT_EQ(settled("up=1"), "full.jpeg");
  EXPECT_EQ(settled("up=1&h=3"), "h-3_up-1.jpeg");
  EXPECT_EQ(settled("up=0&h=3"), "h-3.jpeg");
}

TEST(Settle, TurnsAndFlipsHaveOneSpellingOfEight) {
  EXPECT_EQ(settled("flip=v"), "flip-h_rot-180.jpeg");
  EXPECT_EQ(settled("flip=hv"), "rot-180.jpeg");
  EXPECT_EQ(settled("rot=180&flip=hv"), "full.jpeg");
  EXPECT_EQ(settled("rot=180&flip=v"), "flip-h.jpeg");
  EXPECT_EQ(settled("rot=270&flip=v"), "flip-h_rot-90.jpeg");
  EXPECT_EQ(settled("rot=-90"), "rot-270.jpeg");
  EXPECT_EQ(settled("rot=360"), "full.jpeg");
}

// What turning by `rotate_deg` clockwise and then flipping does to a 2x2 picture, as its four
// corners.
std::array<char, 4> turned(std::int16_t rotate_deg, Flip flip) {
  std::array<char, 4> p = {'a', 'b', 'c', 'd'};  // top-left, top-right, bottom-left, bottom-right
  for (int i = 0; i < rotate_deg; i += 90) p = {p[2], p[0], p[3], p[1]};
  if (flip == Flip::Horizontal || flip == Flip::Both) p = {p[1], p[0], p[3], p[2]};
  if (flip == Flip::Vertical || flip == Flip::Both) p = {p[2], p[3], p[0], p[1]};
  return p;
}

TEST(Settle, ReducedTurnsDoTheSameToAPicture) {
  for (std::int16_t rotate_deg : {0, 90, 180, 270}) {
    for (Flip flip : {Flip::None, Flip::Horizontal, Flip::Vertical, Flip::Both}) {
      Ask ask;
      ask.transformation.rotate_deg = rotate_deg;
      ask.transformation.flip = flip;
      auto result = settle(ask, {}, {});
      ASSERT_TRUE(result);
      EXPECT_EQ(turned(result->rotate_deg, result->flip), turned(rotate_deg, flip));
      EXPECT_TRUE(result->flip == Flip::None || result->flip == Flip::Horizontal);
    }
  }
}

TEST(Settle, PercentCropsAreClippedAndAWholeOneIsNone) {
  EXPECT_EQ(settled("crop=50p,50p,80p,80p"), "crop-50p-50p-50p-50p.jpeg");
  EXPECT_EQ(settled("crop=0p,0p,100p,100p"), "full.jpeg");
  EXPECT_EQ(settled("crop=0,0,100,100"), "crop-0-0-100-100.jpeg");
}

TEST(Settle, DefaultQualityIsLeftOut) {
  EXPECT_EQ(settled("f=jpeg&q=80"), "full.jpeg");
  EXPECT_EQ(settled("f=webp&q=80"), "full.webp");
  EXPECT_EQ(settled("f=avif&q=60"), "full.avif");
  EXPECT_EQ(settled("f=avif&q=80"), "q-80.avif");
  EXPECT_EQ(settled("f=png&q=10"), "full.png");
}

TEST(Settle, BackgroundThatChangesNothingIsLeftOut) {
  EXPECT_EQ(settled("f=jpeg&bg=white"), "full.jpeg");
  EXPECT_EQ(settled("f=jpeg&bg=transparent"), "full.jpeg");
  EXPECT_EQ(settled("f=jpeg&bg=ff000080"), "bg-ff7f7f.jpeg");
  EXPECT_EQ(settled("f=jpeg&bg=00000000"), "full.jpeg");
  EXPECT_EQ(settled("f=webp&bg=white"), "bg-ffffff.webp");
  EXPECT_EQ(settled("f=webp&bg=ff000080"), "bg-ff000080.webp");
  EXPECT_EQ(settled("f=png&bg=12345600&w=4&h=4&fit=pad"), "fit-pad_h-4_w-4.png");
}

TEST(Settle, DecidesTheFormat) {
  Format order[] = {Format::Avif, Format::Webp};
  auto result = settle(ask_of("q=60"), {.accept = "image/avif"}, order);
  ASSERT_TRUE(result);
  EXPECT_FALSE(result->format_auto);
  EXPECT_EQ(result->format, Format::Avif);
  EXPECT_EQ(result->quality_pct, std::nullopt) << "the default of the format that was chosen";
  auto named = settle(ask_of("f=png"), {.accept = "image/avif"}, order);
  ASSERT_TRUE(named);
  EXPECT_EQ(named->format, Format::Png);
}

}  // namespace
}  // namespace tintype
