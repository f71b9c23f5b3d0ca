// SPDX-License-Identifier: Apache-2.0
// Fastly Image Optimizer, also in front of Aprimo: "/<source path>?<parameters>",
// "/p/a.jpg?width=400&height=300&fit=bounds&auto=webp". Quirks: fit acts only beside both sides,
// and both sides without fit stretch the picture; nothing is enlarged but by enable=upscale; a
// number below 1 or with a p is a share ("0.5", "50p"); crop and precrop cut before anything is
// scaled, to a size or to a ratio ("16:9,smart"), and trim cuts edges off. Fastly brings parameters
// into its own order: precrop, trim, crop, orient, sides. Pinned by spec/vectors/fastly.txt.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <optional>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

// What changes pixels in ways that we cannot, but for some values. Those of disable, enable and
// metadata are read below.
struct Refused {
  std::string_view names, harmless;
};
constexpr Refused kRefused[] = {
    {"brightness contrast saturation", "0"},
    {"disable enable", "upscale"},
    {"frame", "1"},
    {"metadata", "c2pa c2pa,copyright copyright copyright,c2pa"},
    {"pad", "0 0,0 0,0,0 0,0,0,0"},
    {"resize-filter", "bicubic bilinear cubic lanczos lanczos2 lanczos3 linear"},
    {"bw montage overlay overlay-base64", ""}};

// What acts only on video and SVG, or beside a parameter that is refused itself.
constexpr std::string_view kInert =
    "level overlay-align overlay-height overlay-pad overlay-width profile viewbox";

enum class Measure : std::uint8_t { Pixels, Share, Either };
struct Length {
  Measure measure = Measure::Either;
  std::int32_t value = 0;  // pixels, or hundredths of a percent
};
constexpr std::int32_t kAll_e4 = 10000;

// "640" pixels, "0.5" or "50p" of the whole.
std::optional<Length> parse_length(std::string_view text) {
  bool is_percent = text.ends_with('p');
  bool is_share = is_percent || text.find('.') != std::string_view::npos;
  if (is_percent) text.remove_suffix(1);
  auto number = parse_fixed(text, is_percent ? 2 : is_share ? 4 : 0);
  if (!number || *number > (is_share ? kAll_e4 : 65535)) return std::nullopt;
  auto value = static_cast<std::int32_t>(*number);
  return Length{value == 0 ? Measure::Either : is_share ? Measure::Share : Measure::Pixels, value};
}

// One direction of a region: its side, and where it begins or how the room is shared out; with
// neither it stands in the middle.
struct Axis {
  Length side;
  std::optional<Length> start;
  std::optional<std::int32_t> offset_e4;

  std::int16_t focus_e4() const {
    return static_cast<std::int16_t>(start ? 0 : offset_e4.value_or(kAll_e4 / 2));
  }
};

// The values of crop, precrop and canvas.
struct Region {
  std::string_view ratio;  // "16:9"; else both sides
  Axis x, y;
  bool is_smart = false;

  Gravity gravity() const {
    if (is_smart) return {Gravity::Kind::Smart};
    return {Gravity::Kind::FocalPoint, x.focus_e4(), y.focus_e4()};
  }
};

bool parse_position(Region& region, std::string_view part) {
  bool is_offset = part.starts_with("offset-");
  if (is_offset) part.remove_prefix(7);
  if (!part.starts_with('x') && !part.starts_with('y')) return false;
  Axis& axis = part[0] == 'x' ? region.x : region.y;
  part.remove_prefix(1);
  if (axis.start || axis.offset_e4) return false;
  if (!is_offset) {
    axis.start = parse_length(part);
    return axis.start.has_value();
  }
  auto offset_e4 = parse_fixed(part, 2);
  if (!offset_e4 || *offset_e4 > kAll_e4) return false;
  axis.offset_e4 = static_cast<std::int32_t>(*offset_e4);
  return true;
}

// "640,480,x10,offset-y50,safe" or "16:9,smart". We clip to the picture anyway, as safe says.
std::optional<Region> parse_region(std::string_view text) {
  auto parts = split(text, ',');
  Region region;
  std::size_t next = 1;
  if (parts[0].find(':') != std::string_view::npos) {
    region.ratio = parts[0];
  } else {
    if (parts.size() < 2) return std::nullopt;
    auto width = parse_length(parts[0]), height = parse_length(parts[1]);
    if (!width || !height || width->value == 0 || height->value == 0) return std::nullopt;
    region.x.side = *width;
    region.y.side = *height;
    next = 2;
  }
  for (; next < parts.size(); ++next) {
    // Only a ratio leaves something to find.
    bool is_smart = parts[next] == "smart" && !region.ratio.empty();
    region.is_smart = region.is_smart || is_smart;
    bool is_word = is_smart || parts[next] == "safe";
    if (!is_word && !parse_position(region, parts[next])) return std::nullopt;
  }
  return region;
}

