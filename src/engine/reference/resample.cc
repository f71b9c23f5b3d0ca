// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>

#include "engine/reference/steps.h"
#include "plan/geometry.h"

namespace tintype {
namespace {

// A stretch of a full-size side, in pixels of the shrunk one: edges rounded to the nearest, which
// with the plan's headroom is a quarter of a variant pixel at most.
struct Stretch {
  int start_px = 0, length_px = 0;
};

Stretch shrink_stretch(Stretch full, int shrink, int side_px) {
  if (shrink == 1) return full;
  auto edge = [&](int at_px) { return (at_px + shrink / 2) / shrink; };
  const int start = std::min(edge(full.start_px), side_px - 1);
  const int end = std::clamp(edge(full.start_px + full.length_px), start + 1, side_px);
  return {start, end - start};
}

Result<Picture> cut(const Picture& picture, Rect rect) {
  return apply([&](VipsImage** out) {
    return vips_extract_area(picture.raw(), out, rect.x_px, rect.y_px, rect.width_px,
                             rect.height_px, nullptr);
  });
}

// Lanczos3 over the whole way from the decoded size; never vips_thumbnail, which shrinks on load by
// its own rule; such rules cost up to 12 points of SSIMULACRA2
// (docs/internals/figures.md F-shrink).
Result<Picture> resize(const Picture& picture, Size to) {
  const Size from = picture.size();
  const double across = static_cast<double>(to.width_px) / from.width_px;
  const double down = static_cast<double>(to.height_px) / from.height_px;
  TRY(Picture resized, apply([&](VipsImage** out) {
        return vips_resize(picture.raw(), out, across, "vscale", down, "kernel",
                           VIPS_KERNEL_LANCZOS3, nullptr);
      }));
  if (resized.size() == to) return resized;
  return fail_private(ErrorCode::Internal,
                      "resize gave " + std::to_string(resized.size().width_px) + "x" +
                          std::to_string(resized.size().height_px) + " for " +
                          std::to_string(to.width_px) + "x" + std::to_string(to.height_px));
}

// Colours of transparent pixels must not bleed into visible ones: resample premultiplied.
Result<Picture> resize_with_alpha(const Picture& picture, Size to) {
  const VipsBandFormat format = vips_image_get_format(picture.raw());
  TRY(Picture premultiplied,
      apply([&](VipsImage** out) { return vips_premultiply(picture.raw(), out, nullptr); }));
  TRY(Picture resized, resize(premultiplied, to));
  TRY(Picture straight,
      apply([&](VipsImage** out) { return vips_unpremultiply(resized.raw(), out, nullptr); }));
  // Casting cuts the fraction off; add a half to round.
  if (!vips_band_format_isint(format)) return straight;
  TRY(Picture rounded,
      apply([&](VipsImage** out) { return vips_rint(straight.raw(), out, nullptr); }));
  return apply([&](VipsImage** out) { return vips_cast(rounded.raw(), out, format, nullptr); });
}

Result<Picture> rotate(const Picture& picture, VipsAngle angle) {
  return apply([&](VipsImage** out) { return vips_rot(picture.raw(), out, angle, nullptr); });
}

Result<Picture> flip(const Picture& picture, VipsDirection direction) {
  return apply([&](VipsImage** out) { return vips_flip(picture.raw(), out, direction, nullptr); });
}

Result<Picture> orient(Picture picture, Orientation o) {
  switch (o) {
    case Orientation::Upright:
      break;
    case Orientation::FlipX:
      return flip(picture, VIPS_DIRECTION_HORIZONTAL);
    case Orientation::Turn180:
      return rotate(picture, VIPS_ANGLE_D180);
    case Orientation::FlipY:
      return flip(picture, VIPS_DIRECTION_VERTICAL);
    case Orientation::Turn90:
      return rotate(picture, VIPS_ANGLE_D90);
    case Orientation::Turn270:
      return rotate(picture, VIPS_ANGLE_D270);
    case Orientation::Transpose: {
      TRY(Picture turned, rotate(picture, VIPS_ANGLE_D90));
      return flip(turned, VIPS_DIRECTION_HORIZONTAL);
    }
    case Orientation::Transverse: {
      TRY(Picture turned, rotate(picture, VIPS_ANGLE_D270));
      return flip(turned, VIPS_DIRECTION_HORIZONTAL);
    }
  }
  return picture;
}

}  // namespace

Result<Picture> resample(const Opened& opened, const Plan& plan) {
  const Orientation total = compose(opened.to_upright, plan.turn);
  const Rect full = map_rect(plan.crop, plan.source.upright(), inverse(opened.to_upright));
  const Size frame = opened.picture.size();
  const Stretch x = shrink_stretch({full.x_px, full.width_px}, plan.shrink, frame.width_px);
  const Stretch y = shrink_stretch({full.y_px, full.height_px}, plan.shrink, frame.height_px);
  TRY(Picture picture, cut(opened.picture, {x.start_px, y.start_px, x.length_px, y.length_px}));

  const Size to = oriented(plan.resized, inverse(total));
  if (picture.size() != to) {
    auto resized = picture.has_alpha() ? resize_with_alpha(picture, to) : resize(picture, to);
    TRY(picture, std::move(resized));
  }
  if (!plan.crop_smart) {
    TRY(picture, cut(picture, map_rect(plan.result_crop, plan.resized, inverse(total))));
  }
  TRY(picture, picture.in_memory());
  return orient(std::move(picture), total);
}

}  // namespace tintype
