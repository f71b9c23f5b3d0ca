// SPDX-License-Identifier: Apache-2.0
// weserv (weserv.cc): "/?url=https://cdn.shop.example/a.jpg&w=400&h=300&fit=cover&output=webp".
#include "base/text.h"
#include "dialect/source_format.h"
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "weserv";
constexpr std::int64_t kDefaultQuality_pct = 80;

constexpr FitWord kFits[] = {{Fit::Inside, true, ""},
                             {Fit::Outside, true, "outside"},
                             {Fit::Cover, true, "cover"},
                             {Fit::Stretch, true, "fill"},
                             {Fit::Pad, true, "contain"}};

constexpr std::string_view kGravities[] = {"center",       "top",    "top-right",   "right",
                                           "bottom-right", "bottom", "bottom-left", "left",
                                           "top-left",     "focal",  "attention"};

Result<> add_box(Words& query, const Transformation& t) {
  if (!has_side(t)) return {};
  add_sides(query, t);
  const FitWord* fit = find_fit(kFits, t);
  if (fit == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  if (!fit->word.empty()) query.add("fit", fit->word);
  if (!t.upscale) query.add_flag("we");
  std::string_view gravity = word_of(kGravities, t);
  if (gravity.empty()) return {};
  query.add("a", gravity);
  if (gravity != "focal") return {};
  query.add("fpx", t.gravity->x_e4, 4);
  query.add("fpy", t.gravity->y_e4, 4);
  return {};
}

void add_rectangle(Words& query, const CropBox& crop) {
  bool is_share = crop.unit == CropBox::Unit::Percent;
  auto add = [&](std::string_view name, std::int32_t side) {
    query.add(name, is_share ? fixed_text(side, 2) + "%" : fixed_text(side, 0));
  };
  add("cx", crop.x);
  add("cy", crop.y);
  add("cw", crop.width);
  add("ch", crop.height);
  query.add_flag("precrop");
}

void add_effects(Words& query, const Ask& ask) {
  const Transformation& t = ask.transformation;
  if (t.crop) add_rectangle(query, *t.crop);
  query.add("trim", t.trim_threshold);
  if (t.rotate_deg != 0) query.add("ro", t.rotate_deg);
  if (t.flip == Flip::Horizontal) query.add_flag("flop");
  query.add("blur", t.blur_e2, 2);
  query.add("sharp", t.sharpen_e2, 2);
  // Asked for as JPEG, what is transparent would be black.
  bool is_filled = t.background || (t.format == Format::Jpeg && !t.format_auto &&
                                    (pads(t) || !is_source_format(ask)));
  if (is_filled) query.add(pads(t) ? "cbg" : "bg", hex_text(background_of(t), true));
}

// Named where it could be left out too: padding would make a PNG of a JPEG.
void add_encoding(Words& query, const Ask& ask) {
  const Transformation& t = ask.transformation;
  bool is_named = !t.format_auto && (pads(t) || !is_source_format(ask));
  if (is_named) query.add("output", t.format == Format::Jpeg ? "jpg" : name_of(t.format));
  auto quality_pct = quality_of(t);
  if (quality_pct != kDefaultQuality_pct) query.add("q", quality_pct);
}

}  // namespace

Result<std::string> write_weserv(const Ask& ask, const Mount& mount) {
  Words query('=', '&');
  query.add("url", source_address(ask, mount));
  TRY(add_box(query, ask.transformation));
  add_effects(query, ask);
  add_encoding(query, ask);
  return below(mount, "?" + query.text());
}

}  // namespace tintype
