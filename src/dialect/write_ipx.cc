// SPDX-License-Identifier: Apache-2.0
// IPX (ipx.cc): "/_ipx/s_400x300,fit_cover,f_webp/a.jpg", "/_ipx/_/a.jpg" for no modifiers.
#include "dialect/writing.h"

namespace tintype {
namespace {

constexpr std::string_view kLanguage = "ipx";

// enlarge says whether; sharp's default is cover.
constexpr FitWord kFits[] = {{Fit::Inside, false, "inside"},
                             {Fit::Pad, false, "contain"},
                             {Fit::Cover, false, ""},
                             {Fit::Stretch, false, "fill"},
                             {Fit::Outside, false, "outside"}};

constexpr std::string_view kGravities[] = {"",          "top",    "northeast", "right",
                                           "southeast", "bottom", "southwest", "left",
                                           "northwest", "",       "attention"};

Result<> add_box(Words& modifiers, const Transformation& t) {
  if (!has_side(t)) return {};
  if (t.upscale) modifiers.add_flag("enlarge");
  if (!has_box(t)) {
    modifiers.add("w", t.width_px);
    modifiers.add("h", t.height_px);
    // A cut or a ratio.
    if (t.fit) return cannot_say(t, t.aspect ? OptionId::AspectRatio : OptionId::Fit, kLanguage);
    return {};
  }
  modifiers.add("s", fixed_text(*t.width_px, 0) + "x" + fixed_text(*t.height_px, 0));
  const FitWord* fit = find_fit(kFits, t);
  if (fit == nullptr) return cannot_say(t, OptionId::Fit, kLanguage);
  if (!fit->word.empty()) modifiers.add("fit", fit->word);
  std::string_view gravity = word_of(kGravities, t);
  if (!gravity.empty()) modifiers.add("position", gravity);
  return {};
}

// A flip comes before the turn, and is the other one then. Padding is black if nothing is said;
// without padding a colour counts beside flatten only.
void add_effects(Words& modifiers, const Transformation& t) {
  if (t.crop && t.crop->unit == CropBox::Unit::Pixels) {
    modifiers.add("extract", fixed_text(t.crop->x, 0) + "_" + fixed_text(t.crop->y, 0) + "_" +
                                 fixed_text(t.crop->width, 0) + "_" +
                                 fixed_text(t.crop->height, 0));
  }
  modifiers.add("trim", t.trim_threshold);
  if (t.rotate_deg != 0) modifiers.add("rotate", t.rotate_deg);
  if (t.flip == Flip::Horizontal) modifiers.add_flag(t.rotate_deg % 180 == 0 ? "flop" : "flip");
  modifiers.add("blur", t.blur_e2, 2);
  modifiers.add("sharpen", t.sharpen_e2, 2);
  if (t.background || pads(t)) modifiers.add("b", hex_text(background_of(t)));
  if (t.background && !pads(t)) modifiers.add_flag("flatten");
}

void add_encoding(Words& modifiers, const Ask& ask) {
  const Transformation& t = ask.transformation;
  if (t.format_auto) {
    modifiers.add("f", "auto");
  } else if (!is_source_format(ask)) {
    modifiers.add("f", name_of(t.format));
  }
  modifiers.add("q", quality_of(t));
}

}  // namespace

Result<std::string> write_ipx(const Ask& ask, const Mount& mount) {
  Words modifiers('_', ',');
  TRY(add_box(modifiers, ask.transformation));
  add_effects(modifiers, ask.transformation);
  add_encoding(modifiers, ask);
  std::string rest = modifiers.is_empty() ? "_" : modifiers.text();
  return below(mount, rest + "/" + encoded_source(ask));
}

}  // namespace tintype
