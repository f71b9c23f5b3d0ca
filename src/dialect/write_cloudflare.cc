// SPDX-License-Identifier: Apache-2.0
// Cloudflare (cloudflare.cc): "/cdn-cgi/image/width=400,height=300,fit=cover,format=auto/a.jpg".
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "cloudflare";

constexpr FitWord kFits[] = {{Fit::Inside, false, ""},
                             {Fit::Inside, true, "contain"},
                             {Fit::Cover, true, "cover"},
                             {Fit::Cover, false, "aspect-crop"},
                             {Fit::Cover, false, "crop", Small::Keep},
                             {Fit::Pad, true, "pad"},
                             {Fit::Stretch, true, "squeeze"}};

// A corner is a focal point.
constexpr std::string_view kGravities[] = {"",    "top",  "1x0", "right", "1x1", "bottom",
                                           "0x1", "left", "0x0", "point", "auto"};

Result<> add_box(Words& options, const Transformation& t) {
  if (!has_side(t)) return {};
  options.add("width", t.width_px);
  options.add("height", t.height_px);
  options.add("dpr", t.dpr_e2, 2);
  const FitWord* fit = find_fit(kFits, t);
  if (fit == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  if (!fit->word.empty()) options.add("fit", fit->word);
  std::string_view gravity = word_of(kGravities, t);
  if (gravity == "point") {
    options.add("gravity", fixed_text(t.gravity->x_e4, 4) + "x" + fixed_text(t.gravity->y_e4, 4));
  } else if (!gravity.empty()) {
    options.add("gravity", gravity);
  }
  return {};
}

void add_window(Words& options, const CropBox& crop) {
  if (crop.x != 0) options.add("trim.left", crop.x);
  if (crop.y != 0) options.add("trim.top", crop.y);
  options.add("trim.width", crop.width);
  options.add("trim.height", crop.height);
}

// A blur of theirs is 2.5 sigmas; a flip comes before the turn, and is the other one then.
void add_effects(Words& options, const Transformation& t) {
  bool is_in_pixels = t.crop && t.crop->unit == CropBox::Unit::Pixels;
  if (is_in_pixels) add_window(options, *t.crop);
  if (t.trim_threshold) options.add("trim", "border");
  if (t.rotate_deg != 0) options.add("rotate", t.rotate_deg);
  if (t.flip == Flip::Horizontal) options.add("flip", t.rotate_deg % 180 == 0 ? "h" : "v");
  if (t.blur_e2) options.add("blur", (std::int64_t{*t.blur_e2} * 5 + 1) / 2, 2);
  options.add("sharpen", t.sharpen_e2, 2);
  if (names_background(t)) options.add("background", "#" + hex_text(background_of(t)));
  if (t.keep_metadata == KeepMetadata::Copyright) options.add("metadata", "copyright");
}

// One option is needed.
void add_encoding(Words& options, const Ask& ask) {
  const Transformation& t = ask.transformation;
  options.add("quality", quality_of(t));
  if (t.format_auto) {
    options.add("format", "auto");
  } else if (!is_source_format(ask) || options.is_empty()) {
    options.add("format", name_of(t.format));
  }
}

}  // namespace

Result<std::string> write_cloudflare(const Ask& ask, const Mount& mount) {
  Words options('=', ',');
  TRY(add_box(options, ask.transformation));
  add_effects(options, ask.transformation);
  add_encoding(options, ask);
  return below(mount, options.text() + "/" + encoded_source(ask));
}

}  // namespace tintype
