// SPDX-License-Identifier: Apache-2.0
// Scene7 (scene7.cc): "/is/image/acme/a?wid=400&hei=300&fit=crop,1&fmt=webp-alpha&qlt=80".
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "scene7";

constexpr FitWord kFits[] = {{Fit::Inside, false, "constrain"},
                             {Fit::Pad, false, "fit"},
                             {Fit::Cover, false, "crop", Small::Pad},
                             {Fit::Stretch, false, "stretch"},
                             {Fit::Outside, false, "wrap"}};

// Where it lies, -1 to 1 from the left and from the top.
std::string align_text(Gravity gravity) {
  static constexpr std::string_view kPlaces[] = {"0,0", "0,-1", "1,-1", "1,0",  "1,1",
                                                 "0,1", "-1,1", "-1,0", "-1,-1"};
  if (gravity.kind != Gravity::Kind::FocalPoint) {
    return std::string(kPlaces[static_cast<std::size_t>(gravity.kind)]);
  }
  auto text = [](std::int32_t at_e4) {
    std::int32_t offset_e4 = 2 * at_e4 - 10000;
    return (offset_e4 < 0 ? "-" : "") + fixed_text(std::abs(offset_e4), 4);
  };
  return text(gravity.x_e4) + "," + text(gravity.y_e4);
}

Result<> add_box(Words& query, const Transformation& t) {
  if (!has_side(t)) return {};
  if (t.aspect) return cannot_say(t, OptionId::AspectRatio, kLanguage);
  if (t.width_auto) return cannot_say(t, OptionId::Width, kLanguage);
  query.add("wid", t.width_px);
  query.add("hei", t.height_px);
  const FitWord* fit = find_fit(kFits, t);
  if (t.fit == Fit::Cut) {
    query.add("scl", "1");
  } else if (fit == nullptr) {
    return cannot_say(t, OptionId::Fit, kLanguage);
  } else if (has_box(t) || t.upscale) {
    query.add("fit", std::string(fit->word) + (t.upscale ? ",1" : ""));
  }
  bool is_smart = t.gravity && t.gravity->kind == Gravity::Kind::Smart;
  if (is_smart) return cannot_say(t, OptionId::Gravity, kLanguage);
  if (t.gravity && t.gravity->kind != Gravity::Kind::Center) {
    query.add("align", align_text(*t.gravity));
  }
  return {};
}

void add_rectangle(Words& query, const CropBox& crop) {
  bool is_share = crop.unit == CropBox::Unit::Percent;
  std::string box;
  for (std::int32_t side : {crop.x, crop.y, crop.width, crop.height}) {
    if (!box.empty()) box += ',';
    box += fixed_text(side, is_share ? 4 : 0);
  }
  query.add(is_share ? "cropN" : "crop", box);
}

// Amounts and radii of theirs are two sigmas. A flip comes before the turn, and is the other one
// then. Nothing keeps what is transparent but fmt=…-alpha.
Result<> add_effects(Words& query, const Transformation& t) {
  if (t.crop) add_rectangle(query, *t.crop);
  if (t.rotate_deg != 0) query.add("rotate", t.rotate_deg);
  if (t.flip == Flip::Horizontal) query.add("flip", t.rotate_deg % 180 == 0 ? "lr" : "ud");
  if (t.sharpen_e2) {
    if (*t.sharpen_e2 > 250) return cannot_say(t, OptionId::Sharpen, kLanguage);
    query.add("op_usm", std::int64_t{*t.sharpen_e2} * 2, 2);
  }
  if (t.blur_e2) query.add("op_blur", std::int64_t{*t.blur_e2} * 2, 2);
  bool is_opaque = t.background && t.background->alpha == 255;
  if (t.format_auto && !is_opaque) return cannot_say(t, OptionId::Background, kLanguage);
  if (t.background) query.add("bgc", hex_text(*t.background).substr(0, 6));
  return {};
}

void add_encoding(Words& query, const Transformation& t) {
  if (t.dpr_auto) query.add("dpr", "on");
  if (t.dpr_e2) query.add("dpr", "off");
  if (t.format_auto) {
    query.add("bfc", "on");
  } else if (t.format != Format::Jpeg) {
    query.add("fmt", std::string(name_of(t.format)) + (t.background ? "" : "-alpha"));
  }
  if (t.quality_auto) query.add("network", "on");
  query.add("qlt", t.quality_pct);
}

}  // namespace

Result<std::string> write_scene7(const Ask& ask, const Mount& mount) {
  const Transformation& t = ask.transformation;
  if (ask.source.find(':', ask.source.rfind('/') + 1) != std::string::npos) {
    return fail_public(ErrorCode::UnsupportedOption,
                       "source: a ':' in its name would ask for a smart crop in scene7", "source");
  }
  Words query('=', '&');
  TRY(add_box(query, t));
  TRY(add_effects(query, t));
  add_encoding(query, t);
  std::string rest = encoded_source(ask);
  if (!query.is_empty()) rest += "?" + query.text();
  return below(mount, rest);
}

}  // namespace tintype
