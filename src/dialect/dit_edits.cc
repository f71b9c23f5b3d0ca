// SPDX-License-Identifier: Apache-2.0
// The edits of AWS' Dynamic Image Transformation, one small function each (docs/dialects/dit.md).
#include "dialect/dit_edits.h"

#include <algorithm>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/thumbor.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Draft = DitDraft;
using Kind = Gravity::Kind;
using JsonKind = JsonValue::Kind;

// sharp's mild blur (a box of 3 x 3) and mild sharpening, as sigmas that look alike.
constexpr std::int32_t kMildBlur_e2 = 80, kMildSharpen_e2 = 50;
constexpr std::int32_t kMinBlur_e2 = 30, kMaxBlur_e2 = 10000;
constexpr std::int32_t kMinSharpen_e2 = 10, kMaxSharpen_e2 = 1000;
constexpr std::int32_t kDefaultTrim = 10, kMaxTrim_e2 = 10000;
constexpr std::int64_t kMaxPosition_px = 65535, kOne_e4 = 10000;

constexpr std::string_view kEncoders = "jpeg png webp avif";
constexpr std::string_view kEncoderRefused =
    "lossless nearLossless chromaSubsampling palette colours colors tile";
constexpr std::string_view kIgnored =
    "animated withMetadata keepMetadata keepExif keepIccProfile keepXmp withExif timeout "
    "autoOrient";
constexpr std::string_view kRefused =
    "affine bandbool blend boolean clahe composite contentModeration convolve ensureAlpha "
    "equalize extend extractChannel gamma gif grayscale greyscale heif joinChannel jp2 jxl "
    "linear median modulate negate normalise normalize overlayWith pipelineColorspace "
    "pipelineColourspace raw recomb removeAlpha roundCrop smartCrop threshold tiff tile "
    "tint toColorspace toColourspace unflatten withIccProfile";

// ---- Values: of JSON, or the text of a query

// For messages.
std::string_view shown_text(const JsonValue& value) {
  if (value.is(JsonKind::Object) || value.is(JsonKind::Array)) return "…";
  return value.text;
}

// null, 0 and "" are no side.
Result<std::optional<std::int32_t>> read_side(std::string_view name, const JsonValue& value) {
  if (is_dit_off(value)) return std::nullopt;
  auto side_px = parse_fixed(value.text, 0);
  if (!side_px || *side_px > kMaxSide) {
    return bad_option(name, shown_text(value), "0 to 16383 (pixels)");
  }
  if (*side_px == 0) return std::nullopt;
  return static_cast<std::int32_t>(*side_px);
}

// A text, or {"r": 255, "g": 0, "b": 0, "alpha": 0.5}.
Result<Color> read_color(std::string_view name, const JsonValue& value) {
  if (value.is(JsonKind::String)) return parse_thumbor_color(name, value.text);
  Color color;
  auto channel = [&](std::string_view member, std::uint8_t& out, std::int64_t scale) -> Result<> {
    const JsonValue* found = value.find(member);
    if (found == nullptr) return {};
    auto level_e4 = parse_fixed(found->text, 4);
    if (!level_e4 || *level_e4 * scale > 255 * 10000) {
      return bad_option(name, found->text, "a colour: r, g, b of 0 to 255, alpha of 0 to 1");
    }
    out = static_cast<std::uint8_t>((*level_e4 * scale + 5000) / 10000);
    return {};
  };
  if (!value.is(JsonKind::Object)) {
    return bad_option(name, shown_text(value), "a colour");
  }
  color.alpha = 255;
  TRY(channel("r", color.red, 1));
  TRY(channel("g", color.green, 1));
  TRY(channel("b", color.blue, 1));
  TRY(channel("alpha", color.alpha, 255));
  return color;
}

// ---- Resize

constexpr struct {
  std::string_view word;
  Fit fit;
} kFits[] = {{"cover", Fit::Cover},
             {"contain", Fit::Pad},
             {"fill", Fit::Stretch},
             {"inside", Fit::Inside},
             {"outside", Fit::Outside}};

Result<Fit> read_fit(const JsonValue& value) {
  for (const auto& known : kFits) {
    if (known.word == value.text) return known.fit;
  }
  return bad_option("fit", shown_text(value), "cover, contain, fill, inside or outside");
}

