// SPDX-License-Identifier: Apache-2.0
#include "plan/geometry.h"

#include <vector>

#include <gtest/gtest.h>

namespace tintype {
namespace {

constexpr Size kLandscape{400, 300};

Transformation box(int width_px, int height_px, Fit fit = Fit::Inside) {
  Transformation t;
  if (width_px > 0) t.width_px = width_px;
  if (height_px > 0) t.height_px = height_px;
  t.fit = fit;
  return t;
}

Layout lay_out_whole(const Transformation& t, Size upright) {
  return lay_out(t, upright, {0, 0, upright.width_px, upright.height_px});
}

TEST(Geometry, NoSideKeepsTheNaturalSize) {
  const Layout layout = lay_out_whole({}, kLandscape);
  EXPECT_EQ(layout.resized, kLandscape);
  EXPECT_EQ(layout.canvas, kLandscape);
  EXPECT_TRUE(layout.result_crop.covers(kLandscape));
}

TEST(Geometry, OneSideScalesTheOtherRoundingHalvesUp) {
  EXPECT_EQ(lay_out_whole(box(200, 0), kLandscape).canvas, (Size{200, 150}));
  EXPECT_EQ(lay_out_whole(box(0, 100), kLandscape).canvas, (Size{133, 100}));
  EXPECT_EQ(lay_out_whole(box(2, 0), kLandscape).canvas, (Size{2, 2}));  // 1.5 high
  EXPECT_EQ(lay_out_whole(box(10, 0), {4000, 3}).canvas, (Size{10, 1}));
}

TEST(Geometry, OneSideDoesNotEnlargeUnlessAsked) {
  Transformation t = box(800, 0);
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, kLandscape);
  t.upscale = true;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, (Size{800, 600}));
}

TEST(Geometry, InsideAndOutside) {
  EXPECT_EQ(lay_out_whole(box(100, 100), kLandscape).canvas, (Size{100, 75}));
  EXPECT_EQ(lay_out_whole(box(100, 100, Fit::Outside), kLandscape).canvas, (Size{133, 100}));
  EXPECT_EQ(lay_out_whole(box(900, 900), kLandscape).canvas, kLandscape);
  EXPECT_EQ(lay_out_whole(box(390, 390, Fit::Outside), kLandscape).canvas, kLandscape);
}

TEST(Geometry, StretchIsExactAndCapsEachSide) {
  EXPECT_EQ(lay_out_whole(box(100, 200, Fit::Stretch), kLandscape).canvas, (Size{100, 200}));
  EXPECT_EQ(lay_out_whole(box(900, 200, Fit::Stretch), kLandscape).canvas, (Size{400, 200}));
  Transformation t = box(900, 200, Fit::Stretch);
  t.upscale = true;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, (Size{900, 200}));
}

TEST(Geometry, CoverCutsTheMiddle) {
  const Layout layout = lay_out_whole(box(100, 100, Fit::Cover), kLandscape);
  EXPECT_EQ(layout.resized, (Size{133, 100}));
  EXPECT_EQ(layout.result_crop, (Rect{16, 0, 100, 100}));
  EXPECT_EQ(layout.canvas, (Size{100, 100}));
}

TEST(Geometry, CoverOfASmallPictureKeepsTheShapeOfTheBox) {
  const Layout layout = lay_out_whole(box(800, 600, Fit::Cover), {400, 400});
  EXPECT_EQ(layout.resized, (Size{400, 400}));
  EXPECT_EQ(layout.result_crop, (Rect{0, 50, 400, 300}));
  EXPECT_EQ(layout.canvas, (Size{400, 300}));
  Transformation t = box(800, 600, Fit::Cover);
  t.upscale = true;
  EXPECT_EQ(lay_out_whole(t, {400, 400}).canvas, (Size{800, 600}));
  EXPECT_EQ(lay_out_whole(t, {400, 400}).resized, (Size{800, 800}));
}

