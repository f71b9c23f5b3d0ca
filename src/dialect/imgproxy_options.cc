// SPDX-License-Identifier: Apache-2.0
// The options of an imgproxy URL, one small function each (docs/dialects/imgproxy.md).
#include <algorithm>
#include <span>

#include "base/text.h"
#include "dialect/imgproxy_draft.h"
#include "dialect/request.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Kind = Gravity::Kind;
using Anchor = ImgproxyAnchor;
using Draft = ImgproxyDraft;
using Extension = ImgproxyExtension;

constexpr std::int64_t kOne_e4 = 10000;
constexpr auto& kFormats = kImgproxyFormats;
constexpr std::string_view kOtherFormats = "jxl gif ico svg heic bmp tiff best mp4 pdf psd";

using Args = std::span<const std::string_view>;

struct Call {
  std::string_view name;  // the long one
  Args args;
  std::string_view arg(std::size_t i) const { return i < args.size() ? args[i] : ""; }
  std::string text() const {
    std::string joined;
    for (std::string_view argument : args) joined.append(joined.empty() ? "" : ":") += argument;
    return joined;
  }
};

void name(Draft& draft, OptionId id) {
  mark(draft.ask, id);
  draft.named |= bit_of(id);
  draft.ask.yielding &= ~bit_of(id);
}

struct Range {
  std::int64_t min, max;
  int decimals;
  std::string_view allowed;
};
constexpr Range kLength{0, kImgproxyMaxCrop_px* kOne_e4, 4, "0 to 65535 (pixels; below 1 a share)"};
constexpr Range kShare{0, kOne_e4, 4, "0 to 1"};
constexpr Range kChannel{0, 255, 0, "0 to 255"};
constexpr Range kQuality{0, 100, 0, "0 to 100"};

Result<std::int64_t> read_number(std::string_view option, std::string_view value, Range range) {
  auto number = parse_fixed(value, range.decimals);
  bool has_right_form = range.decimals > 0 || value.find('.') == std::string_view::npos;
  if (number && has_right_form && *number >= range.min && *number <= range.max) return *number;
  return bad_option(option, value, range.allowed);
}

// A number that is kept as it is; below `least` it asks for nothing.
struct Number {
  OptionId id;
  std::optional<std::int32_t> Transformation::*field;
  Range range;
  std::int64_t least = 1;
};
constexpr Range kSide{0, kMaxSide, 0, "0 to 16383 (pixels)"};
constexpr Number kWidth{OptionId::Width, &Transformation::width_px, kSide};
constexpr Number kHeight{OptionId::Height, &Transformation::height_px, kSide};
constexpr Number kDpr{OptionId::Dpr, &Transformation::dpr_e2, {10, 800, 2, "0.1 to 8"}};
constexpr Number kPercent{OptionId::Quality, &Transformation::quality_pct, kQuality};
// Below these a filter changes nothing that 8 bits can hold (transform/option_value.cc).
constexpr Number kBlur{
    OptionId::Blur, &Transformation::blur_e2, {0, 10000, 2, "0 to 100 (sigma in pixels)"}, 30};
constexpr Number kSharpen{
    OptionId::Sharpen, &Transformation::sharpen_e2, {0, 1000, 2, "0 to 10 (sigma in pixels)"}, 10};

template <const Number& number>
Result<> apply_number(Draft& draft, const Call& call) {
  TRY(auto value, read_number(call.name, call.arg(0), number.range));
  auto& field = draft.ask.transformation.*number.field;
  field.reset();
  if (value >= number.least) field = static_cast<std::int32_t>(value);
  name(draft, number.id);
  return {};
}

bool is_off(std::string_view value) {
  return value.empty() || value == "0" || value == "f" || equals_ignoring_case(value, "false");
}

Result<bool> read_switch(std::string_view option, std::string_view value) {
  if (value == "1" || value == "t" || equals_ignoring_case(value, "true")) return true;
  if (is_off(value)) return false;
  return bad_option(option, value, "1, t, true, 0, f or false");
}

