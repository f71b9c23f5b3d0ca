// SPDX-License-Identifier: Apache-2.0
#include "plan/plan.h"

#include <gtest/gtest.h>

#include "plan/geometry.h"

namespace tintype {
namespace {

ImageInfo jpeg(int width_px, int height_px) {
  ImageInfo info;
  info.stored = {width_px, height_px};
  info.color_model = ColorModel::YCbCr;
  info.chroma_x = info.chroma_y = 2;
  return info;
}

Transformation wide(int width_px, Format format = Format::Jpeg) {
  Transformation t;
  t.width_px = width_px;
  t.format_auto = false;
  t.format = format;
  return t;
}

Plan plan_of(const Transformation& t, const ImageInfo& info) {
  auto planned = plan(t, info, {});
  EXPECT_TRUE(planned) << planned.error().message;
  return planned.value();
}

TEST(Plan, ShrinkKeepsTwiceTheTarget) {
  EXPECT_EQ(plan_of(wide(100), jpeg(1600, 1200)).shrink, 8);
  EXPECT_EQ(plan_of(wide(101), jpeg(1600, 1200)).shrink, 4);
  EXPECT_EQ(plan_of(wide(400), jpeg(1600, 1200)).shrink, 2);
  EXPECT_EQ(plan_of(wide(401), jpeg(1600, 1200)).shrink, 1);
}

TEST(Plan, JpegOrPngIsDecidedByTheSourcesAlpha) {
  ImageInfo opaque = jpeg(160, 120), clear = opaque;
  clear.has_alpha = true;
  EXPECT_EQ(plan_of(wide(100, Format::JpegOrPng), opaque).encode.format, Format::Jpeg);
  EXPECT_EQ(plan_of(wide(100, Format::JpegOrPng), opaque).encode.quality_pct, 80);
  EXPECT_TRUE(plan_of(wide(100, Format::JpegOrPng), opaque).flatten);
  EXPECT_EQ(plan_of(wide(100, Format::JpegOrPng), clear).encode.format, Format::Png);
  EXPECT_FALSE(plan_of(wide(100, Format::JpegOrPng), clear).flatten);
}

TEST(Plan, ShrinkLooksAtTheCropAndTheTurn) {
  Transformation t = wide(100);
  t.crop = CropBox{.x = 0, .y = 0, .width = 400, .height = 400};
  EXPECT_EQ(plan_of(t, jpeg(1600, 1200)).shrink, 2);
  t = wide(150);
  t.rotate_deg = 90;  // 1200 wide once turned
  EXPECT_EQ(plan_of(t, jpeg(1600, 1200)).shrink, 4);
}

TEST(Plan, ShrinkOnlyForJpegAndNotWithTrim) {
  ImageInfo png = jpeg(1600, 1200);
  png.format = Format::Png;
  EXPECT_EQ(plan_of(wide(100), png).shrink, 1);
  Transformation t = wide(100);
  t.trim_threshold = 10;
  EXPECT_EQ(plan_of(t, jpeg(1600, 1200)).shrink, 1);
}

TEST(Plan, OrientationGivesTheSizeOfTheTurnedSource) {
  ImageInfo turned = jpeg(1600, 1200);
  turned.orientation = Orientation::Turn90;
  EXPECT_EQ(plan_of(wide(300), turned).variant_size(),
            plan_of(wide(300), jpeg(1200, 1600)).variant_size());
}

TEST(Plan, SourceLimitNamesValueAndLimit) {
  const auto planned = plan(wide(100), jpeg(10'000, 5'001), {});
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().code, ErrorCode::TooLarge);
  EXPECT_NE(planned.error().detail.find("10000x5001"), std::string::npos);
  EXPECT_NE(planned.error().detail.find("50000000"), std::string::npos);
  EXPECT_TRUE(plan(wide(100), jpeg(10'000, 5'000), {}));
}

TEST(Plan, ProgressiveLimitIsStricter) {
  ImageInfo info = jpeg(6'000, 5'000);
  EXPECT_TRUE(plan(wide(100), info, {}));
  info.is_progressive = true;
  const auto planned = plan(wide(100), info, {});
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().code, ErrorCode::TooLarge);
  EXPECT_NE(planned.error().detail.find("25000000"), std::string::npos);
}

TEST(Plan, FramesAreNotMultiplied) {
  ImageInfo gif = jpeg(1000, 1000);
  gif.format = Format::Gif;
  gif.frames = 10'000;
  EXPECT_TRUE(plan(wide(100), gif, {}));
}