TEST(Geometry, CoverLargerInOneSideOnly) {
  const Layout layout = lay_out_whole(box(500, 100, Fit::Cover), kLandscape);
  EXPECT_EQ(layout.canvas, (Size{400, 80}));
  EXPECT_EQ(layout.resized, kLandscape);
}

// 612 x 613 in a box that is wider and higher, one that is wider only, and one it covers.
TEST(Geometry, CoverOfASmallPictureByWhatIsSaidOfSmallOnes) {
  constexpr Size kSmall{612, 613};
  auto canvas = [&](Small small, int width_px, int height_px) {
    Transformation t = box(width_px, height_px, Fit::Cover);
    t.small = small;
    return lay_out_whole(t, kSmall).canvas;
  };
  EXPECT_EQ(canvas(Small::Ratio, 1920, 1120), (Size{612, 357}));
  EXPECT_EQ(canvas(Small::Cut, 1920, 1120), kSmall);
  EXPECT_EQ(canvas(Small::Cut, 1920, 100), (Size{612, 100}));
  EXPECT_EQ(canvas(Small::Keep, 1920, 1120), kSmall);
  EXPECT_EQ(canvas(Small::Keep, 1920, 100), (Size{100, 100}));
  EXPECT_EQ(canvas(Small::Pad, 1920, 100), (Size{1920, 100}));
  for (Small small : {Small::Ratio, Small::Cut, Small::Keep, Small::Pad}) {
    EXPECT_EQ(canvas(small, 300, 100), (Size{300, 100}));
  }
  Transformation padded = box(1000, 100, Fit::Cover);
  padded.small = Small::Pad;
  const Layout layout = lay_out_whole(padded, kSmall);
  EXPECT_EQ(layout.resized, kSmall) << "not enlarged";
  EXPECT_EQ(layout.result_crop, (Rect{0, 256, 612, 100}));
  EXPECT_EQ(layout.placed_at, (Point{194, 0}));
}

TEST(Geometry, CutTakesTheBoxOutOfThePictureUnscaled) {
  Transformation t = box(100, 50, Fit::Cut);
  EXPECT_EQ(lay_out_whole(t, kLandscape).result_crop, (Rect{150, 125, 100, 50}));
  t.gravity = Gravity{Gravity::Kind::SouthEast};
  EXPECT_EQ(lay_out_whole(t, kLandscape).result_crop, (Rect{300, 250, 100, 50}));
  EXPECT_EQ(lay_out_whole(t, kLandscape).resized, kLandscape);
  EXPECT_EQ(lay_out_whole(box(900, 50, Fit::Cut), kLandscape).canvas, (Size{400, 50}));
  EXPECT_EQ(lay_out_whole(box(0, 50, Fit::Cut), kLandscape).canvas, (Size{400, 50}));
}

TEST(Geometry, PadIsExactlyTheBox) {
  Layout layout = lay_out_whole(box(200, 200, Fit::Pad), kLandscape);
  EXPECT_EQ(layout.resized, (Size{200, 150}));
  EXPECT_EQ(layout.canvas, (Size{200, 200}));
  EXPECT_EQ(layout.placed_at, (Point{0, 25}));
  layout = lay_out_whole(box(900, 900, Fit::Pad), kLandscape);
  EXPECT_EQ(layout.resized, kLandscape);
  EXPECT_EQ(layout.canvas, (Size{900, 900}));
  EXPECT_EQ(layout.placed_at, (Point{250, 300}));
}

TEST(Geometry, AspectAlone) {
  Transformation t;
  t.aspect = AspectRatio{1, 1};
  EXPECT_EQ(lay_out_whole(t, kLandscape).result_crop, (Rect{50, 0, 300, 300}));
  EXPECT_EQ(lay_out_whole(t, kLandscape).resized, kLandscape);
  t.fit = Fit::Pad;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, (Size{400, 400}));
  t.fit = Fit::Stretch;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, (Size{300, 300}));
  t.fit = Fit::Inside;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, kLandscape);
}