Result<> set_side(Ask& ask, std::string_view name, std::string_view value) {
  auto length = parse_length(value);
  bool is_share = value.ends_with('p') || (length && length->measure == Measure::Share);
  if (is_share) return unsupported(name, value);
  if (!length) return bad_option(name, value, "1 to 16383 (pixels)");
  return set(ask, name == "width" ? OptionId::Width : OptionId::Height, value, name);
}

// A cut without scaling has no use for it.
Result<> set_dpr(Ask& ask, std::string_view name, std::string_view value) {
  auto dpr_e2 = parse_fixed(value, 2);
  if (!dpr_e2) return bad_option(name, value, "1 to 10");
  if (*dpr_e2 > 800 && *dpr_e2 <= 1000) return unsupported(name, value);
  Ask unscaled;
  return set(ask.transformation.fit == Fit::Cut ? unscaled : ask, OptionId::Dpr, value, name);
}

// We cut one rectangle, and it comes first.
bool can_cut(const Transformation& t) {
  return !t.crop && !t.aspect && t.fit != Fit::Cut;
}

// Without a start it takes the size of the source to place pixels: they are cut out unscaled.
bool cut_unplaced(Ask& ask, const Region& region) {
  Transformation& t = ask.transformation;
  std::int32_t width_px = region.x.side.value, height_px = region.y.side.value;
  if (region.x.start || region.y.start || t.width_px || t.height_px) return false;
  if (std::max(width_px, height_px) > kMaxSide) return false;
  t.width_px = width_px;
  t.height_px = height_px;
  mark(ask, OptionId::Width);
  mark(ask, OptionId::Height);
  mark(ask, OptionId::Dpr);
  set_fit(ask, Fit::Cut, t.upscale);
  set_gravity(ask, region.gravity());
  return true;
}

bool cut_rectangle(Ask& ask, const Region& region) {
  const Axis &x = region.x, &y = region.y;
  if (!can_cut(ask.transformation) || x.side.measure != y.side.measure) return false;
  bool is_share = x.side.measure == Measure::Share;
  if (!is_share && (!x.start || !y.start)) return cut_unplaced(ask, region);
  auto starts_in = [&](const Axis& axis) {
    if (axis.start) return *axis.start;
    return Length{Measure::Share, (kAll_e4 - axis.side.value) * axis.focus_e4() / kAll_e4};
  };
  Length left = starts_in(x), top = starts_in(y);
  auto other = is_share ? Measure::Pixels : Measure::Share;
  bool is_empty = is_share && (left.value == kAll_e4 || top.value == kAll_e4);
  if (left.measure == other || top.measure == other || is_empty) return false;
  ask.transformation.crop = CropBox{left.value, top.value, x.side.value, y.side.value,
                                    is_share ? CropBox::Unit::Percent : CropBox::Unit::Pixels};
  mark(ask, OptionId::Crop);
  return true;
}

bool has_ratio(const Transformation& t, AspectRatio ratio) {
  std::int64_t gap =
      std::int64_t{*t.width_px} * ratio.height - std::int64_t{*t.height_px} * ratio.width;
  return 2 * std::abs(gap) <= std::max(ratio.width, ratio.height);
}

// Cuts to a ratio and then to the sides: one step where the sides are of that ratio.
Result<> cut_to_ratio(Ask& ask, const Region& region, std::string_view name) {
  Transformation& t = ask.transformation;
  bool is_first = !t.aspect && t.fit != Fit::Cut;
  bool is_within = (region.x.start && region.x.start->value > 0) ||
                   (region.y.start && region.y.start->value > 0);
  TRY(set(ask, OptionId::AspectRatio, region.ratio, name));
  bool fits_sides = !t.width_px || !t.height_px || has_ratio(t, *t.aspect);
  if (!is_first || is_within || !fits_sides) return unsupported(name, region.ratio);
  set_gravity(ask, region.gravity());
  set_fit(ask, Fit::Cover, t.upscale);
  mark(ask, OptionId::Small);
  return {};
}

constexpr std::string_view kRegionAllowed = "width,height or a ratio, and where, such as x10,y10";

