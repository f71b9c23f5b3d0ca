// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "engine/reference/steps.h"

namespace tintype {
namespace {

// A colour as libvips wants it: one number a band.
class BandColor {
 public:
  BandColor(Color color, int bands) {
    const bool grey = bands < 3;
    if (grey) values_ = {double(color.red), double(color.alpha)};
    if (!grey)
      values_ = {double(color.red), double(color.green), double(color.blue), double(color.alpha)};
    array_ = vips_array_double_new(values_.data(), bands);
  }
  ~BandColor() { vips_area_unref(VIPS_AREA(array_)); }
  BandColor(const BandColor&) = delete;
  BandColor& operator=(const BandColor&) = delete;

  VipsArrayDouble* raw() const { return array_; }

 private:
  std::array<double, 4> values_{};
  VipsArrayDouble* array_ = nullptr;
};

bool is_grey(Color color) {
  return color.red == color.green && color.green == color.blue;
}

// A grey picture becomes RGB where `color` could not be told in one band.
Result<Picture> make_room_for(Color color, Picture picture) {
  if (picture.bands() >= 3 || is_grey(color)) return picture;
  return apply([&](VipsImage** out) {
    return vips_colourspace(picture.raw(), out, VIPS_INTERPRETATION_sRGB, nullptr);
  });
}

Result<Picture> blur(const Picture& picture, double sigma_px) {
  return apply(
      [&](VipsImage** out) { return vips_gaussblur(picture.raw(), out, sigma_px, nullptr); });
}

// Premultiplied, for the same reason as resizing.
Result<Picture> blur_with_alpha(const Picture& picture, double sigma_px) {
  TRY(Picture premultiplied,
      apply([&](VipsImage** out) { return vips_premultiply(picture.raw(), out, nullptr); }));
  TRY(Picture blurred, blur(premultiplied, sigma_px));
  TRY(Picture straight,
      apply([&](VipsImage** out) { return vips_unpremultiply(blurred.raw(), out, nullptr); }));
  TRY(Picture rounded,
      apply([&](VipsImage** out) { return vips_rint(straight.raw(), out, nullptr); }));
  return apply(
      [&](VipsImage** out) { return vips_cast(rounded.raw(), out, VIPS_FORMAT_UCHAR, nullptr); });
}

}  // namespace

Result<Picture> crop_by_content(const Picture& picture, const Plan& plan) {
  return apply([&](VipsImage** out) {
    return vips_smartcrop(picture.raw(), out, plan.result_crop.width_px, plan.result_crop.height_px,
                          "interesting", VIPS_INTERESTING_ATTENTION, nullptr);
  });
}

Result<Picture> sharpen_and_blur(Picture picture, const Plan& plan) {
  if (plan.sharpen_e2) {
    const double sigma_px = *plan.sharpen_e2 / 100.0;
    TRY(picture, apply([&](VipsImage** out) {
          return vips_sharpen(picture.raw(), out, "sigma", sigma_px, nullptr);
        }));
  }
  if (plan.blur_e2) {
    const double sigma_px = *plan.blur_e2 / 100.0;
    auto blurred =
        picture.has_alpha() ? blur_with_alpha(picture, sigma_px) : blur(picture, sigma_px);
    TRY(picture, std::move(blurred));
  }
  return picture;
}

Result<Picture> flatten(Picture picture, const Plan& plan) {
  const bool wanted = plan.flatten || !can_hold_alpha(plan.encode.format);
  if (!wanted || !picture.has_alpha()) return picture;
  const Color under = plan.flatten.value_or(kWhite);
  TRY(picture, make_room_for(under, std::move(picture)));
  const BandColor background(under, picture.bands() - 1);
  return apply([&](VipsImage** out) {
    return vips_flatten(picture.raw(), out, "background", background.raw(), nullptr);
  });
}

Result<Picture> pad(Picture picture, const Plan& plan) {
  if (picture.size() == plan.canvas) return picture;
  TRY(picture, make_room_for(plan.canvas_color, std::move(picture)));
  if (plan.canvas_color.alpha < 255 && !picture.has_alpha()) {
    TRY(picture,
        apply([&](VipsImage** out) { return vips_addalpha(picture.raw(), out, nullptr); }));
  }
  const BandColor background(plan.canvas_color, picture.bands());
  return apply([&](VipsImage** out) {
    return vips_embed(picture.raw(), out, plan.placed_at.x_px, plan.placed_at.y_px,
                      plan.canvas.width_px, plan.canvas.height_px, "extend", VIPS_EXTEND_BACKGROUND,
                      "background", background.raw(), nullptr);
  });
}

}  // namespace tintype