// sharp's words and numbers for positions, gravities and strategies.
constexpr struct {
  std::string_view word, alias, number;
  Kind kind;
} kPositions[] = {{"centre", "center", "0", Kind::Center},
                  {"top", "north", "1", Kind::North},
                  {"right", "east", "2", Kind::East},
                  {"bottom", "south", "3", Kind::South},
                  {"left", "west", "4", Kind::West},
                  {"right top", "northeast", "5", Kind::NorthEast},
                  {"right bottom", "southeast", "6", Kind::SouthEast},
                  {"left bottom", "southwest", "7", Kind::SouthWest},
                  {"left top", "northwest", "8", Kind::NorthWest},
                  {"entropy", "entropy", "16", Kind::Smart},
                  {"attention", "attention", "17", Kind::Smart}};

Result<Gravity> read_position(const JsonValue& value) {
  for (const auto& known : kPositions) {
    if (known.word == value.text || known.alias == value.text || known.number == value.text) {
      return Gravity{known.kind};
    }
  }
  return bad_option("position", shown_text(value),
                    "centre, top, right top, … north, northeast, … entropy or attention");
}

Result<> apply_resize(Draft& draft, const JsonValue& value) {
  for (std::size_t i = 0; i < value.names.size(); ++i) {
    TRY(apply_dit_resize(draft, value.names[i], value.items[i]));
  }
  return {};
}

// ---- The other edits

// {"left": 0, "top": 0, "width": 300, "height": 200} of the source.
Result<> apply_crop(Draft& draft, const JsonValue& value) {
  const DitResize& resize = draft.resize;
  if (resize.width_px || resize.height_px || draft.turn_deg != 0) {
    return unsupported("crop", "after resize or rotate");
  }
  std::int32_t at_px[4] = {};
  constexpr std::string_view kNames[] = {"left", "top", "width", "height"};
  for (std::size_t i = 0; i < 4; ++i) {
    const JsonValue* member = value.find(kNames[i]);
    // sharp takes whole numbers only.
    auto at_e4 = parse_fixed(member != nullptr ? member->text : "", 4);
    std::int64_t least_e4 = i < 2 ? 0 : kOne_e4;
    if (!at_e4 || *at_e4 < least_e4 || *at_e4 > kMaxPosition_px * kOne_e4 ||
        *at_e4 % kOne_e4 != 0) {
      return bad_option("crop", kNames[i], "left, top, width and height in whole pixels");
    }
    at_px[i] = static_cast<std::int32_t>(*at_e4 / kOne_e4);
  }
  draft.ask.transformation.crop = CropBox{at_px[0], at_px[1], at_px[2], at_px[3]};
  mark(draft.ask, OptionId::Crop);
  return {};
}

Result<> apply_rotate(Draft& draft, const JsonValue& value) {
  auto angle = parse_int(value.text);
  if (!angle) return bad_option("rotate", shown_text(value), "a number of degrees");
  if (*angle % 90 != 0) return unsupported("rotate", value.text);
  draft.turn_deg = (*angle % 360 + 360) % 360;
  return {};
}

Result<> apply_flip(Draft& draft, const JsonValue&) {
  draft.flip = true;
  return {};
}

Result<> apply_flop(Draft& draft, const JsonValue&) {
  draft.flop = true;
  return {};
}

Result<> apply_blur(Draft& draft, const JsonValue& value) {
  std::int32_t sigma_e2 = kMildBlur_e2;
  if (value.text != "true") {
    TRY(sigma_e2, parse_hundredths("blur", shown_text(value), kMaxBlur_e2));
  }
  if (sigma_e2 >= kMinBlur_e2) draft.ask.transformation.blur_e2 = sigma_e2;
  mark(draft.ask, OptionId::Blur);
  return {};
}

Result<> apply_sharpen(Draft& draft, const JsonValue& value) {
  std::int32_t sigma_e2 = kMildSharpen_e2;
  const JsonValue* sigma = value.is(JsonKind::Object) ? value.find("sigma") : &value;
  if (sigma == nullptr || value.items.size() > 1)
    return unsupported("sharpen", "more than a sigma");
  if (value.text != "true") {
    TRY(sigma_e2, parse_hundredths("sharpen", shown_text(*sigma), kMaxSharpen_e2));
  }
  if (sigma_e2 >= kMinSharpen_e2) draft.ask.transformation.sharpen_e2 = sigma_e2;
  mark(draft.ask, OptionId::Sharpen);
  return {};
}