Result<> cut_region(Ask& ask, std::string_view name, std::string_view value) {
  auto region = parse_region(value);
  if (!region) return bad_option(name, value, kRegionAllowed);
  if (!region->ratio.empty()) return cut_to_ratio(ask, *region, name);
  if (!cut_rectangle(ask, *region)) return unsupported(name, value);
  return {};
}

// "auto" or a colour, and a threshold: "auto,t0.1". It comes before all other cuts.
Result<> trim_border(Ask& ask, std::string_view name, std::string_view value) {
  auto parts = split(value, ',');
  std::int64_t threshold = 0;
  if (parts.back().starts_with('t')) {
    auto share_e2 = parse_fixed(parts.back().substr(1), 2);
    if (!share_e2 || *share_e2 > 100) return bad_option(name, value, "auto,t0 to auto,t1");
    threshold = *share_e2;
    parts.pop_back();
  }
  bool is_auto = parts.size() == 1 && parts[0] == "auto";
  if (!is_auto || ask.transformation.crop) return unsupported(name, value);
  ask.transformation.trim_threshold =
      static_cast<std::int32_t>(std::max<std::int64_t>(threshold, 1));
  mark(ask, OptionId::Trim);
  return {};
}

// Top, right, bottom, left, in CSS's shorthand.
std::optional<std::array<Length, 4>> parse_edges(std::string_view text) {
  auto parts = split(text, ',');
  if (parts.size() > 4) return std::nullopt;
  std::array<Length, 4> edges;
  constexpr std::size_t kFrom[4][4] = {{0, 0, 0, 0}, {0, 1, 0, 1}, {0, 1, 2, 1}, {0, 1, 2, 3}};
  for (std::size_t i = 0; i < 4; ++i) {
    auto edge = parse_length(parts[kFrom[parts.size() - 1][i]]);
    if (!edge) return std::nullopt;
    edges[i] = *edge;
  }
  return edges;
}

// Edges in pixels would need the size of the source.
Result<> trim_edges(Ask& ask, std::string_view name, std::string_view value) {
  if (value == "auto") return trim_border(ask, name, "auto,t0.1");
  auto edges = parse_edges(value);
  if (!edges) return bad_option(name, value, "one to four lengths, or auto");
  std::int32_t sum = 0;
  for (Length edge : *edges) {
    if (edge.measure == Measure::Pixels) return unsupported(name, value);
    sum += edge.value;
  }
  if (sum == 0) return {};
  if (!can_cut(ask.transformation)) return unsupported(name, value);
  auto [top, right, bottom, left] = *edges;
  std::int32_t width_e4 = kAll_e4 - left.value - right.value;
  std::int32_t height_e4 = kAll_e4 - top.value - bottom.value;
  if (width_e4 <= 0 || height_e4 <= 0) return bad_option(name, value, "less than everything");
  ask.transformation.crop =
      CropBox{left.value, top.value, width_e4, height_e4, CropBox::Unit::Percent};
  mark(ask, OptionId::Crop);
  return {};
}

Result<> apply_fit(Ask& ask, const Parameters& parameters) {
  Transformation& t = ask.transformation;
  const std::string* fit = find(parameters, "fit");
  if (fit != nullptr && !is_among("bounds cover crop", *fit)) {
    return bad_option("fit", *fit, "bounds, cover or crop");
  }
  if (t.aspect || t.fit == Fit::Cut) return {};
  Fit ours = t.width_px && t.height_px && fit == nullptr ? Fit::Stretch : Fit::Inside;
  if (fit != nullptr && *fit == "cover") ours = Fit::Outside;
  if (fit != nullptr && *fit == "crop") ours = Fit::Cover;
  set_fit(ask, ours, t.upscale);
  mark(ask, OptionId::Small);
  return {};
}

// A canvas of the box, or of a ratio around the whole picture, which stands in its middle.
Result<> apply_canvas(Ask& ask, const Parameters& parameters) {
  const std::string* value = find(parameters, "canvas");
  if (value == nullptr) return {};
  Transformation& t = ask.transformation;
  auto region = parse_region(*value);
  if (!region || region->is_smart) return bad_option("canvas", *value, kRegionAllowed);
  bool is_centred = region->x.focus_e4() == kAll_e4 / 2 && region->y.focus_e4() == kAll_e4 / 2;
  bool is_box = t.fit == Fit::Inside && t.dpr_e2.value_or(100) == 100 &&
                region->x.side.measure == Measure::Pixels && t.width_px == region->x.side.value &&
                region->y.side.measure == Measure::Pixels && t.height_px == region->y.side.value;
  bool is_around = !region->ratio.empty() && !t.aspect && !t.width_px && !t.height_px;
  if (!is_centred || !(is_box || is_around)) return unsupported("canvas", *value);
  if (is_around) TRY(set(ask, OptionId::AspectRatio, region->ratio, "canvas"));
  set_fit(ask, Fit::Pad, t.upscale);
  if (!t.background) t.background = kWhite;
  mark(ask, OptionId::Background);
  return {};
}