TEST(Geometry, AspectGivesTheOtherSide) {
  Transformation t;
  t.aspect = AspectRatio{16, 9};
  t.width_px = 160;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, (Size{160, 90}));
  t.width_px.reset();
  t.height_px = 90;
  EXPECT_EQ(lay_out_whole(t, kLandscape).canvas, (Size{160, 90}));
}

TEST(Geometry, CompassGravityPlacesCropAndPadding) {
  struct Case {
    Gravity::Kind kind;
    Point crop, pad;
  };
  using Kind = Gravity::Kind;
  const std::vector<Case> cases = {
      {Kind::Center, {16, 0}, {0, 12}},    {Kind::North, {16, 0}, {0, 0}},
      {Kind::NorthEast, {33, 0}, {0, 0}},  {Kind::East, {33, 0}, {0, 12}},
      {Kind::SouthEast, {33, 0}, {0, 25}}, {Kind::South, {16, 0}, {0, 25}},
      {Kind::SouthWest, {0, 0}, {0, 25}},  {Kind::West, {0, 0}, {0, 12}},
      {Kind::NorthWest, {0, 0}, {0, 0}},
  };
  for (const Case& c : cases) {
    Transformation t = box(100, 100, Fit::Cover);
    t.gravity = Gravity{.kind = c.kind};
    const Rect crop = lay_out_whole(t, kLandscape).result_crop;
    EXPECT_EQ((Point{crop.x_px, crop.y_px}), c.crop) << static_cast<int>(c.kind);
    t.fit = Fit::Pad;
    EXPECT_EQ(lay_out_whole(t, kLandscape).placed_at, c.pad) << static_cast<int>(c.kind);
  }
}

TEST(Geometry, FocalPointCentresTheWindowAndStaysInside) {
  Transformation t = box(100, 100, Fit::Cover);
  t.gravity = Gravity{Gravity::Kind::FocalPoint, 6000, 5000};
  EXPECT_EQ(lay_out_whole(t, kLandscape).result_crop.x_px, 30);  // 0.6 * 133 - 50 = 29.8
  t.gravity->x_e4 = 10000;
  EXPECT_EQ(lay_out_whole(t, kLandscape).result_crop.x_px, 33);
  t.gravity->x_e4 = 0;
  EXPECT_EQ(lay_out_whole(t, kLandscape).result_crop.x_px, 0);
}

TEST(Geometry, FocalPointFollowsCropAndTurn) {
  Transformation t = box(0, 0, Fit::Cover);
  t.aspect = AspectRatio{1, 1};
  t.gravity = Gravity{Gravity::Kind::FocalPoint, 5000, 5000};
  // The middle of the whole picture is the left edge of its right half.
  EXPECT_EQ(lay_out(t, {800, 200}, {400, 0, 400, 200}).result_crop.x_px, 0);
  t.flip = Flip::Horizontal;
  EXPECT_EQ(lay_out(t, {800, 200}, {400, 0, 400, 200}).result_crop.x_px, 200);
  t.flip = Flip::None;
  t.rotate_deg = 90;  // left becomes top
  EXPECT_EQ(lay_out(t, {800, 200}, {400, 0, 400, 200}).result_crop, (Rect{0, 0, 200, 200}));
  t.rotate_deg = 270;  // left becomes bottom
  EXPECT_EQ(lay_out(t, {800, 200}, {400, 0, 400, 200}).result_crop, (Rect{0, 200, 200, 200}));
}

TEST(Geometry, SmartOnlyWhereSomethingIsCut) {
  Transformation t = box(100, 100, Fit::Cover);
  t.gravity = Gravity{.kind = Gravity::Kind::Smart};
  EXPECT_TRUE(lay_out_whole(t, kLandscape).crop_smart);
  EXPECT_FALSE(lay_out_whole(t, {300, 300}).crop_smart);
}

