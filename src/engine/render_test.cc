// SPDX-License-Identifier: Apache-2.0
#include "engine/render.h"

#include <gtest/gtest.h>

#include "engine/pictures_testing.h"

namespace tintype {
namespace {

using namespace testing;

constexpr Format kTargets[] = {Format::Jpeg, Format::Png, Format::Webp, Format::Avif};

TEST(Render, EveryFormatToEveryFormat) {
  for (Format from :
       {Format::Jpeg, Format::Png, Format::Webp, Format::Avif, Format::Gif, Format::Tiff}) {
    const Bytes source = stored_as(from, quadrants());
    for (Format target : kTargets) {
      SCOPED_TRACE(std::string(name_of(from)) + " to " + std::string(name_of(target)));
      Transformation t = to(target, 32, 24, Fit::Stretch);
      t.quality_pct = 95;
      const Pixels out = rendered(t, source);
      EXPECT_EQ(out.size, (Size{32, 24}));
      EXPECT_TRUE(is_near(out, {6, 5}, {255, 0, 0}, 12));
      EXPECT_TRUE(is_near(out, {26, 5}, {0, 255, 0}, 12));
      EXPECT_TRUE(is_near(out, {6, 19}, {0, 0, 255}, 12));
      EXPECT_TRUE(is_near(out, {26, 19}, {255, 255, 0}, 12));
    }
  }
}

TEST(Render, WritesTheFormatAsked) {
  const Bytes source = stored_as(Format::Png, quadrants());
  for (Format target : kTargets) {
    const auto variant = try_render(to(target), source);
    ASSERT_TRUE(variant) << variant.error().message;
    EXPECT_EQ(sniff_format(variant->bytes).value(), target);
    EXPECT_FALSE(variant->has_alpha);
  }
}

TEST(Render, StandsUprightInAllEightOrientations) {
  const Pixels upright = quadrants();
  for (int value = 1; value <= 8; ++value) {
    SCOPED_TRACE(value);
    const Pixels stored = stored_for(upright, static_cast<Orientation>(value));
    const Bytes source = stored_as(Format::Jpeg, stored, [&](VipsImage* image) {
      vips_image_set_int(image, VIPS_META_ORIENTATION, value);
    });
    ASSERT_EQ(static_cast<int>(sniff(source)->orientation), value);
    const Pixels out = rendered(to(Format::Png, 32, 24, Fit::Inside), source);
    EXPECT_EQ(out.size, (Size{32, 24}));
    EXPECT_TRUE(is_near(out, {6, 5}, {255, 0, 0}, 8));
    EXPECT_TRUE(is_near(out, {26, 5}, {0, 255, 0}, 8));
    EXPECT_TRUE(is_near(out, {6, 19}, {0, 0, 255}, 8));
    EXPECT_TRUE(is_near(out, {26, 19}, {255, 255, 0}, 8));
    // A crop speaks of the upright picture.
    Transformation t = to(Format::Png);
    t.crop = CropBox{.x = 40, .y = 2, .width = 20, .height = 10};
    const Pixels cropped = rendered(t, source);
    EXPECT_EQ(cropped.size, (Size{20, 10}));
    EXPECT_TRUE(is_near(cropped, {10, 5}, {0, 255, 0}, 8));
  }
}

TEST(Render, TurnsClockwiseAndFlips) {
  const Bytes source = stored_as(Format::Png, quadrants());
  struct Case {
    std::int16_t rotate_deg;
    Flip flip;
    std::initializer_list<int> top_left;
  };
  const Case cases[] = {
      {0, Flip::None, {255, 0, 0}},       {90, Flip::None, {0, 0, 255}},
      {180, Flip::None, {255, 255, 0}},   {270, Flip::None, {0, 255, 0}},
      {0, Flip::Horizontal, {0, 255, 0}}, {0, Flip::Vertical, {0, 0, 255}},
      {0, Flip::Both, {255, 255, 0}},     {90, Flip::Horizontal, {255, 0, 0}},
      {270, Flip::Vertical, {255, 0, 0}},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::to_string(c.rotate_deg) + " flip " + std::to_string(int(c.flip)));
    Transformation t = to(Format::Png);
    t.rotate_deg = c.rotate_deg;
    t.flip = c.flip;
    const Pixels out = rendered(t, source);
    EXPECT_EQ(out.size, c.rotate_deg % 180 == 0 ? (Size{64, 48}) : (Size{48, 64}));
    EXPECT_TRUE(is_near(out, {2, 2}, c.top_left, 0));
  }
}

TEST(Render, GravityDecidesWhatCoverKeeps) {
  const Bytes source = stored_as(Format::Png, quadrants({100, 20}));
  Transformation t = to(Format::Png, 20, 20, Fit::Cover);
  t.gravity = Gravity{.kind = Gravity::Kind::West};
  EXPECT_TRUE(is_near(rendered(t, source), {19, 2}, {255, 0, 0}, 0));
  t.gravity = Gravity{.kind = Gravity::Kind::East};
  EXPECT_TRUE(is_near(rendered(t, source), {0, 2}, {0, 255, 0}, 0));
  t.gravity = Gravity{Gravity::Kind::FocalPoint, 3000, 5000};
  EXPECT_TRUE(is_near(rendered(t, source), {19, 2}, {255, 0, 0}, 0));
  EXPECT_TRUE(is_near(rendered(t, source), {0, 19}, {0, 0, 255}, 0));
}

TEST(Render, SmartCropFindsTheDetail) {
  Pixels plain({300, 100}, 3);
  plain.fill({0, 0, 300, 100}, {230, 230, 230});
  for (int i = 0; i < 8; ++i) plain.fill({220 + 8 * i, 30, 4, 40}, {200, 20, 20});
  Transformation t = to(Format::Png, 100, 100, Fit::Cover);
  t.gravity = Gravity{.kind = Gravity::Kind::Smart};
  const Pixels out = rendered(t, stored_as(Format::Png, plain));
  EXPECT_EQ(out.size, (Size{100, 100}));
  int red = 0;
  for (int x = 0; x < 100; ++x) red += out.at(x, 50)[1] < 100;
  EXPECT_GE(red, 28) << "of the 32 red columns";
}

TEST(Render, PadsWithTheBackground) {
  const Bytes source = stored_as(Format::Png, quadrants());
  Transformation t = to(Format::Png, 64, 64, Fit::Pad);
  EXPECT_TRUE(is_near(rendered(t, source), {0, 0}, {255, 255, 255}, 0));
  t.background = Color{10, 20, 30, 255};
  Pixels out = rendered(t, source);
  EXPECT_TRUE(is_near(out, {0, 0}, {10, 20, 30}, 0));
  EXPECT_TRUE(is_near(out, {1, 9}, {255, 0, 0}, 0));
  EXPECT_TRUE(is_near(out, {63, 63}, {10, 20, 30}, 0));
  t.background->alpha = 0;
  out = rendered(t, source);
  EXPECT_TRUE(is_near(out, {0, 0}, {10, 20, 30, 0}, 0));
  EXPECT_TRUE(is_near(out, {1, 9}, {255, 0, 0, 255}, 0));
}

TEST(Render, PadsAGreyPictureWithAColor) {
  Pixels grey({20, 10}, 1);
  grey.fill({0, 0, 20, 10}, {77});
  const Bytes source = stored_as(Format::Png, grey);
  EXPECT_EQ(rendered(to(Format::Png, 20, 20, Fit::Pad), source).bands, 1);
  Transformation t = to(Format::Png, 20, 20, Fit::Pad);
  t.background = Color{200, 0, 0, 255};
  const Pixels out = rendered(t, source);
  EXPECT_TRUE(is_near(out, {0, 0}, {200, 0, 0}, 0));
  EXPECT_TRUE(is_near(out, {10, 10}, {77, 77, 77}, 0));
}

// An opaque white disc's stand-in on transparent black.
Pixels cut_out() {
  Pixels p({60, 60}, 4);
  p.fill({15, 15, 30, 30}, {255, 255, 255, 255});
  return p;
}

TEST(Render, TransparentColorsDoNotBleed) {
  const Pixels out =
      rendered(to(Format::Png, 25, 25, Fit::Inside), stored_as(Format::Png, cut_out()));
  ASSERT_EQ(out.bands, 4);
  int half_clear = 0;
  for (int y = 0; y < 25; ++y) {
    for (int x = 0; x < 25; ++x) {
      const std::uint8_t* pixel = out.at(x, y);
      if (pixel[3] < 10) continue;
      half_clear += pixel[3] < 245;
      EXPECT_GE(pixel[0], 250) << x << "," << y << " alpha " << int(pixel[3]);
    }
  }
  EXPECT_GT(half_clear, 0);
}

TEST(Render, FlattensWhereTheFormatHoldsNoAlpha) {
  const Bytes source = stored_as(Format::Png, cut_out());
  EXPECT_TRUE(is_near(rendered(to(Format::Jpeg), source), {2, 2}, {255, 255, 255}));
  Transformation t = to(Format::Jpeg);
  t.background = Color{0, 128, 0, 255};
  EXPECT_TRUE(is_near(rendered(t, source), {2, 2}, {0, 128, 0}, 4));
  t.format = Format::Webp;
  const auto variant = try_render(t, source);
  ASSERT_TRUE(variant);
  EXPECT_FALSE(variant->has_alpha);
}

TEST(Render, KeepsAlphaWhereItCan) {
  const Bytes source = stored_as(Format::Png, cut_out());
  for (Format target : {Format::Png, Format::Webp, Format::Avif}) {
    SCOPED_TRACE(name_of(target));
    const auto variant = try_render(to(target), source);
    ASSERT_TRUE(variant) << variant.error().message;
    EXPECT_TRUE(variant->has_alpha);
    const Pixels out = decoded(variant->bytes);
    ASSERT_EQ(out.bands, 4);
    EXPECT_LE(out.at(2, 2)[3], 2);
    EXPECT_GE(out.at(30, 30)[3], 253);
  }
}

TEST(Render, SharpensAndBlurs) {
  Pixels edge({40, 40}, 3);
  edge.fill({0, 0, 20, 40}, {80, 80, 80});
  edge.fill({20, 0, 20, 40}, {170, 170, 170});
  const Bytes source = stored_as(Format::Png, edge);
  Transformation t = to(Format::Png);
  t.sharpen_e2 = 100;
  Pixels out = rendered(t, source);
  EXPECT_LT(out.at(19, 20)[0], 76);
  EXPECT_GT(out.at(20, 20)[0], 174);
  t.sharpen_e2.reset();
  t.blur_e2 = 300;
  out = rendered(t, source);
  EXPECT_GT(out.at(18, 20)[0], 90);
  EXPECT_LT(out.at(21, 20)[0], 160);
  EXPECT_TRUE(is_near(out, {2, 20}, {80, 80, 80}, 2));
  const Pixels cut = rendered(t, stored_as(Format::Png, cut_out()));
  EXPECT_GE(cut.at(14, 30)[0], 250) << "colours under alpha bleed";
}

TEST(Render, UpscalesOnlyWhenAsked) {
  const Bytes source = stored_as(Format::Jpeg, quadrants());
  Transformation t = to(Format::Png, 128, 96, Fit::Inside);
  EXPECT_EQ(rendered(t, source).size, (Size{64, 48}));
  t.upscale = true;
  EXPECT_EQ(rendered(t, source).size, (Size{128, 96}));
}

TEST(Render, ShrinkOnLoadKeepsPositions) {
  const Bytes source = stored_as(Format::Jpeg, quadrants({1603, 1201}));
  const Pixels out = rendered(to(Format::Png, 80, 60, Fit::Inside), source);
  EXPECT_EQ(out.size, (Size{80, 60}));
  EXPECT_TRUE(is_near(out, {37, 27}, {255, 0, 0}, 10));
  EXPECT_TRUE(is_near(out, {42, 27}, {0, 255, 0}, 10));
  EXPECT_TRUE(is_near(out, {37, 32}, {0, 0, 255}, 10));
  EXPECT_TRUE(is_near(out, {79, 59}, {255, 255, 0}, 10));
}

TEST(Render, SameJobSameBytes) {
  const Bytes source = stored_as(Format::Jpeg, quadrants());
  for (Format target : kTargets) {
    const auto first = try_render(to(target, 30, 20, Fit::Cover), source);
    const auto second = try_render(to(target, 30, 20, Fit::Cover), source);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->bytes, second->bytes) << name_of(target);
  }
}

}  // namespace
}  // namespace tintype