TEST(Plan, VariantLimits) {
  Transformation t = wide(8'000);
  t.height_px = 8'000;
  t.fit = Fit::Stretch;
  t.upscale = true;
  auto planned = plan(t, jpeg(100, 100), {});
  ASSERT_FALSE(planned);
  EXPECT_EQ(planned.error().code, ErrorCode::TooLarge);
  EXPECT_NE(planned.error().detail.find("40000000"), std::string::npos);

  planned = plan(wide(20'000, Format::Webp), jpeg(20'000, 100), {.max_side_px = 65'535});
  ASSERT_FALSE(planned);
  EXPECT_NE(planned.error().detail.find("16383 a side for webp"), std::string::npos);
  EXPECT_TRUE(plan(wide(20'000, Format::Png), jpeg(20'000, 100), {.max_side_px = 65'535}));
  EXPECT_FALSE(plan(wide(20'000, Format::Png), jpeg(20'000, 100), {}));
}

TEST(Plan, CoverOfAThinPictureIsBounded) {
  Transformation t = wide(1'000);
  t.height_px = 1'000;
  t.fit = Fit::Cover;
  t.upscale = true;
  EXPECT_FALSE(plan(t, jpeg(1, 40'000), {}));
}

TEST(Plan, UnreadableAndUnwritableFormats) {
  ImageInfo svg = jpeg(10, 10);
  svg.format = Format::Svg;
  EXPECT_EQ(plan(wide(10), svg, {}).error().code, ErrorCode::Unsupported);
  EXPECT_EQ(plan(wide(10, Format::Gif), jpeg(10, 10), {}).error().option, "f");
  EXPECT_EQ(plan(wide(10), jpeg(0, 10), {}).error().code, ErrorCode::Corrupt);
}

TEST(Plan, ColorsOfPaddingAndFlattening) {
  ImageInfo png = jpeg(100, 100);
  png.format = Format::Png;
  EXPECT_EQ(plan_of(wide(10), png).flatten, kWhite);
  EXPECT_EQ(plan_of(wide(10, Format::Webp), png).flatten, std::nullopt);
  EXPECT_EQ(plan_of(wide(10, Format::Webp), png).canvas_color, kWhite);
  png.has_alpha = true;
  EXPECT_EQ(plan_of(wide(10, Format::Webp), png).canvas_color.alpha, 0);
  Transformation t = wide(10, Format::Webp);
  t.background = Color{255, 0, 0, 255};
  EXPECT_EQ(plan_of(t, png).flatten, (Color{255, 0, 0, 255}));
  EXPECT_EQ(plan_of(t, png).canvas_color, (Color{255, 0, 0, 255}));
  t.background->alpha = 51;
  EXPECT_EQ(plan_of(t, png).flatten, std::nullopt);
  EXPECT_EQ(plan_of(t, png).canvas_color, (Color{255, 0, 0, 51}));
  t.format = Format::Jpeg;
  EXPECT_EQ(plan_of(t, png).flatten, (Color{255, 204, 204, 255}));
}

TEST(Plan, TrimGivesAnUpperBoundAndIsPlannedAgain) {
  Transformation t = wide(100);
  t.trim_threshold = 10;
  const Plan first = plan_of(t, jpeg(1000, 1000));
  EXPECT_FALSE(first.is_size_exact);
  EXPECT_EQ(first.canvas, (Size{100, 1000}));  // a trimmed picture may be thin
  const auto second = plan_trimmed(first, {200, 300, 400, 200}, {});
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->is_size_exact);
  EXPECT_FALSE(second->trim_threshold);
  EXPECT_EQ(second->crop, (Rect{200, 300, 400, 200}));
  EXPECT_EQ(second->canvas, (Size{100, 50}));
  EXPECT_EQ(second->shrink, 1);
}

TEST(Plan, QualityFallsBackToTheFormatsDefault) {
  EXPECT_EQ(plan_of(wide(10, Format::Avif), jpeg(100, 100)).encode.quality_pct,
            default_quality_pct(Format::Avif));
  Transformation t = wide(10);
  t.quality_pct = 33;
  EXPECT_EQ(plan_of(t, jpeg(100, 100)).encode.quality_pct, 33);
}

TEST(Plan, CostKnowsWhatIsDear) {
  const ImageInfo source = jpeg(4000, 3000);
  ImageInfo progressive = source;
  progressive.is_progressive = true;
  const Cost baseline_cost = plan_of(wide(800), source).cost;
  const Cost progressive_cost = plan_of(wide(800), progressive).cost;
  EXPECT_GT(progressive_cost.weight, 1.3 * baseline_cost.weight);
  // All coefficients of 4:2:0 are kept: three bytes a pixel.
  EXPECT_GE(progressive_cost.peak_bytes - baseline_cost.peak_bytes, 36'000'000);
  EXPECT_GT(plan_of(wide(800, Format::Avif), source).cost.weight, 2 * baseline_cost.weight);
  EXPECT_LT(plan_of(wide(200), source).cost.weight, baseline_cost.weight);
}

TEST(Plan, DescribeNamesTheSteps) {
  Transformation t = wide(300, Format::Webp);
  t.height_px = 300;
  t.fit = Fit::Cover;
  t.rotate_deg = 90;
  t.crop = CropBox{.x = 100, .y = 50, .width = 3000, .height = 2000};
  ImageInfo source = jpeg(4288, 2848);
  source.orientation = Orientation::Turn180;
  const std::string text = describe(plan_of(t, source));
  EXPECT_EQ(text.substr(0, text.find("cost")),
            "decode jpeg 4288x2848 at 1/2\n"
            "orient: turn 180\n"
            "crop 3000x2000 at 100,50\n"
            "turn 90\n"
            "resize to 300x450\n"
            "crop 300x300 at 0,75\n"
            "encode webp q80\n");
  t.trim_threshold = 10;
  t.sharpen_e2 = 120;
  EXPECT_NE(describe(plan_of(t, source)).find("trim the border, threshold 10"), std::string::npos);
  EXPECT_NE(describe(plan_of(t, source)).find("sharpen, sigma 1.2"), std::string::npos);
}

}  // namespace
}  // namespace tintype
