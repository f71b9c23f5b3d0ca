// SPDX-License-Identifier: Apache-2.0
// imgix (imgix.cc): "/a.jpg?w=400&h=300&fit=crop&fm=webp&q=80", with s= where the mount has keys.
#include "base/bytes.h"
#include "base/hash.h"
#include "base/signing.h"
#include "base/text.h"
#include "dialect/writing.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "imgix";

constexpr FitWord kFits[] = {{Fit::Inside, true, ""},      {Fit::Inside, false, "max"},
                             {Fit::Cover, true, "crop"},   {Fit::Cover, false, "min"},
                             {Fit::Pad, true, "fill"},     {Fit::Pad, false, "fillmax"},
                             {Fit::Stretch, true, "scale"}};

constexpr std::string_view kGravities[] = {"center",       "top",        "top,right",   "right",
                                           "bottom,right", "bottom",     "bottom,left", "left",
                                           "top,left",     "focalpoint", "entropy"};

Result<> add_box(Words& query, const Transformation& t) {
  if (!has_side(t)) return {};
  add_sides(query, t);
  const FitWord* fit = find_fit(kFits, t);
  if (fit == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  if (!fit->word.empty()) query.add("fit", fit->word);
  if (t.aspect) query.add("ar", ratio_text(t.aspect->width, t.aspect->height));
  std::string_view gravity = word_of(kGravities, t);
  if (fit->fit != Fit::Cover || gravity.empty()) return {};
  query.add("crop", gravity);
  if (t.gravity->kind != Gravity::Kind::FocalPoint) return {};
  query.add("fp-x", t.gravity->x_e4, 4);
  query.add("fp-y", t.gravity->y_e4, 4);
  return {};
}

void add_rectangle(Words& query, const CropBox& crop) {
  bool is_share = crop.unit == CropBox::Unit::Percent;
  std::string rect;
  for (std::int32_t side : {crop.x, crop.y, crop.width, crop.height}) {
    if (!rect.empty()) rect += ',';
    rect += is_share ? share_text(side, 4) : fixed_text(side, 0);
  }
  query.add("rect", rect);
}

// Of the parser's scales: 20 of theirs are a sigma of one pixel for blur, 10 for sharp.
void add_effects(Words& query, const Transformation& t) {
  if (t.crop) add_rectangle(query, *t.crop);
  if (t.trim_threshold) {
    query.add("trim", "auto");
    query.add("trim-md", t.trim_threshold);
  }
  if (exif_number(t) != 1) query.add("orient", exif_number(t));
  if (t.blur_e2) query.add("blur", std::int64_t{*t.blur_e2} * 20, 2);
  if (t.sharpen_e2) query.add("sharp", std::int64_t{*t.sharpen_e2} * 10, 2);
  // The padding is white where nothing is said.
  if (names_background(t)) query.add("bg", hex_text(background_of(t), true));
}

void add_encoding(Words& query, const Ask& ask) {
  const Transformation& t = ask.transformation;
  if (t.format_auto) {
    query.add("auto", "format");
  } else if (!is_source_format(ask)) {
    query.add("fm", t.format == Format::Jpeg ? "jpg" : name_of(t.format));
  }
  query.add("q", quality_of(t));
}

}  // namespace

Result<std::string> write_imgix(const Ask& ask, const Mount& mount) {
  Words query('=', '&');
  TRY(add_box(query, ask.transformation));
  add_effects(query, ask.transformation);
  add_encoding(query, ask);
  std::string target = with_query(ask, mount, query);
  if (mount.keys.empty()) return target;
  std::string signed_part = target.substr(below(mount, "").size() - 1);
  std::string digest = md5(mount.keys.front().key + signed_part);
  target.append(query.is_empty() ? "?" : "&").append("s=").append(hex(view_of(digest)));
  return target;
}

}  // namespace tintype