// ---- Gravity and size

constexpr struct {
  std::string_view word;
  Kind kind;
  int pull_x = 0, pull_y = 0;
} kAnchors[] = {{"ce", Kind::Center},
                {"no", Kind::North, 0, -1},
                {"so", Kind::South, 0, 1},
                {"ea", Kind::East, 1, 0},
                {"we", Kind::West, -1, 0},
                {"sm", Kind::Smart},
                {"noea", Kind::NorthEast, 1, -1},
                {"nowe", Kind::NorthWest, -1, -1},
                {"fp", Kind::FocalPoint},
                {"soea", Kind::SouthEast, 1, 1},
                {"sowe", Kind::SouthWest, -1, 1}};

// <x>:<y>: of a focal point its place, else offsets, which may be missing or negative.
Result<> read_coordinates(Anchor& anchor, const Call& call) {
  bool is_focal = anchor.gravity.kind == Kind::FocalPoint;
  std::array<std::int64_t, 2> read_e4{};
  for (std::size_t i = 0; i < 2; ++i) {
    std::string_view value = call.arg(i + 1);
    if (value.empty() && !is_focal) continue;
    bool is_negative = value.starts_with('-') && !is_focal;
    if (is_negative) value.remove_prefix(1);
    TRY(read_e4[i], read_number(call.name, value, is_focal ? kShare : kLength));
    if (is_negative) read_e4[i] = -read_e4[i];
  }
  if (is_focal) {
    anchor.gravity.x_e4 = static_cast<std::int16_t>(read_e4[0]);
    anchor.gravity.y_e4 = static_cast<std::int16_t>(read_e4[1]);
  } else {
    anchor.offset_x_e4 = read_e4[0];
    anchor.offset_y_e4 = read_e4[1];
  }
  return {};
}

Result<Anchor> read_anchor(const Call& call) {
  if (call.arg(0) == "obj" || call.arg(0) == "objw") return unsupported(call.name, call.text());
  for (const auto& known : kAnchors) {
    if (known.word != call.arg(0)) continue;
    if (call.args.size() > (known.kind == Kind::Smart ? 1 : 3)) break;
    Anchor anchor{{known.kind}, known.pull_x, known.pull_y};
    TRY(read_coordinates(anchor, call));
    return anchor;
  }
  return bad_option(call.name, call.text(),
                    "sm, fp:<x>:<y>, or ce, no, so, ea, we, noea, nowe, soea, sowe with offsets");
}

Result<> apply_gravity(Draft& draft, const Call& call) {
  TRY(draft.anchor, read_anchor(call));
  name(draft, OptionId::Gravity);
  return {};
}

Result<> apply_enlarge(Draft& draft, const Call& call) {
  TRY(draft.ask.transformation.upscale, read_switch(call.name, call.arg(0)));
  name(draft, OptionId::Upscale);
  return {};
}

// <on>[:<gravity>]
template <Extension Draft::*field>
Result<> apply_extension(Draft& draft, const Call& call) {
  Extension extension;
  TRY(extension.is_on, read_switch(call.name, call.arg(0)));
  if (call.args.size() > 1) {
    TRY(extension.anchor, read_anchor({call.name, call.args.subspan(1)}));
  }
  Kind kind = extension.anchor.gravity.kind;
  if (kind == Kind::Smart || kind == Kind::FocalPoint || extension.anchor.has_offset()) {
    return unsupported(call.name, call.text());
  }
  draft.*field = extension;
  name(draft, OptionId::Fit);
  return {};
}

constexpr struct {
  std::string_view word;
  Fit fit;
  bool fills_down = false;
} kResizings[] = {{"fit", Fit::Inside},
                  {"fill", Fit::Cover},
                  {"fill-down", Fit::Cover, true},
                  {"force", Fit::Stretch}};