TEST(Geometry, SidesSpeakOfTheTurnedPicture) {
  Transformation t = box(150, 0);
  t.rotate_deg = 90;
  const Layout layout = lay_out_whole(t, kLandscape);
  EXPECT_EQ(layout.turn, Orientation::Turn90);
  EXPECT_EQ(layout.canvas, (Size{150, 200}));
}

TEST(Geometry, MapRectIsUndoneByTheInverse) {
  const Size frame{40, 30};
  const Rect rect{3, 5, 10, 7};
  for (int value = 1; value <= 8; ++value) {
    const auto o = static_cast<Orientation>(value);
    const Rect there = map_rect(rect, frame, o);
    EXPECT_EQ(map_rect(there, oriented(frame, o), inverse(o)), rect) << value;
    EXPECT_EQ(compose(o, inverse(o)), Orientation::Upright) << value;
  }
}

TEST(Geometry, MapRectTurnsClockwise) {
  // The top-left pixel of 40x30.
  const Rect corner{0, 0, 1, 1};
  EXPECT_EQ(map_rect(corner, {40, 30}, Orientation::Turn90), (Rect{29, 0, 1, 1}));
  EXPECT_EQ(map_rect(corner, {40, 30}, Orientation::Turn180), (Rect{39, 29, 1, 1}));
  EXPECT_EQ(map_rect(corner, {40, 30}, Orientation::Turn270), (Rect{0, 39, 1, 1}));
  EXPECT_EQ(map_rect(corner, {40, 30}, Orientation::FlipX), (Rect{39, 0, 1, 1}));
  EXPECT_EQ(map_rect(corner, {40, 30}, Orientation::FlipY), (Rect{0, 29, 1, 1}));
  EXPECT_EQ(map_rect({1, 0, 1, 1}, {40, 30}, Orientation::Transpose), (Rect{0, 1, 1, 1}));
  EXPECT_EQ(map_rect({1, 0, 1, 1}, {40, 30}, Orientation::Transverse), (Rect{29, 38, 1, 1}));
}

TEST(Geometry, CropIsClippedToThePicture) {
  Transformation t;
  t.crop = CropBox{.x = 350, .y = 290, .width = 100, .height = 100};
  EXPECT_EQ(settle_crop(t, kLandscape).value(), (Rect{350, 290, 50, 10}));
  t.crop->x = -10;
  EXPECT_EQ(settle_crop(t, kLandscape).value(), (Rect{0, 290, 90, 10}));
  t.crop->x = 400;
  const auto outside = settle_crop(t, kLandscape);
  ASSERT_FALSE(outside);
  EXPECT_EQ(outside.error().code, ErrorCode::BadRequest);
  EXPECT_EQ(outside.error().option, "crop");
  EXPECT_NE(outside.error().detail.find("400x300"), std::string::npos);
}

TEST(Geometry, CropInPercent) {
  Transformation t;
  t.crop = CropBox{2500, 0, 5000, 10000, CropBox::Unit::Percent};
  EXPECT_EQ(settle_crop(t, kLandscape).value(), (Rect{100, 0, 200, 300}));
  t.crop = CropBox{9999, 9999, 1, 1, CropBox::Unit::Percent};
  EXPECT_EQ(settle_crop(t, {10, 10}).value(), (Rect{9, 9, 1, 1}));
  t.crop = CropBox{10000, 0, 5000, 10000, CropBox::Unit::Percent};
  EXPECT_FALSE(settle_crop(t, kLandscape));
}

TEST(Geometry, SidesSaturateInsteadOfOverflowing) {
  Transformation t = box(16383, 0);
  t.upscale = true;
  EXPECT_EQ(lay_out_whole(t, {1, 50'000'000}).canvas.height_px, 2147483647);
}

}  // namespace
}  // namespace tintype
