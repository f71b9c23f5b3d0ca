// SPDX-License-Identifier: Apache-2.0
// Scene7 (Adobe Dynamic Media): /is/image/<company>/<asset>?<modifier>&<modifier>&…
//
// A modifier is name=value, $preset$, $variable=value or .comment, and its name case-insensitive.
// A later one wins; a preset is expanded where it stands, so that what is named before it yields to
// it. Both sides are filled exactly, by padding, unless fit= says otherwise; a lone side never
// pads. What a company's catalogue says is ours to choose: JPEG, quality 80, white, no enlarging.
// Pinned by spec/vectors/scene7.txt.
#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "dialect/request.h"

namespace tintype {
namespace {

struct Asked {
  Ask ask;
  std::string fit, align, region;  // as asked, for error texts
  bool is_thumbnail = false;       // req=tmb
  bool is_unscaled = false;        // scl=1
  bool fits_one_side = false;      // fit=hfit or vfit
  bool keeps_alpha = false;        // fmt=…-alpha
  bool adapts_format = false;      // bfc=on
  bool adapts_quality = false;     // network=on
};

struct Modifier {
  std::string_view name, value;

  [[nodiscard]] Failure must_be(std::string_view allowed) const {
    return bad_option(name, value, allowed);
  }
  [[nodiscard]] Failure is_unsupported() const { return unsupported(name, value); }
};

using Apply = Result<> (*)(Asked&, const Modifier&);

// No documentation says what an amount or a radius of theirs is as a sigma; halves look alike.
constexpr std::int32_t kSigmaPerAmount_e2 = 50, kSigmaPerRadius_e2 = 50;
constexpr std::int32_t kThumbnail_px = 100;  // DefaultThumbPix as it is delivered
constexpr std::string_view kHexDigits = "0123456789abcdefABCDEF";

// Whether `word` stands in a list of lower-case words between spaces.
bool contains(std::string_view list, std::string_view word) {
  return word.find(' ') == std::string_view::npos &&
         list.find(" " + lower(word) + " ") != std::string_view::npos;
}

// Comma-separated decimals; nothing when one of them is none or there are too many.
std::optional<std::vector<double>> parse_numbers(std::string_view text, std::size_t max_count) {
  std::vector<double> numbers;
  for (std::string_view part : split(text, ',')) {
    auto number = parse_decimal(part);
    if (!number || numbers.size() == max_count) return std::nullopt;
    numbers.push_back(*number);
  }
  return numbers;
}

// set() takes the word auto for some numbers; this vendor has no such word.
Result<> set_number(Ask& ask, OptionId id, const Modifier& modifier) {
  if (!parse_decimal(modifier.value)) return modifier.must_be("a number");
  return set(ask, id, modifier.value, modifier.name);
}

Result<> apply_side(Asked& asked, const Modifier& modifier) {
  auto id = modifier.name == "wid" ? OptionId::Width : OptionId::Height;
  return set_number(asked.ask, id, modifier);
}

constexpr struct {
  std::string_view mode;
  Fit fit;
} kFits[] = {{"fit", Fit::Pad},      {"constrain", Fit::Inside}, {"crop", Fit::Cover},
             {"wrap", Fit::Outside}, {"stretch", Fit::Stretch},  {"hfit", Fit::Inside},
             {"vfit", Fit::Inside}};

Result<> apply_fit(Asked& asked, const Modifier& modifier) {
  std::size_t comma = std::min(modifier.value.find(','), modifier.value.size());
  std::string_view mode = modifier.value.substr(0, comma), upscale = modifier.value.substr(comma);
  const auto* known = std::find_if(std::begin(kFits), std::end(kFits),
                                   [&](const auto& fit) { return fit.mode == mode; });
  if (known == std::end(kFits) || (!upscale.empty() && upscale != ",0" && upscale != ",1")) {
    return modifier.must_be("fit, constrain, crop, wrap, stretch, hfit or vfit, then ,0 or ,1");
  }
  set_fit(asked.ask, known->fit, upscale == ",1");
  asked.ask.transformation.small = Small::Pad;
  mark(asked.ask, OptionId::Small);
  asked.fit = modifier.value;
  asked.fits_one_side = mode == "hfit" || mode == "vfit";
  return {};
}

Result<> apply_scale(Asked& asked, const Modifier& modifier) {
  auto factor = parse_decimal(modifier.value);
  if (!factor || *factor <= 0) return modifier.must_be("a positive number");
  if (*factor != 1) return modifier.is_unsupported();
  asked.is_unscaled = true;
  return {};
}

Result<> apply_dpr(Asked& asked, const Modifier& modifier) {
  if (modifier.value == "off") return set(asked.ask, OptionId::Dpr, "1", modifier.name);
  if (modifier.value == "on") return set(asked.ask, OptionId::Dpr, "auto", modifier.name);
  if (!modifier.value.starts_with("on,")) return modifier.must_be("on, on,<ratio> or off");
  return set_number(asked.ask, OptionId::Dpr, {modifier.name, modifier.value.substr(3)});
}

// -1..1 from the left or top to the right or bottom.
Result<> apply_align(Asked& asked, const Modifier& modifier) {
  using Kind = Gravity::Kind;
  static constexpr Kind kGrid[3][3] = {{Kind::NorthWest, Kind::North, Kind::NorthEast},
                                       {Kind::West, Kind::Center, Kind::East},
                                       {Kind::SouthWest, Kind::South, Kind::SouthEast}};
  auto numbers = parse_numbers(modifier.value, 2);
  bool is_pair = numbers && numbers->size() == 2;
  if (!is_pair || std::abs(numbers->front()) > 1 || std::abs(numbers->back()) > 1) {
    return modifier.must_be("two numbers of -1 to 1");
  }
  auto x_e4 = static_cast<std::int16_t>(std::lround((numbers->front() + 1) * 5000));
  auto y_e4 = static_cast<std::int16_t>(std::lround((numbers->back() + 1) * 5000));
  bool is_compass = x_e4 % 5000 == 0 && y_e4 % 5000 == 0;
  set_gravity(asked.ask, is_compass ? Gravity{kGrid[y_e4 / 5000][x_e4 / 5000]}
                                    : Gravity{Kind::FocalPoint, x_e4, y_e4});
  asked.align = modifier.value;
  return {};
}

Result<> keep_box(Asked& asked, const CropBox& box, const Modifier& modifier) {
  bool is_region = modifier.name.starts_with("rgn");
  // A region lies in what a crop has left, and the one may stand before the other.
  if (asked.ask.transformation.crop && is_region == asked.region.empty()) {
    return modifier.is_unsupported();
  }
  asked.ask.transformation.crop = box;
  mark(asked.ask, OptionId::Crop);
  if (is_region) asked.region = modifier.value;
  return {};
}

// crop, rgn: x,y,width,height in pixels; cropN, rgnN: in fractions of the source's sides.
Result<> apply_box(Asked& asked, const Modifier& modifier) {
  bool is_relative = modifier.name.ends_with('N');
  const double max = is_relative ? 100 : 65535;
  auto numbers = parse_numbers(modifier.value, 4);
  bool is_box = numbers && numbers->size() == 4;
  std::array<std::int32_t, 4> box{};
  for (std::size_t i = 0; is_box && i < 4; ++i) {
    double number = (*numbers)[i];
    box[i] = static_cast<std::int32_t>(
        std::lround(std::clamp(number, -max, max) * (is_relative ? 10000 : 1)));
    is_box = std::abs(number) <= max && (i < 2 || box[i] > 0) &&
             (is_relative || number == std::trunc(number));
  }
  if (!is_box) {
    return modifier.must_be(is_relative ? "x,y,width,height in fractions, sides above 0"
                                        : "x,y,width,height in pixels, sides 1 to 65535");
  }
  bool is_beyond = is_relative && (box[0] + box[2] > 10000 || box[1] + box[3] > 10000);
  // The picture would get a margin.
  if (box[0] < 0 || box[1] < 0 || is_beyond) return modifier.is_unsupported();
  auto unit = is_relative ? CropBox::Unit::Percent : CropBox::Unit::Pixels;
  return keep_box(asked, {box[0], box[1], box[2], box[3], unit}, modifier);
}

Result<> apply_rotate(Asked& asked, const Modifier& modifier) {
  auto degrees = parse_decimal(modifier.value);
  if (!degrees) return modifier.must_be("degrees clockwise");
  double turn = std::fmod(std::fmod(*degrees, 360) + 360, 360);
  if (std::fmod(turn, 90) != 0) return modifier.is_unsupported();
  asked.ask.transformation.rotate_deg = static_cast<std::int16_t>(turn);
  mark(asked.ask, OptionId::Rotate);
  return {};
}

Result<> apply_flip(Asked& asked, const Modifier& modifier) {
  static constexpr std::string_view kFlips[] = {"", "lr", "ud", "lrud"};  // as in Flip
  const auto* known = std::find(std::begin(kFlips) + 1, std::end(kFlips), modifier.value);
  if (known == std::end(kFlips)) return modifier.must_be("lr, ud or lrud");
  asked.ask.transformation.flip = static_cast<Flip>(known - std::begin(kFlips));
  mark(asked.ask, OptionId::Flip);
  return {};
}

// "r,g,b" of 0 to 255 or "gray" of 0 to 100 percent.
std::optional<Color> parse_decimal_color(std::string_view text) {
  auto numbers = parse_numbers(text, 4);
  if (!numbers) return std::nullopt;
  bool is_gray = numbers->size() <= 2;
  std::array<std::uint8_t, 4> bytes{};
  for (std::size_t i = 0; i < numbers->size(); ++i) {
    double number = (*numbers)[i], max = is_gray ? 100 : 255;
    if (number < 0 || number > max || number != std::trunc(number)) return std::nullopt;
    bytes[i] = static_cast<std::uint8_t>(std::lround(number * 255 / max));
  }
  return is_gray ? Color{bytes[0], bytes[0], bytes[0]} : Color{bytes[0], bytes[1], bytes[2]};
}

// "0xRRGGBB", "RRGGBB", "0xGG" as RRGGBB; other texts as they are.
std::string plain_hex(std::string_view text) {
  bool has_prefix = text.size() > 2 && text[0] == '0' && lower(text[1]) == 'x';
  if (has_prefix) text.remove_prefix(2);
  std::string gray(text.substr(0, 2));
  if (has_prefix && (text.size() == 2 || text.size() == 4)) return gray + gray + gray;
  return std::string(text.size() == 8 ? text.substr(0, 6) : text);
}

// Each kind may have one more number or two more digits for alpha, which the vendor ignores.
Result<> apply_background(Asked& asked, const Modifier& modifier) {
  std::string_view text = modifier.value;
  // "s" says which colour profile is meant; r, g and k which kind of pixels.
  if (!text.empty() && lower(text.back()) == 's') text.remove_suffix(1);
  char kind = text.empty() ? ' ' : lower(text.back());
  if (kind == 'k') return modifier.is_unsupported();
  if (kind == 'r' || kind == 'g') text.remove_suffix(1);
  std::string hex = plain_hex(text);
  if (hex.size() == 6 && hex.find_first_not_of(kHexDigits) == std::string::npos) {
    return set(asked.ask, OptionId::Background, hex, modifier.name);
  }
  auto color = parse_decimal_color(text);
  if (!color) return modifier.must_be("r,g,b, RRGGBB, 0xRRGGBB or a gray in percent");
  asked.ask.transformation.background = color;
  mark(asked.ask, OptionId::Background);
  return {};
}

constexpr struct {
  std::string_view name;
  Format format;
} kFormats[] = {{"jpeg", Format::Jpeg}, {"jpg", Format::Jpeg}, {"pjpeg", Format::Jpeg},
                {"png", Format::Png},   {"png8", Format::Png}, {"webp", Format::Webp},
                {"avif", Format::Avif}};
constexpr std::string_view kAlpha = "-alpha";
constexpr std::string_view kOtherFormats =
    " eps f4m gif heic jpeg2000 jpegxr m3u8 pdf swf swf3 tif ";
// Behind the format stand the kind of pixels and the compression.
constexpr std::string_view kPlainEncodings = "  rgb lossy jpeg ";
constexpr std::string_view kOtherEncodings = " gray cmyk lossless lzw none zip ";

Result<> apply_format(Asked& asked, const Modifier& modifier) {
  auto parts = split(modifier.value, ',');
  bool has_alpha = parts[0].ends_with(kAlpha);
  std::string_view name = parts[0].substr(0, parts[0].size() - (has_alpha ? kAlpha.size() : 0));
  const auto* known = std::find_if(std::begin(kFormats), std::end(kFormats),
                                   [&](const auto& format) { return format.name == name; });
  bool is_ours = known != std::end(kFormats) && !(has_alpha && !can_hold_alpha(known->format));
  bool is_theirs = (is_ours || contains(kOtherFormats, name)) && parts.size() <= 3;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    bool is_plain = contains(kPlainEncodings, parts[i]);
    is_ours = is_ours && is_plain;
    is_theirs = is_theirs && (is_plain || contains(kOtherEncodings, parts[i]));
  }
  if (!is_theirs) return modifier.must_be("jpeg, png, png-alpha, webp, webp-alpha or avif");
  if (!is_ours) return modifier.is_unsupported();
  asked.ask.transformation.format_auto = false;
  asked.ask.transformation.format = known->format;
  asked.keeps_alpha = has_alpha;
  mark(asked.ask, OptionId::Format);
  return {};
}

// The second number asks for full chroma resolution; the encoder decides that by itself.
Result<> apply_quality(Asked& asked, const Modifier& modifier) {
  std::size_t comma = std::min(modifier.value.find(','), modifier.value.size());
  std::string_view chroma = modifier.value.substr(comma);
  if (!chroma.empty() && chroma != ",0" && chroma != ",1") {
    return modifier.must_be("1 to 100, then ,0 or ,1");
  }
  return set_number(asked.ask, OptionId::Quality, {modifier.name, modifier.value.substr(0, comma)});
}

// bfc, network
Result<> apply_switch(Asked& asked, const Modifier& modifier) {
  bool is_on = modifier.value == "on";
  if (!is_on && modifier.value != "off") return modifier.must_be("on or off");
  (modifier.name == "bfc" ? asked.adapts_format : asked.adapts_quality) = is_on;
  return {};
}

// op_usm, op_usmR: amount[,radius[,threshold[,monochrome]]]. Of the radius, which is one at the
// source's resolution, no more is read than whether there is any. op_sharpen: 0 or 1.
Result<> apply_sharpening(Asked& asked, const Modifier& modifier) {
  static constexpr double kMax[] = {5, 250, 255, 1};
  bool is_switch = modifier.value == "0" || modifier.value == "1";
  if (modifier.name == "op_sharpen" && !is_switch) return modifier.must_be("0 or 1");
  auto numbers = parse_numbers(modifier.value, 4);
  bool is_mask = numbers.has_value();
  for (std::size_t i = 0; is_mask && i < numbers->size(); ++i) {
    is_mask = (*numbers)[i] >= 0 && (*numbers)[i] <= kMax[i];
  }
  if (!is_mask) {
    return modifier.must_be("amount 0 to 5, radius 0 to 250, threshold 0 to 255, mono 0 or 1");
  }
  bool is_off = (*numbers)[0] == 0 || (numbers->size() > 1 && (*numbers)[1] == 0);
  auto sigma_e2 = static_cast<std::int32_t>(std::lround((*numbers)[0] * kSigmaPerAmount_e2));
  asked.ask.transformation.sharpen_e2.reset();
  if (!is_off) asked.ask.transformation.sharpen_e2 = std::max(sigma_e2, 10);
  mark(asked.ask, OptionId::Sharpen);
  return {};
}

Result<> apply_blur(Asked& asked, const Modifier& modifier) {
  auto radius = parse_decimal(modifier.value);
  if (!radius || *radius < 0 || *radius > 250) return modifier.must_be("0 to 250");
  auto sigma_e2 = static_cast<std::int32_t>(std::lround(*radius * kSigmaPerRadius_e2));
  asked.ask.transformation.blur_e2.reset();
  if (*radius > 0) asked.ask.transformation.blur_e2 = std::clamp(sigma_e2, 30, 10000);
  mark(asked.ask, OptionId::Blur);
  return {};
}

Result<> apply_resampling(Asked&, const Modifier& modifier) {
  if (contains(" bilin bicub sharp2 bisharp sharp ", modifier.value)) return {};
  return modifier.must_be("bilin, bicub, sharp2 or bisharp");
}

Result<> apply_request(Asked& asked, const Modifier& modifier) {
  asked.is_thumbnail = modifier.value == "tmb";
  if (!asked.is_thumbnail && modifier.value != "img") return modifier.is_unsupported();
  return {};
}

constexpr struct {
  std::string_view names;
  Apply apply;
} kModifiers[] = {{"align", apply_align},
                  {"bfc network", apply_switch},
                  {"bgc", apply_background},
                  {"crop cropN rgn rgnN", apply_box},
                  {"dpr", apply_dpr},
                  {"fit", apply_fit},
                  {"flip", apply_flip},
                  {"fmt", apply_format},
                  {"op_blur", apply_blur},
                  {"op_sharpen op_usm op_usmR", apply_sharpening},
                  {"qlt", apply_quality},
                  {"req", apply_request},
                  {"resMode", apply_resampling},
                  {"rotate", apply_rotate},
                  {"scl", apply_scale},
                  {"wid hei", apply_side}};

// None of these changes a pixel here. A picture that is missing is a 404, whatever defaultImage is.
constexpr std::string_view kWithoutEffect =
    " cache defaultimage iccembed id pathembed printres pscan xmpembed ";

constexpr std::string_view kOthers =
    " anchor anchorn bgcolor blendmode clippath clipxpath color croppathe effect effectmask extend "
    "extendn hide icc imageset jpegsize layer locale map mask maskuse op_brightness "
    "op_colorbalance op_colorize op_contrast op_grow op_growmask op_growmaskr op_hue op_invert "
    "op_noise op_saturation opac origin originn pathattr perspective pos posn quantize rect res "
    "scale size sizen src template text textangle textattr textflowpath textflowxpath textpath "
    "textps type ";

// Their names are case-insensitive and may have '_', ours are not and may not: '_' is read as '-'.
Result<> apply_preset(Ask& ask, const Parameter& parameter) {
  std::string name = parameter.name.substr(1, parameter.name.size() - 2);
  std::replace(name.begin(), name.end(), '_', '-');
  // The second one would have to be laid over the first.
  if (!ask.preset.empty() && ask.preset != name) return unsupported(parameter.name, {});
  ask.yielding = ask.named;
  return set(ask, OptionId::Preset, name, parameter.name);
}

bool is_preset(const Parameter& parameter) {
  const std::string& name = parameter.name;
  return name.size() > 2 && name.front() == '$' && name.back() == '$' && parameter.value.empty();
}

bool is_lock(const Parameter& parameter) {
  return parameter.name.size() == 4 && !parameter.has_value &&
         parameter.name.find_first_not_of(kHexDigits) == std::string::npos;
}

Result<> apply_known(Asked& asked, const Modifier& modifier, Apply apply) {
  std::uint32_t named_before = asked.ask.named;
  asked.ask.named = 0;
  TRY(apply(asked, modifier));
  asked.ask.yielding &= ~asked.ask.named;
  asked.ask.named |= named_before;
  return {};
}

Result<> apply_parameter(Asked& asked, const Parameter& parameter) {
  const std::string& name = parameter.name;
  if (name.starts_with('.')) return {};
  if (is_preset(parameter)) return apply_preset(asked.ask, parameter);
  if (name.starts_with('$')) return unsupported(name, parameter.value);
  for (const auto& [names, apply] : kModifiers) {
    for (std::string_view known : split(names, ' ')) {
      if (!equals_ignoring_case(known, name)) continue;
      return apply_known(asked, {known, parameter.value}, apply);
    }
  }
  if (contains(kOthers, name)) return unsupported(name, parameter.value);
  if (!contains(kWithoutEffect, name)) asked.ask.unknown.push_back(name);
  return {};
}

// "wid=400&fmt=png" for "d2lkPTQwMCZmbXQ9cG5n"; whatever is no such base64 is returned as it is.
std::string reveal(std::string_view query) {
  auto plain = decode_base64(percent_decode(query).value_or(std::string()));
  bool is_text =
      plain && plain->find_first_of("=$") != std::string::npos &&
      std::all_of(plain->begin(), plain->end(), [](char c) { return c > 32 && c < 127; });
  return is_text ? std::move(*plain) : std::string(query);
}

Result<> apply_modifiers(Asked& asked, std::string_view query) {
  TRY(auto parameters, parse_parameters(reveal(query), Plus::IsPlus));
  if (!parameters.empty() && is_lock(parameters.back())) parameters.pop_back();
  for (const Parameter& parameter : parameters) TRY(apply_parameter(asked, parameter));
  return {};
}

// True where the request does not name the option. It then counts as named, so that the site's own
// defaults do not change what a URL means, but yields to a preset.
bool falls_back(Ask& ask, OptionId id) {
  if ((ask.named & bit_of(id)) != 0) return false;
  ask.yielding |= bit_of(id);
  mark(ask, id);
  return true;
}

Result<> settle_size(Asked& asked) {
  Ask& ask = asked.ask;
  Transformation& t = ask.transformation;
  if (asked.is_thumbnail) {
    if (!asked.fit.empty()) return bad_option("fit", asked.fit, "absent beside req=tmb");
    if (falls_back(ask, OptionId::Width)) t.width_px = kThumbnail_px;
    if (falls_back(ask, OptionId::Height)) t.height_px = kThumbnail_px;
  }
  bool may_have_both = (t.width_px && t.height_px) || !ask.preset.empty();
  if (!asked.fit.empty() && !t.width_px && !t.height_px && ask.preset.empty()) {
    return bad_option("fit", asked.fit, "beside wid or hei");
  }
  if (asked.fits_one_side && may_have_both) return unsupported("fit", asked.fit);
  if (asked.is_unscaled) set_fit(ask, Fit::Cut, false);
  if (falls_back(ask, OptionId::Fit)) t.fit = Fit::Pad;
  falls_back(ask, OptionId::Upscale);
  falls_back(ask, OptionId::Small);
  return {};
}

Result<> settle_position(Asked& asked) {
  Transformation& t = asked.ask.transformation;
  bool is_turned = t.rotate_deg != 0 || t.flip != Flip::None;
  // A region is one of the picture as it has been turned.
  if (!asked.region.empty() && is_turned) return unsupported("rgn", asked.region);
  // Flips come before rotations here, behind them in ours: around a quarter turn the axes swap.
  bool is_mirrored = t.flip == Flip::Horizontal || t.flip == Flip::Vertical;
  if (t.rotate_deg % 180 != 0 && is_mirrored) {
    t.flip = t.flip == Flip::Horizontal ? Flip::Vertical : Flip::Horizontal;
  }
  falls_back(asked.ask, OptionId::Gravity);
  if (!t.gravity || t.gravity->kind != Gravity::Kind::FocalPoint) return {};
  // A focal point is one of the whole upright picture, and pads do not know it.
  bool is_aligned = t.width_px && t.height_px && t.fit != Fit::Inside && t.fit != Fit::Stretch;
  if (is_aligned && (t.fit != Fit::Cover || t.crop || is_turned)) {
    return unsupported("align", asked.align);
  }
  return {};
}

void settle_encoding(Asked& asked) {
  Ask& ask = asked.ask;
  Transformation& t = ask.transformation;
  if (falls_back(ask, OptionId::Format)) {
    t.format_auto = false;
    t.format = Format::Jpeg;
  }
  if (asked.adapts_format && t.format == Format::Jpeg) t.format_auto = true;
  // Without a number this is 80, and for AVIF the 60 that looks the same.
  if (falls_back(ask, OptionId::Quality)) t.quality_auto = asked.adapts_quality;
  if (falls_back(ask, OptionId::Background)) t.background = kWhite;
  if (asked.keeps_alpha) t.background.reset();
}

}  // namespace

Result<Ask> parse_scene7(const Request& request) {
  Asked asked;
  asked.ask.site = request.mount.site;
  TRY(asked.ask.source, parse_source(request.path));
  std::string_view asset = asked.ask.source;
  asset.remove_prefix(asset.rfind('/') + 1);
  std::size_t colon = asset.find(':');
  if (colon != std::string_view::npos) return unsupported("smart crop", asset.substr(colon + 1));
  TRY(apply_modifiers(asked, request.query));
  TRY(settle_size(asked));
  TRY(settle_position(asked));
  settle_encoding(asked);
  return std::move(asked.ask);
}

}  // namespace tintype
