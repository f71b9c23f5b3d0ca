// SPDX-License-Identifier: Apache-2.0
// Bunny (bunny.cc): "/a.jpg?width=400&aspect_ratio=4:3&crop_gravity=north&quality=80".
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "bunny";
constexpr std::int64_t kDefaultQuality_pct = 85;

constexpr std::string_view kGravities[] = {"",          "north", "northeast", "east",
                                           "southeast", "south", "southwest", "west",
                                           "northwest", "",      ""};

std::string box_text(const Transformation& t) {
  return fixed_text(*t.width_px, 0) + "," + fixed_text(*t.height_px, 0);
}

// A rectangle of that size, out of the picture as it is.
Result<> add_cut(Words& query, const Transformation& t) {
  if (!has_box(t)) return cannot_say(t, OptionId::Fit, kLanguage);
  Gravity gravity = t.gravity.value_or(Gravity{});
  if (gravity.kind == Gravity::Kind::Smart) {
    query.add("face_crop", box_text(t));
  } else if (gravity.kind == Gravity::Kind::FocalPoint) {
    query.add("focus_crop",
              box_text(t) + "," + fixed_text(gravity.x_e4, 4) + "," + fixed_text(gravity.y_e4, 4));
  } else {
    query.add("crop", box_text(t));
  }
  return {};
}

// What is cut to its box is cut to the ratio of the box.
Result<> add_box(Words& query, const Transformation& t) {
  if (t.fit == Fit::Cut) return add_cut(query, t);
  if (!has_side(t)) return {};
  Fit fit = t.fit.value_or(Fit::Inside);
  if (fit != Fit::Inside && fit != Fit::Cover) return cannot_say(t, OptionId::Fit, kLanguage);
  add_sides(query, t, "width", "height");
  if (t.aspect) query.add("aspect_ratio", ratio_text(t.aspect->width, t.aspect->height));
  bool is_filled = fit == Fit::Cover && has_box(t) && !t.aspect;
  if (is_filled) query.add("aspect_ratio", ratio_text(*t.width_px, *t.height_px));
  if (t.upscale) query.add("upscaling", "resampling");
  return {};
}

void add_effects(Words& query, const Transformation& t) {
  std::string_view gravity = word_of(kGravities, t);
  if (!gravity.empty()) query.add("crop_gravity", gravity);
  if (t.crop && t.crop->unit == CropBox::Unit::Pixels) {
    query.add("crop", fixed_text(t.crop->width, 0) + "," + fixed_text(t.crop->height, 0) + "," +
                          fixed_text(t.crop->x, 0) + "," + fixed_text(t.crop->y, 0));
  }
  if (t.rotate_deg != 0) query.add("rotate", t.rotate_deg);
  if (t.flip == Flip::Horizontal) query.add("flop", "true");
  // Of one strength.
  if (t.sharpen_e2) query.add("sharpen", "true");
  query.add("blur", t.blur_e2, 2);
}

}  // namespace

Result<std::string> write_bunny(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  Words query('=', '&');
  TRY(add_box(query, t));
  add_effects(query, t);
  if (!t.format_auto) query.add("format", name_of(t.format));
  auto quality_pct = quality_of(t);
  if (quality_pct != kDefaultQuality_pct) query.add("quality", quality_pct);
  return with_query(ask, mount, query);
}

}  // namespace tintype
