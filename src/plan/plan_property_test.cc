// SPDX-License-Identifier: Apache-2.0
// What must hold for every plan, over generated requests and sources.
#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "plan/geometry.h"
#include "plan/plan.h"

namespace tintype {
namespace {

template <class T>
std::optional<T> maybe(rc::Gen<T> gen) {
  if (*rc::gen::inRange(0, 3) == 0) return std::nullopt;
  return *std::move(gen);
}

Size any_size() {
  // Small and large sides alike; extreme shapes among them.
  const auto side = rc::gen::oneOf(rc::gen::inRange(1, 20), rc::gen::inRange(1, 6000));
  return {*side, *side};
}

Transformation any_transformation() {
  Transformation t;
  const auto side = rc::gen::oneOf(rc::gen::inRange(1, 40), rc::gen::inRange(1, 5000));
  t.width_px = maybe<std::int32_t>(side);
  t.height_px = maybe<std::int32_t>(side);
  t.fit =
      maybe<Fit>(rc::gen::element(Fit::Inside, Fit::Pad, Fit::Cover, Fit::Stretch, Fit::Outside));
  t.upscale = *rc::gen::arbitrary<bool>();
  if (*rc::gen::inRange(0, 4) == 0) {
    t.aspect = AspectRatio{*rc::gen::inRange(1, 30), *rc::gen::inRange(1, 30)};
  }
  const auto kind = static_cast<Gravity::Kind>(*rc::gen::inRange(0, 11));
  t.gravity = Gravity{kind, *rc::gen::inRange<std::int16_t>(0, 10001),
                      *rc::gen::inRange<std::int16_t>(0, 10001)};
  if (*rc::gen::inRange(0, 3) == 0) {
    t.crop = CropBox{*rc::gen::inRange(0, 9000), *rc::gen::inRange(0, 9000),
                     *rc::gen::inRange(1, 9000), *rc::gen::inRange(1, 9000),
                     *rc::gen::element(CropBox::Unit::Pixels, CropBox::Unit::Percent)};
  }
  t.rotate_deg = *rc::gen::element<std::int16_t>(0, 90, 180, 270);
  t.flip = *rc::gen::element(Flip::None, Flip::Horizontal, Flip::Vertical, Flip::Both);
  t.format_auto = false;
  t.format = *rc::gen::element(Format::Jpeg, Format::Png, Format::Webp, Format::Avif);
  return t;
}

// Both sides given.
Transformation any_box(Fit fit) {
  Transformation t = any_transformation();
  t.width_px = *rc::gen::inRange(1, 3000);
  t.height_px = *rc::gen::inRange(1, 3000);
  t.fit = fit;
  return t;
}

ImageInfo any_source() {
  ImageInfo info;
  info.format = *rc::gen::element(Format::Jpeg, Format::Png, Format::Webp, Format::Avif,
                                  Format::Gif, Format::Tiff);
  info.stored = any_size();
  info.orientation = static_cast<Orientation>(*rc::gen::inRange(1, 9));
  info.is_progressive = *rc::gen::arbitrary<bool>();
  return info;
}

const PlanLimits kLimits;

// A plan of a generated request, or the case is discarded.
Plan any_plan() {
  const auto planned = plan(any_transformation(), any_source(), kLimits);
  RC_PRE(planned.has_value());
  return *planned;
}

RC_GTEST_PROP(PlanProperty, StaysWithinLimits, ()) {
  const Plan p = any_plan();
  RC_ASSERT(!p.canvas.empty() && !p.resized.empty() && !p.result_crop.empty());
  RC_ASSERT(p.canvas.pixels() <= kLimits.max_variant_pixels);
  RC_ASSERT(std::max(p.canvas.width_px, p.canvas.height_px) <= kLimits.max_side_px);
  RC_ASSERT(p.cost.weight > 0);
  RC_ASSERT(p.cost.peak_bytes >= p.canvas.pixels() * 4);
}

RC_GTEST_PROP(PlanProperty, NestsItsRectangles, ()) {
  const Plan p = any_plan();
  const Size upright = p.source.upright();
  RC_ASSERT(p.crop.x_px >= 0 && p.crop.x_px + p.crop.width_px <= upright.width_px);
  RC_ASSERT(p.crop.y_px >= 0 && p.crop.y_px + p.crop.height_px <= upright.height_px);
  const Rect cut = p.result_crop;
  RC_ASSERT(cut.x_px >= 0 && cut.x_px + cut.width_px <= p.resized.width_px);
  RC_ASSERT(cut.y_px >= 0 && cut.y_px + cut.height_px <= p.resized.height_px);
  RC_ASSERT(p.placed_at.x_px >= 0 && p.placed_at.x_px + cut.width_px <= p.canvas.width_px);
  RC_ASSERT(p.placed_at.y_px >= 0 && p.placed_at.y_px + cut.height_px <= p.canvas.height_px);
}

RC_GTEST_PROP(PlanProperty, NeverEnlargesUnlessAsked, ()) {
  const Plan p = any_plan();
  RC_PRE(!p.asked.upscale);
  const Size natural = oriented(p.crop.size(), p.turn);
  RC_ASSERT(p.resized.width_px <= natural.width_px);
  RC_ASSERT(p.resized.height_px <= natural.height_px);
}

RC_GTEST_PROP(PlanProperty, KeepsTheAspectWithinAPixel, ()) {
  const Plan p = any_plan();
  RC_PRE(p.asked.fit != Fit::Stretch);
  const Size natural = oriented(p.crop.size(), p.turn);
  // One side decides; the other is what the shape asks for, rounded, and one pixel at least.
  auto error_px = [](double side, double other, double other_natural, double natural_side) {
    return std::abs(std::max(1.0, other * natural_side / other_natural) - side);
  };
  const double by_width =
      error_px(p.resized.height_px, p.resized.width_px, natural.width_px, natural.height_px);
  const double by_height =
      error_px(p.resized.width_px, p.resized.height_px, natural.height_px, natural.width_px);
  RC_ASSERT(std::min(by_width, by_height) < 1.0);
}

RC_GTEST_PROP(PlanProperty, CoverOfALargeSourceIsExactlyTheBox, ()) {
  const Transformation t = any_box(Fit::Cover);
  const auto planned = plan(t, any_source(), kLimits);
  RC_PRE(planned.has_value());
  const Size natural = oriented(planned->crop.size(), planned->turn);
  RC_PRE(t.upscale || (natural.width_px >= *t.width_px && natural.height_px >= *t.height_px));
  RC_ASSERT(planned->canvas == (Size{*t.width_px, *t.height_px}));
}

RC_GTEST_PROP(PlanProperty, CoverOfASmallSourceKeepsTheShape, ()) {
  Transformation t = any_box(Fit::Cover);
  t.upscale = false;
  const auto planned = plan(t, any_source(), kLimits);
  RC_PRE(planned.has_value());
  const Size natural = oriented(planned->crop.size(), planned->turn);
  RC_PRE(natural.width_px < *t.width_px || natural.height_px < *t.height_px);
  // As large as it can be: one side is the picture's own.
  const Size canvas = planned->canvas;
  RC_ASSERT(canvas.width_px == natural.width_px || canvas.height_px == natural.height_px);
  const double width_px = static_cast<double>(canvas.height_px) * *t.width_px / *t.height_px;
  const double height_px = static_cast<double>(canvas.width_px) * *t.height_px / *t.width_px;
  RC_ASSERT(std::abs(std::max(1.0, width_px) - canvas.width_px) < 1.0 ||
            std::abs(std::max(1.0, height_px) - canvas.height_px) < 1.0);
}

RC_GTEST_PROP(PlanProperty, PadIsExactlyTheBox, ()) {
  const Transformation t = any_box(Fit::Pad);
  const auto planned = plan(t, any_source(), kLimits);
  RC_PRE(planned.has_value());
  RC_ASSERT(planned->canvas == (Size{*t.width_px, *t.height_px}));
}

RC_GTEST_PROP(PlanProperty, ShrinkLeavesHeadroom, ()) {
  const Plan p = any_plan();
  if (p.shrink == 1) return;
  RC_ASSERT(p.source.format == Format::Jpeg);
  const Size crop = oriented(p.crop.size(), p.turn);
  RC_ASSERT(crop.width_px >= 2 * p.shrink * p.resized.width_px);
  RC_ASSERT(crop.height_px >= 2 * p.shrink * p.resized.height_px);
}

RC_GTEST_PROP(PlanProperty, OrientationDoesNotChangeTheVariant, ()) {
  const Transformation t = any_transformation();
  const ImageInfo source = any_source();
  ImageInfo turned = source;
  turned.stored = source.upright();
  turned.orientation = Orientation::Upright;
  const auto a = plan(t, source, kLimits);
  const auto b = plan(t, turned, kLimits);
  RC_ASSERT(a.has_value() == b.has_value());
  if (!a) return;
  RC_ASSERT(a->canvas == b->canvas);
  RC_ASSERT(a->result_crop == b->result_crop);
  RC_ASSERT(a->shrink == b->shrink);
}

RC_GTEST_PROP(PlanProperty, TrimmingNeverExceedsTheBound, ()) {
  Transformation t = any_transformation();
  t.trim_threshold = 10;
  const auto first = plan(t, any_source(), kLimits);
  RC_PRE(first.has_value());
  const Rect crop = first->crop;
  const int left = *rc::gen::inRange(0, crop.width_px);
  const int top = *rc::gen::inRange(0, crop.height_px);
  const Rect trimmed{crop.x_px + left, crop.y_px + top,
                     *rc::gen::inRange(1, crop.width_px - left + 1),
                     *rc::gen::inRange(1, crop.height_px - top + 1)};
  const auto second = plan_trimmed(*first, trimmed, kLimits);
  RC_PRE(second.has_value());
  RC_ASSERT(second->crop == trimmed);
  RC_ASSERT(second->canvas.width_px <= first->canvas.width_px);
  RC_ASSERT(second->canvas.height_px <= first->canvas.height_px);
}

}  // namespace
}  // namespace tintype