Result<> apply_flatten(Draft& draft, const JsonValue& value) {
  const JsonValue* background = value.find("background");
  Color color{0, 0, 0, 255};
  if (background != nullptr) {
    TRY(color, read_color("flatten", *background));
  }
  draft.ask.transformation.background = color;
  mark(draft.ask, OptionId::Background);
  return {};
}

Result<> apply_trim(Draft& draft, const JsonValue& value) {
  const JsonValue* threshold = value.is(JsonKind::Object) ? value.find("threshold") : &value;
  if (value.find("background") != nullptr) return unsupported("trim", "background");
  std::int32_t threshold_e2 = kDefaultTrim * 100;
  if (threshold != nullptr && threshold->text != "true") {
    TRY(threshold_e2, parse_hundredths("trim", shown_text(*threshold), kMaxTrim_e2));
  }
  draft.ask.transformation.trim_threshold = std::max((threshold_e2 + 50) / 100, 1);
  mark(draft.ask, OptionId::Trim);
  return {};
}

Result<> apply_format(Draft& draft, const JsonValue& value) {
  draft.to_format = value.text;
  return {};
}

// "jpeg": {"quality": 70, "progressive": true}. What only trades time for bytes has no effect.
Result<> apply_encoder(Draft& draft, std::string_view format, const JsonValue& value) {
  if (draft.output_format.empty()) draft.output_format = format;
  for (std::size_t i = 0; i < value.names.size(); ++i) {
    const std::string& name = value.names[i];
    if (name == "quality") {
      TRY(keep_dit_quality(draft, format, shown_text(value.items[i])));
    } else if (is_among(kEncoderRefused, name) && !is_dit_off(value.items[i])) {
      return unsupported(std::string(format) + "." + name, shown_text(value.items[i]));
    }
  }
  return {};
}

constexpr struct {
  std::string_view name;
  Result<> (*apply)(Draft&, const JsonValue&);
} kEdits[] = {{"resize", apply_resize},   {"crop", apply_crop},       {"extract", apply_crop},
              {"rotate", apply_rotate},   {"flip", apply_flip},       {"flop", apply_flop},
              {"blur", apply_blur},       {"sharpen", apply_sharpen}, {"trim", apply_trim},
              {"flatten", apply_flatten}, {"toFormat", apply_format}};

}  // namespace

bool is_dit_off(const JsonValue& value) {
  return value.is(JsonKind::Null) || value.text == "false" ||
         (value.is(JsonKind::String) && (value.text.empty() || value.text == "0"));
}

Result<> apply_dit_resize(DitDraft& draft, std::string_view name, const JsonValue& value) {
  DitResize& resize = draft.resize;
  if (name == "width") {
    TRY(resize.width_px, read_side(name, value));
  } else if (name == "height") {
    TRY(resize.height_px, read_side(name, value));
  } else if (is_dit_off(value) || name == "fastShrinkOnLoad") {
    // null and false say nothing.
  } else if (name == "fit") {
    TRY(resize.fit, read_fit(value));
  } else if (name == "position") {
    TRY(resize.gravity, read_position(value));
  } else if (name == "background") {
    TRY(resize.background, read_color(name, value));
  } else if (name == "withoutEnlargement") {
    resize.without_enlargement = true;
  } else if (name == "withoutReduction" || name == "kernel" || name == "ratio") {
    return unsupported(name, shown_text(value));
  } else {
    draft.ask.unknown.push_back("resize." + std::string(name));
  }
  return {};
}

Result<> keep_dit_quality(DitDraft& draft, std::string_view format, std::string_view value) {
  auto quality_pct = parse_int(value);
  if (!quality_pct || *quality_pct < 1 || *quality_pct > 100) {
    return bad_option("quality", value, "1 to 100");
  }
  draft.quality_pct[std::string(format)] = static_cast<std::int32_t>(*quality_pct);
  return {};
}

Result<> apply_dit_edit(DitDraft& draft, std::string_view name, const JsonValue& value) {
  if (is_dit_off(value) || is_among(kIgnored, name)) return {};
  if (is_among(kRefused, name)) return unsupported(name, shown_text(value));
  if (is_among(kEncoders, name)) return apply_encoder(draft, name, value);
  for (const auto& known : kEdits) {
    if (known.name == name) return known.apply(draft, value);
  }
  draft.ask.unknown.emplace_back(name);
  return {};
}

}  // namespace tintype