Result<> apply_resizing_type(Draft& draft, const Call& call) {
  if (call.arg(0) == "auto") return unsupported(call.name, "auto");
  for (const auto& known : kResizings) {
    if (known.word != call.arg(0)) continue;
    draft.fit = known.fit;
    draft.fills_down = known.fills_down;
    name(draft, OptionId::Fit);
    name(draft, OptionId::Small);
    return {};
  }
  return bad_option(call.name, call.arg(0), "fit, fill, fill-down, force or auto");
}

// <width>:<height>:<enlarge>:<extend>, where an empty one leaves things as they are.
Result<> apply_size(Draft& draft, const Call& call) {
  const Args args = call.args;
  if (!call.arg(0).empty()) TRY(apply_number<kWidth>(draft, {"width", args.first(1)}));
  if (!call.arg(1).empty()) TRY(apply_number<kHeight>(draft, {"height", args.subspan(1, 1)}));
  if (!call.arg(2).empty()) TRY(apply_enlarge(draft, {"enlarge", args.subspan(2, 1)}));
  if (!call.arg(3).empty()) {
    TRY(apply_extension<&Draft::extend>(draft, {"extend", args.subspan(3)}));
  }
  return {};
}

Result<> apply_resize(Draft& draft, const Call& call) {
  if (!call.arg(0).empty()) {
    TRY(apply_resizing_type(draft, {"resizing_type", call.args.first(1)}));
  }
  return apply_size(draft, {call.name, call.args.subspan(1)});
}

Result<> apply_crop(Draft& draft, const Call& call) {
  draft.crop = call.text();
  TRY(draft.crop_width_e4, read_number(call.name, call.arg(0), kLength));
  TRY(draft.crop_height_e4,
      read_number(call.name, call.args.size() > 1 ? call.arg(1) : "0", kLength));
  draft.crop_anchor.reset();
  if (call.args.size() > 2) {
    TRY(draft.crop_anchor, read_anchor({call.name, call.args.subspan(2)}));
  }
  name(draft, OptionId::Crop);
  return {};
}

// <threshold>:<color>:<equal_hor>:<equal_ver>; no threshold: no trim.
Result<> apply_trim(Draft& draft, const Call& call) {
  constexpr Range kThreshold{0, 1000, 1, "0 to 100 (colour distance)"};
  auto& threshold = draft.ask.transformation.trim_threshold;
  threshold.reset();
  name(draft, OptionId::Trim);
  if (call.arg(0).empty()) return {};
  if (!call.arg(1).empty() || !is_off(call.arg(2)) || !is_off(call.arg(3))) {
    return unsupported(call.name, call.text());
  }
  TRY(auto asked_e1, read_number(call.name, call.arg(0), kThreshold));
  threshold = static_cast<std::int32_t>(std::max<std::int64_t>((asked_e1 + 5) / 10, 1));
  return {};
}

// ---- Turning, colours, encoding

Result<> apply_rotate(Draft& draft, const Call& call) {
  auto angle = parse_int(call.arg(0));
  if (!angle || *angle % 90 != 0) return bad_option(call.name, call.arg(0), "a multiple of 90");
  draft.ask.transformation.rotate_deg = static_cast<std::int16_t>((*angle % 360 + 360) % 360);
  name(draft, OptionId::Rotate);
  return {};
}

Result<> apply_flip(Draft& draft, const Call& call) {
  constexpr Flip kFlips[2][2] = {{Flip::None, Flip::Vertical}, {Flip::Horizontal, Flip::Both}};
  TRY(bool horizontal, read_switch(call.name, call.arg(0)));
  TRY(bool vertical, read_switch(call.name, call.arg(1)));
  draft.ask.transformation.flip = kFlips[horizontal][vertical];
  name(draft, OptionId::Flip);
  return {};
}

