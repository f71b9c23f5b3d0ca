// SPDX-License-Identifier: Apache-2.0
#include "plan/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "base/check.h"

namespace tintype {
namespace {

int saturate(std::int64_t side) {
  return static_cast<int>(
      std::clamp<std::int64_t>(side, 1, std::numeric_limits<std::int32_t>::max()));
}

// side * numerator / denominator, halves rounded up, one pixel at least.
int scale_side(std::int64_t side, std::int64_t numerator, std::int64_t denominator) {
  return saturate((2 * side * numerator + denominator) / (2 * denominator));
}

bool is_wider(Size a, Size b) {
  return std::int64_t{a.width_px} * b.height_px > std::int64_t{b.width_px} * a.height_px;
}

Size with_width(Size natural, int width_px) {
  return {width_px, scale_side(natural.height_px, width_px, natural.width_px)};
}

Size with_height(Size natural, int height_px) {
  return {scale_side(natural.width_px, height_px, natural.height_px), height_px};
}

// One side is exactly the box's, the other at most as long.
Size fit_inside(Size natural, Size box) {
  return is_wider(natural, box) ? with_width(natural, box.width_px)
                                : with_height(natural, box.height_px);
}

// One side is exactly the box's, the other at least as long.
Size fit_outside(Size natural, Size box) {
  return is_wider(natural, box) ? with_height(natural, box.height_px)
                                : with_width(natural, box.width_px);
}

// Proportional sizes are larger than the natural size in both sides or in none.
bool enlarges(Size resized, Size natural) {
  return resized.width_px > natural.width_px || resized.height_px > natural.height_px;
}

// What a fit comes to, before gravity places anything.
struct Target {
  Size resized;
  Size window;  // what is left after the result crop
  Size canvas;

