// SPDX-License-Identifier: Apache-2.0
// Fastly (fastly.cc): "/a.jpg?width=400&height=300&fit=bounds&format=auto&quality=80".
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "fastly";

// Without fit both sides stretch the picture. The word stands for both: enable=upscale says which.
constexpr FitWord kFits[] = {{Fit::Inside, false, "bounds"}, {Fit::Stretch, false, ""},
                             {Fit::Outside, false, "cover"}, {Fit::Cover, false, "crop"},
                             {Fit::Pad, false, "bounds"},    {Fit::Cut, false, ""}};

// ",offset-x0,offset-y50", in percent of the room; nothing for the middle.
std::string place_text(const Transformation& t) {
  using Kind = Gravity::Kind;
  static constexpr int kPlaces[][2] = {{50, 50},  {50, 0},  {100, 0}, {100, 50}, {100, 100},
                                       {50, 100}, {0, 100}, {0, 50},  {0, 0}};
  Gravity gravity = t.gravity.value_or(Gravity{});
  if (gravity.kind == Kind::Center) return "";
  if (gravity.kind == Kind::Smart) return ",smart";
  std::int64_t x_e4 = gravity.x_e4, y_e4 = gravity.y_e4;
  if (gravity.kind != Kind::FocalPoint) {
    x_e4 = kPlaces[static_cast<std::size_t>(gravity.kind)][0] * 100;
    y_e4 = kPlaces[static_cast<std::size_t>(gravity.kind)][1] * 100;
  }
  return ",offset-x" + fixed_text(x_e4, 2) + ",offset-y" + fixed_text(y_e4, 2);
}

std::string rectangle_text(const CropBox& crop) {
  bool is_share = crop.unit == CropBox::Unit::Percent;
  auto text = [&](std::int32_t side) {
    return is_share ? fixed_text(side, 2) + "p" : fixed_text(side, 0);
  };
  return text(crop.width) + "," + text(crop.height) + ",x" + text(crop.x) + ",y" + text(crop.y);
}

// What is cut to a ratio, or out of the picture, is so by crop; a rectangle stands before it.
Result<std::string> cut_text(const Transformation& t) {
  bool is_placed = t.gravity && t.gravity->kind != Gravity::Kind::Center;
  if (t.fit == Fit::Cut) {
    if (!has_box(t)) return cannot_say(t, OptionId::Fit, kLanguage);
    std::string place = place_text(t);
    // Only a ratio leaves something to find.
    if (place == ",smart") return cannot_say(t, OptionId::Gravity, kLanguage);
    return fixed_text(*t.width_px, 0) + "," + fixed_text(*t.height_px, 0) + place;
  }
  if (t.fit != Fit::Cover) return std::string();
  if (t.aspect) return ratio_text(t.aspect->width, t.aspect->height) + place_text(t);
  if (is_placed && has_box(t)) return ratio_text(*t.width_px, *t.height_px) + place_text(t);
  return std::string();
}

Result<> add_box(Words& query, const Transformation& t) {
  TRY(std::string cut, cut_text(t));
  if (t.crop) query.add(cut.empty() ? "crop" : "precrop", rectangle_text(*t.crop));
  if (!cut.empty()) query.add("crop", cut);
  if (!has_side(t)) return {};
  if (t.upscale) query.add("enable", "upscale");
  if (t.fit != Fit::Cut) add_sides(query, t, "width", "height");
  const FitWord* fit = find_fit(kFits, t);
  bool has_fit = cut.empty() && has_box(t) && fit != nullptr && !fit->word.empty();
  if (has_fit) query.add("fit", fit->word);
  if (!pads(t)) return {};
  query.add("canvas", t.aspect ? ratio_text(t.aspect->width, t.aspect->height)
                               : fixed_text(*t.width_px, 0) + "," + fixed_text(*t.height_px, 0));
  return {};
}

std::string color_text(Color color) {
  std::string text =
      fixed_text(color.red, 0) + "," + fixed_text(color.green, 0) + "," + fixed_text(color.blue, 0);
  // Four decimals, which round to the same channel again.
  if (color.alpha != 255) text += "," + fixed_text((color.alpha * 10000 + 127) / 255, 4);
  return text;
}

// A blur's radius is twice its sigma; a threshold of trim is a share.
void add_effects(Words& query, const Transformation& t) {
  if (t.trim_threshold) query.add("trim-color", "auto,t" + fixed_text(*t.trim_threshold, 2));
  if (exif_number(t) != 1) query.add("orient", exif_number(t));
  if (names_background(t)) query.add("bg-color", color_text(background_of(t)));
  if (t.blur_e2) query.add("blur", std::int64_t{*t.blur_e2} * 2, 2);
  if (t.sharpen_e2) query.add("sharpen", "a" + fixed_text(*t.sharpen_e2, 2) + ",r1,t0");
  if (t.keep_metadata == KeepMetadata::Copyright) query.add("metadata", "copyright");
}

void add_encoding(Words& query, const Ask& ask) {
  const Transformation& t = ask.transformation;
  if (t.format_auto) {
    query.add("format", "auto");
  } else if (!is_source_format(ask)) {
    query.add("format", t.format == Format::Jpeg ? "jpg" : name_of(t.format));
  }
  if (t.quality_auto) query.add("optimize", "medium");
  query.add("quality", quality_of(t));
}

}  // namespace

Result<std::string> write_fastly(const Ask& ask, const Mount& mount) {
  Words query('=', '&');
  TRY(add_box(query, ask.transformation));
  add_effects(query, ask.transformation);
  add_encoding(query, ask);
  return with_query(ask, mount, query);
}

}  // namespace tintype