// EXIF's numbers, or words for most of them.
Result<> turn(Ask& ask, std::string_view name, std::string_view value) {
  static constexpr std::string_view kWords[] = {"1",       "2 h", "3 hv vh", "4 v",
                                                "5 rv vr", "6 r", "7 lv vl", "8 l"};
  static constexpr std::int16_t kRotate_deg[] = {0, 0, 180, 0, 90, 90, 270, 270};
  auto at = std::find_if(std::begin(kWords), std::end(kWords),
                         [&](std::string_view words) { return is_among(words, value); });
  if (at == std::end(kWords)) return bad_option(name, value, "1 to 8, r, l, h, v, hv, rv or lv");
  auto i = at - std::begin(kWords);
  Transformation& t = ask.transformation;
  // Fastly cuts before it turns, we cut to a ratio after.
  if (i > 0 && (t.aspect || t.fit == Fit::Cut)) return unsupported(name, value);
  t.rotate_deg = kRotate_deg[i];
  t.flip = i == 3 ? Flip::Vertical : i == 1 || i == 4 || i == 6 ? Flip::Horizontal : Flip::None;
  mark(ask, OptionId::Rotate);
  mark(ask, OptionId::Flip);
  return {};
}

// "fff", "f4f4f4", "255,0,0" or "255,0,0,0.5".
Result<> set_background(Ask& ask, std::string_view name, std::string_view value) {
  auto parts = split(value, ',');
  auto wrong = [&] { return bad_option(name, value, "3 or 6 hex digits, or r,g,b[,a]"); };
  bool is_hex = value.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  if (is_hex && (value.size() == 3 || value.size() == 6)) {
    return set(ask, OptionId::Background, value, name);
  }
  if (parts.size() < 3 || parts.size() > 4) return wrong();
  std::array<std::uint8_t, 4> channels{0, 0, 0, 255};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    auto number = parse_fixed(parts[i], i == 3 ? 4 : 0);
    bool is_wrong = i < 3 && !is_digits(parts[i]);
    if (is_wrong || !number || *number > (i == 3 ? kAll_e4 : 255)) return wrong();
    channels[i] = static_cast<std::uint8_t>(i == 3 ? (*number * 255 + 5000) / kAll_e4 : *number);
  }
  ask.transformation.background = Color{channels[0], channels[1], channels[2], channels[3]};
  mark(ask, OptionId::Background);
  return {};
}

struct FormatWords {
  std::string_view words, ours;  // ours empty: none that we write
};
constexpr FormatWords kFormats[] = {{"jpg jpeg pjpg pjpeg bjpg bjpeg", "jpeg"},
                                    {"png png8", "png"},
                                    {"webp webply", "webp"},
                                    {"avif", "avif"},
                                    {"auto", "auto"},
                                    {"gif jxl mp4 pjxl svg webpll", ""}};

Result<> set_format(Ask& ask, std::string_view name, std::string_view value) {
  for (const FormatWords& known : kFormats) {
    if (!is_among(known.words, value)) continue;
    if (known.ours.empty()) return unsupported(name, value);
    return set(ask, OptionId::Format, known.ours, name);
  }
  return bad_option(name, value, "auto, jpg, pjpg, bjpg, png, png8, webp, webply or avif");
}

Result<> negotiate(Ask& ask, std::string_view name, std::string_view value) {
  for (std::string_view word : split(value, ',')) {
    if (!is_among("avif webp", word)) return bad_option(name, value, "avif, webp or both");
  }
  ask.transformation.format_auto = true;
  return {};
}

Result<> optimize(Ask& ask, std::string_view name, std::string_view value) {
  if (is_among("low medium high", value)) return set(ask, OptionId::Quality, "auto", name);
  return bad_option(name, value, "low, medium or high");
}

// The second number is for WebP where that is negotiated; we keep one, that which most clients get.
Result<> set_quality(Ask& ask, std::string_view name, std::string_view value) {
  auto parts = split(value, ',');
  bool is_number = value.find_first_not_of("0123456789,") == std::string_view::npos;
  if (!is_number || parts.size() > 2) return bad_option(name, value, "1 to 100");
  TRY(set(ask, OptionId::Quality, parts[0], name));
  if (parts.size() == 1 || !ask.transformation.format_auto) return {};
  return set(ask, OptionId::Quality, parts[1], name);
}