  static Target whole(Size resized) { return {resized, resized, resized}; }
};

// What both have in common, nothing scaled.
Target cut(Size natural, Size box) {
  const Size window{std::min(natural.width_px, box.width_px),
                    std::min(natural.height_px, box.height_px)};
  return {natural, window, window};
}

Target aim_at_cover(Size natural, Size box, bool upscale, Small small) {
  const bool too_small = natural.width_px < box.width_px || natural.height_px < box.height_px;
  if (too_small && !upscale) {
    switch (small) {
      case Small::Ratio:
        box = fit_inside(box, natural);
        break;
      case Small::Cut:
        return cut(natural, box);
      case Small::Keep: {
        const Size inside = fit_inside(natural, box);
        return Target::whole(enlarges(inside, natural) ? natural : inside);
      }
      case Small::Pad: {
        Target target = cut(natural, box);
        target.canvas = box;
        return target;
      }
    }
  }
  return {fit_outside(natural, box), box, box};
}

Target aim_at_box(Size natural, Size box, Fit fit, const Transformation& t) {
  const bool upscale = t.upscale;
  auto capped = [&](Size size) { return !upscale && enlarges(size, natural) ? natural : size; };
  switch (fit) {
    case Fit::Inside:
      return Target::whole(capped(fit_inside(natural, box)));
    case Fit::Outside:
      return Target::whole(capped(fit_outside(natural, box)));
    case Fit::Cover:
      return aim_at_cover(natural, box, upscale, t.small);
    case Fit::Cut:
      return cut(natural, box);
    case Fit::Stretch:
      if (upscale) return Target::whole(box);
      return Target::whole(
          {std::min(box.width_px, natural.width_px), std::min(box.height_px, natural.height_px)});
    case Fit::Pad: {
      const Size picture = capped(fit_inside(natural, box));
      return {picture, picture, box};
    }
  }
  return Target::whole(natural);
}

// An aspect ratio without a side: nothing is resampled, except by Stretch.
Target aim_at_aspect(Size natural, AspectRatio aspect, Fit fit) {
  const Size shape{aspect.width, aspect.height};
  switch (fit) {
    case Fit::Cover: {
      const Size window = fit_inside(shape, natural);
      return {natural, window, window};
    }
    case Fit::Stretch:
      return Target::whole(fit_inside(shape, natural));
    case Fit::Pad:
      return {natural, natural, fit_outside(shape, natural)};
    case Fit::Inside:
    case Fit::Outside:
    case Fit::Cut:
      break;
  }
  return Target::whole(natural);
}

Target aim(const Transformation& t, Size natural) {
  const Fit fit = t.fit.value_or(t.aspect ? Fit::Cover : Fit::Inside);
  auto width = t.width_px, height = t.height_px;
  if (t.aspect && !width && !height) return aim_at_aspect(natural, *t.aspect, fit);
  if (t.aspect && !height) height = scale_side(*width, t.aspect->height, t.aspect->width);
  if (t.aspect && !width) width = scale_side(*height, t.aspect->width, t.aspect->height);
  if (width && height) return aim_at_box(natural, {*width, *height}, fit, t);
  if (!width && !height) return Target::whole(natural);
  if (fit == Fit::Cut) {
    return cut(natural, {width.value_or(natural.width_px), height.value_or(natural.height_px)});
  }
  const Size asked = width ? with_width(natural, *width) : with_height(natural, *height);
  return Target::whole(enlarges(asked, natural) && !t.upscale ? natural : asked);
}

// -1, 0, 1: towards the left or top, the middle, the right or bottom.
struct Pull {
  int x = 0, y = 0;
};

Pull pull_of(Gravity::Kind kind) {
  switch (kind) {
    case Gravity::Kind::North:
      return {0, -1};
    case Gravity::Kind::NorthEast:
      return {1, -1};
    case Gravity::Kind::East:
      return {1, 0};
    case Gravity::Kind::SouthEast:
      return {1, 1};
    case Gravity::Kind::South:
      return {0, 1};
    case Gravity::Kind::SouthWest:
      return {-1, 1};
    case Gravity::Kind::West:
      return {-1, 0};
    case Gravity::Kind::NorthWest:
      return {-1, -1};
    case Gravity::Kind::Center:
    case Gravity::Kind::FocalPoint:
    case Gravity::Kind::Smart:
      break;
  }
  return {};
}

int place(int room_px, int pull) {
  if (pull < 0) return 0;
  return pull > 0 ? room_px : room_px / 2;
}

Point place_by(Size inner, Size outer, Gravity::Kind kind) {
  const Pull pull = pull_of(kind);
  return {place(outer.width_px - inner.width_px, pull.x),
          place(outer.height_px - inner.height_px, pull.y)};
}

// A length of the window, centred on `centre_e4` ten-thousandths of the resized side.
int centre_on(int centre_e4, int side_px, int window_px) {
  const double centre_px = static_cast<double>(centre_e4) * side_px / 10000.0;
  const double start = std::floor(centre_px - window_px / 2.0 + 0.5);
  return static_cast<int>(std::clamp(start, 0.0, static_cast<double>(side_px - window_px)));
}

// The focal point stands in the upright picture; here in ten-thousandths of the turned crop.
Point focus_in_turned(const Gravity& gravity, Size upright, Rect crop, Orientation turn) {
  auto along = [](int share_e4, int whole, int start, int length) {
    const std::int64_t at_e4 = std::int64_t{share_e4} * whole - std::int64_t{start} * 10000;
    return static_cast<int>(std::clamp<std::int64_t>(at_e4 / length, 0, 10000));
  };
  const Point in_crop{along(gravity.x_e4, upright.width_px, crop.x_px, crop.width_px),
                      along(gravity.y_e4, upright.height_px, crop.y_px, crop.height_px)};
  const Rect turned = map_rect({in_crop.x_px, in_crop.y_px, 0, 0}, {10000, 10000}, turn);
  return {turned.x_px, turned.y_px};
}

struct Span {
  int begin = 0, end = 0;
};

Span clip(const CropBox& box, bool across, int side_px) {
  std::int64_t begin = across ? box.x : box.y;
  std::int64_t end = begin + (across ? box.width : box.height);
  if (box.unit == CropBox::Unit::Percent && end > begin) {
    const bool starts_inside = begin < 10000;
    begin = (begin * side_px + 5000) / 10000;
    end = (end * side_px + 5000) / 10000;
    if (starts_inside) begin = std::min<std::int64_t>(begin, side_px - 1);
    end = std::max(end, begin + 1);
  }
  return {static_cast<int>(std::clamp<std::int64_t>(begin, 0, side_px)),
          static_cast<int>(std::clamp<std::int64_t>(end, 0, side_px))};
}

}  // namespace

Orientation turn_of(const Transformation& t) {
  Orientation rotation = Orientation::Upright;
  if (t.rotate_deg == 90) rotation = Orientation::Turn90;
  if (t.rotate_deg == 180) rotation = Orientation::Turn180;
  if (t.rotate_deg == 270) rotation = Orientation::Turn270;
  switch (t.flip) {
    case Flip::None:
      break;
    case Flip::Horizontal:
      return compose(rotation, Orientation::FlipX);
    case Flip::Vertical:
      return compose(rotation, Orientation::FlipY);
    case Flip::Both:
      return compose(rotation, Orientation::Turn180);
  }
  return rotation;
}

Orientation inverse(Orientation o) {
  if (o == Orientation::Turn90) return Orientation::Turn270;
  if (o == Orientation::Turn270) return Orientation::Turn90;
  return o;  // every mirror and the half turn undo themselves
}

Rect map_rect(Rect r, Size frame, Orientation o) {
  const int right = frame.width_px - r.x_px - r.width_px;
  const int below = frame.height_px - r.y_px - r.height_px;
  switch (o) {
    case Orientation::Upright:
      break;
    case Orientation::FlipX:
      return {right, r.y_px, r.width_px, r.height_px};
    case Orientation::Turn180:
      return {right, below, r.width_px, r.height_px};
    case Orientation::FlipY:
      return {r.x_px, below, r.width_px, r.height_px};
    case Orientation::Transpose:
      return {r.y_px, r.x_px, r.height_px, r.width_px};
    case Orientation::Turn90:
      return {below, r.x_px, r.height_px, r.width_px};
    case Orientation::Transverse:
      return {below, right, r.height_px, r.width_px};
    case Orientation::Turn270:
      return {r.y_px, right, r.height_px, r.width_px};
  }
  return r;
}

Result<Rect> settle_crop(const Transformation& t, Size upright) {
  if (!t.crop) return Rect{0, 0, upright.width_px, upright.height_px};
  const Span x = clip(*t.crop, true, upright.width_px);
  const Span y = clip(*t.crop, false, upright.height_px);
  const Rect rect{x.begin, y.begin, x.end - x.begin, y.end - y.begin};
  if (!rect.empty()) return rect;
  return fail_public(ErrorCode::BadRequest,
                     "crop: nothing of the rectangle lies in the picture, which is " +
                         std::to_string(upright.width_px) + "x" +
                         std::to_string(upright.height_px) + " pixels",
                     "crop");
}

Layout lay_out(const Transformation& t, Size upright, Rect crop) {
  CHECK(!crop.empty());
  Layout layout;
  layout.turn = turn_of(t);
  const Target target = aim(t, oriented(crop.size(), layout.turn));
  layout.resized = target.resized;
  layout.canvas = target.canvas;

  const Gravity gravity = t.gravity.value_or(Gravity{});
  Point at = place_by(target.window, target.resized, gravity.kind);
  if (gravity.kind == Gravity::Kind::FocalPoint) {
    const Point focus = focus_in_turned(gravity, upright, crop, layout.turn);
    at = {centre_on(focus.x_px, target.resized.width_px, target.window.width_px),
          centre_on(focus.y_px, target.resized.height_px, target.window.height_px)};
  }
  layout.result_crop = {at.x_px, at.y_px, target.window.width_px, target.window.height_px};
  layout.crop_smart =
      gravity.kind == Gravity::Kind::Smart && !layout.result_crop.covers(target.resized);
  layout.placed_at = place_by(target.window, target.canvas, gravity.kind);
  return layout;
}

}  // namespace tintype