// <R>:<G>:<B>, hexadecimal, or empty for none.
Result<> apply_background(Draft& draft, const Call& call) {
  name(draft, OptionId::Background);
  auto& background = draft.ask.transformation.background;
  std::string_view hex = call.arg(0);
  if (call.args.size() == 3) {
    std::array<std::uint8_t, 3> rgb{};
    for (std::size_t i = 0; i < 3; ++i) {
      TRY(auto channel, read_number(call.name, call.args[i], kChannel));
      rgb[i] = static_cast<std::uint8_t>(channel);
    }
    background = Color{rgb[0], rgb[1], rgb[2], 255};
    return {};
  }
  background.reset();
  if (hex.empty()) return {};
  if ((hex.size() == 3 || hex.size() == 6) && call.args.size() == 1 &&
      hex.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos) {
    return set(draft.ask, OptionId::Background, hex, call.name);
  }
  return bad_option(call.name, call.text(), "3 or 6 hexadecimal digits, or R:G:B");
}

// Its place in kFormats.
Result<std::size_t> read_format(std::string_view option, std::string_view word) {
  if (word == "jpeg") word = "jpg";
  for (std::size_t i = 0; i < std::size(kFormats); ++i) {
    if (kFormats[i].word == word) return i;
  }
  if (is_among(kOtherFormats, word)) return unsupported(option, word);
  return bad_option(option, word, "jpg, png, webp or avif");
}

Result<> apply_format(Draft& draft, const Call& call) {
  TRY(auto which, read_format(call.name, call.arg(0)));
  draft.ask.transformation.format = kFormats[which].format;
  draft.ask.transformation.format_auto = false;
  name(draft, OptionId::Format);
  return {};
}

// <format>:<quality>:… That of a format that is not written here is never needed.
Result<> apply_format_quality(Draft& draft, const Call& call) {
  for (std::size_t i = 0; i < call.args.size(); i += 2) {
    TRY(auto quality_pct, read_number(call.name, call.arg(i + 1), kQuality));
    auto which = read_format(call.name, call.args[i]);
    if (which) {
      draft.format_quality_pct[*which] = static_cast<std::int32_t>(quality_pct);
    } else if (which.error().code != ErrorCode::UnsupportedOption) {
      return fail(which.error());
    }
  }
  return {};
}

Result<> apply_keep_copyright(Draft& draft, const Call& call) {
  TRY(bool keeps, read_switch(call.name, call.arg(0)));
  draft.ask.transformation.keep_metadata = keeps ? KeepMetadata::Copyright : KeepMetadata::None;
  name(draft, OptionId::Metadata);
  return {};
}

// What has been named so far yields to the preset.
Result<> apply_preset(Draft& draft, const Call& call) {
  if (call.args.size() > 1 || !draft.ask.preset.empty()) {
    return unsupported(call.name, call.text());
  }
  TRY(set(draft.ask, OptionId::Preset, call.arg(0), call.name));
  draft.ask.yielding = draft.named;
  return {};
}

// ---- The table of options

Result<> refuse(Draft&, const Call& call) {
  return unsupported(call.name, call.text());
}

Result<> refuse_unless_on(Draft& draft, const Call& call) {
  TRY(bool is_on, read_switch(call.name, call.arg(0)));
  return is_on ? Result<>() : refuse(draft, call);
}

Result<> refuse_unless_one(Draft& draft, const Call& call) {
  bool is_none = std::all_of(call.args.begin(), call.args.end(),
                             [](std::string_view value) { return value == "1"; });
  return is_none ? Result<>() : refuse(draft, call);
}

Result<> refuse_unless_off(Draft& draft, const Call& call) {
  bool is_none = std::all_of(call.args.begin(), call.args.end(), is_off);
  return is_none ? Result<>() : refuse(draft, call);
}