// A blur's radius is twice its sigma, as in CSS; the amount of a sharpening is taken for its sigma.
constexpr std::int64_t kBlurRadiusPerSigma = 2;

Result<> set_blur(Ask& ask, std::string_view name, std::string_view value) {
  if (value.ends_with('p')) return unsupported(name, value);
  auto radius_e2 = parse_fixed(value, 2);
  if (!radius_e2 || *radius_e2 > 100000) return bad_option(name, value, "0.5 to 1000");
  if (*radius_e2 == 0) return {};
  ask.transformation.blur_e2 = static_cast<std::int32_t>(
      std::clamp<std::int64_t>(*radius_e2 / kBlurRadiusPerSigma, 30, 10000));
  mark(ask, OptionId::Blur);
  return {};
}

// "a5,r2,t0": amount, radius, threshold.
Result<> set_sharpening(Ask& ask, std::string_view name, std::string_view value) {
  auto parts = split(value, ',');
  bool is_whole = parts.size() == 3 && parts[0].starts_with('a') && parts[1].starts_with('r') &&
                  parts[2].starts_with('t');
  auto amount_e2 = is_whole ? parse_fixed(parts[0].substr(1), 2) : std::nullopt;
  if (!amount_e2 || *amount_e2 > 1000) return bad_option(name, value, "a0,r1,t0 to a10,r1000,t255");
  if (*amount_e2 == 0) return {};
  ask.transformation.sharpen_e2 = static_cast<std::int32_t>(std::max<std::int64_t>(*amount_e2, 10));
  mark(ask, OptionId::Sharpen);
  return {};
}

// In Fastly's order; the later format and quality win.
struct Handler {
  std::string_view name;
  Result<> (*apply)(Ask&, std::string_view name, std::string_view value);
};
constexpr Handler kHandlers[] = {{"width", set_side},
                                 {"height", set_side},
                                 {"precrop", cut_region},
                                 {"trim", trim_edges},
                                 {"crop", cut_region},
                                 {"trim-color", trim_border},
                                 {"orient", turn},
                                 {"dpr", set_dpr},
                                 {"bg-color", set_background},
                                 {"sharpen", set_sharpening},
                                 {"blur", set_blur},

                                 {"format", set_format},
                                 {"auto", negotiate},
                                 {"optimize", optimize},
                                 {"quality", set_quality}};

constexpr std::int32_t kDefaultQuality_pct = 85;

Result<> apply_handlers(Ask& ask, const Parameters& parameters) {
  ask.transformation.upscale = find(parameters, "enable") != nullptr;
  mark(ask, OptionId::Upscale);
  ask.transformation.quality_pct = kDefaultQuality_pct;
  mark(ask, OptionId::Quality);
  keep_source_format(ask);
  auto metadata = find(parameters, "metadata");
  if (metadata != nullptr && metadata->find("copyright") != std::string::npos) {
    TRY(set(ask, OptionId::Metadata, "copyright", "metadata"));
  }
  for (const Handler& handler : kHandlers) {
    auto value = find(parameters, handler.name);
    if (value != nullptr) TRY(handler.apply(ask, handler.name, *value));
  }
  return {};
}

bool is_known(std::string_view name) {
  for (const Handler& handler : kHandlers) {
    if (handler.name == name) return true;
  }
  return is_among(kInert, name) || is_among("canvas fit", name);
}

Result<> sort_out(Ask& ask, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    bool is_refusable = false;
    for (const Refused& group : kRefused) {
      if (!is_among(group.names, name)) continue;
      is_refusable = true;
      if (!value.empty() && !is_among(group.harmless, value)) return unsupported(name, value);
    }
    if (!is_refusable && !is_known(name)) ask.unknown.push_back(name);
  }
  return {};
}

}  // namespace

Result<Ask> parse_fastly(const Request& request) {
  Ask ask;
  ask.site = request.mount.site;
  TRY(ask.source, parse_source(request.path));
  TRY(auto given, parse_parameters(request.query, Plus::IsSpace));
  Parameters parameters;
  for (Parameter& parameter : given) parameters[parameter.name] = std::move(parameter.value);
  TRY(sort_out(ask, parameters));
  TRY(apply_handlers(ask, parameters));
  TRY(apply_fit(ask, parameters));
  TRY(apply_canvas(ask, parameters));
  return ask;
}

}  // namespace tintype