constexpr struct {
  std::string_view name, alias, second_alias;
  std::size_t max_args;
  Result<> (*apply)(Draft&, const Call&);
} kOptions[] = {
    {"resize", "rs", {}, 8, apply_resize},
    {"size", "s", {}, 7, apply_size},
    {"resizing_type", "rt", {}, 1, apply_resizing_type},
    {"width", "w", {}, 1, apply_number<kWidth>},
    {"height", "h", {}, 1, apply_number<kHeight>},
    {"dpr", {}, {}, 1, apply_number<kDpr>},
    {"enlarge", "el", {}, 1, apply_enlarge},
    {"extend", "ex", {}, 4, apply_extension<&Draft::extend>},
    {"extend_aspect_ratio", "extend_ar", "exar", 4, apply_extension<&Draft::extend_ratio>},
    {"gravity", "g", {}, 99, apply_gravity},
    {"crop", "c", {}, 99, apply_crop},
    {"trim", "t", {}, 4, apply_trim},
    {"auto_rotate", "ar", {}, 1, refuse_unless_on},
    {"rotate", "rot", {}, 1, apply_rotate},
    {"flip", "fl", {}, 2, apply_flip},
    {"background", "bg", {}, 3, apply_background},
    {"blur", "bl", {}, 1, apply_number<kBlur>},
    {"sharpen", "sh", {}, 1, apply_number<kSharpen>},
    {"quality", "q", {}, 1, apply_number<kPercent>},
    {"format_quality", "fq", {}, 99, apply_format_quality},
    {"format", "f", "ext", 1, apply_format},
    {"keep_copyright", "kcr", {}, 1, apply_keep_copyright},
    {"preset", "pr", {}, 99, apply_preset},
    {"expires", "exp", {}, 1, refuse},
    {"zoom", "z", {}, 2, refuse_unless_one},
    {"pixelate", "pix", {}, 1, refuse_unless_one},
    {"padding", "pd", {}, 4, refuse_unless_off},
    {"min-width", "mw", {}, 1, refuse_unless_off},
    {"min-height", "mh", {}, 1, refuse_unless_off},
    {"max_bytes", "mb", {}, 1, refuse_unless_off},
    {"raw", {}, {}, 1, refuse_unless_off},
    {"enforce_thumbnail", "eth", {}, 1, refuse_unless_off},
};

constexpr std::string_view kWithoutEffect =
    "strip_metadata sm strip_color_profile scp cachebuster cb filename fn att "
    "return_attachment dpi disable_animation da";

// Those from resizing_algorithm on are imgproxy Pro's.
constexpr std::string_view kRefused =
    "watermark wm skip_processing skp max_src_resolution msr max_src_file_size msfs "
    "max_animation_frames maf max_animation_frame_resolution mafr max_result_dimension mrd "
    "resizing_algorithm ra crop_aspect_ratio crop_ar car objects_position obj_pos op "
    "background_alpha bga adjust a brightness br contrast co saturation sa monochrome mc "
    "duotone dt unsharp_masking ush blur_detections bd draw_detections dd colorize col "
    "gradient gr watermark_url wmu watermark_text wmt watermark_size wms watermark_rotate "
    "wm_rot wmr watermark_shadow wmsh style st autoquality aq jpeg_options jpgo png_options "
    "pngo webp_options webpo avif_options avifo page pg pages pgs video_thumbnail_second vts "
    "video_thumbnail_keyframes vtk video_thumbnail_tile vtt video_thumbnail_animation vta "
    "fallback_image_url fiu hashsum hs";

}  // namespace

Result<> apply_imgproxy_option(Draft& draft, std::string_view text) {
  std::vector<std::string_view> parts = split(text, ':');
  Call call{parts[0], Args(parts).subspan(1)};
  if (is_among(kWithoutEffect, call.name)) return {};
  if (is_among(kRefused, call.name)) return refuse(draft, call);
  for (const auto& option : kOptions) {
    bool is_it =
        call.name == option.name || call.name == option.alias || call.name == option.second_alias;
    if (!is_it || call.name.empty()) continue;
    call.name = option.name;
    if (call.args.size() <= option.max_args) return option.apply(draft, call);
    return bad_option(call.name, call.text(),
                      "at most " + std::to_string(option.max_args) + " arguments");
  }
  draft.ask.unknown.emplace_back(call.name);
  return {};
}

}  // namespace tintype
