// SPDX-License-Identifier: Apache-2.0
// thumbor: <hmac or
// unsafe>/[trim…/][AxB:CxD/][[full-]fit-in/][-Ex-F/][<halign>/][<valign>/][smart/]
//          [filters:<name>(<arguments>):…/]<image>
//
//   /unsafe/300x200/left/top/filters:quality(80):format(webp)/p/front.jpg
//
// Everything but the image may be missing, nothing may change its place. WxH cuts and enlarges,
// fit-in does not enlarge, full-fit-in does; 0 or no number is a side in proportion; a minus
// mirrors. Filters come last: rotate() turns against the clock what has been resized and mirrored.
// The path is decoded before it is cut; the signature is that of the path, quoted as thumbor quotes
// it, and the query, which is the image's.
#include "dialect/thumbor.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Kind = Gravity::Kind;

constexpr std::int32_t kDefaultQuality_pct = 80;  // QUALITY of thumbor.conf
constexpr std::int64_t kMaxPosition_px = 65535;
// A trim's tolerance is a distance in RGB, at most 442 (255 times the root of 3); ours is one
// channel's.
constexpr std::int64_t kMaxTolerance = 442, kMaxChannel = 255, kMaxTrim = 100;
// sharpen(amount,radius) as sigma 1 + radius / 2: AWS maps it so for the same filter of libvips.
constexpr std::int32_t kSharpenBase_e2 = 100, kMaxSharpen_e2 = 1000;
constexpr std::int32_t kMinBlur_e2 = 30, kMaxBlur_e2 = 10000;

struct Draft {
  Ask ask;
  Fit fit = Fit::Cover;  // Inside: fit-in, Outside: full-fit-in
  bool mirrors_x = false, mirrors_y = false;
  int pull_x = 0, pull_y = 0;  // -1 left or top, 1 right or bottom
  bool is_smart = false;
  bool no_upscale = false, upscale = false, stretch = false;
  std::optional<Color> fill;
  bool fills_transparent = false;
  bool turns_png = false;
  std::int64_t turn_deg = 0;  // against the clock, 0 to 270
};

// ---- The parts before the image: each says whether `segment` is its own.

Result<bool> read_debug(Draft&, std::string_view segment) {
  if (segment == "debug" || segment == "meta") return unsupported(segment, {});
  return false;
}

// trim[:top-left|:bottom-right][:<tolerance>]. Ours looks at the whole border, not at a corner.
Result<bool> read_trim(Draft& draft, std::string_view segment) {
  if (segment != "trim" && !segment.starts_with("trim:")) return false;
  std::vector<std::string_view> parts = split(segment, ':');
  bool has_corner = parts.size() > 1 && (parts[1] == "top-left" || parts[1] == "bottom-right");
  std::size_t next = has_corner ? 2 : 1;
  std::int64_t tolerance = 0;
  if (parts.size() > next) {
    auto asked = parse_int(parts[next]);
    if (parts.size() > next + 1 || !asked || *asked < 0 || *asked > kMaxTolerance) {
      return bad_option("trim", segment.substr(5), "top-left or bottom-right, and 0 to 442");
    }
    tolerance = *asked;
  }
  std::int64_t threshold = (tolerance * kMaxChannel + kMaxTolerance / 2) / kMaxTolerance;
  draft.ask.transformation.trim_threshold =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(threshold, 1, kMaxTrim));
  mark(draft.ask, OptionId::Trim);
  return true;
}

Result<bool> read_crop(Draft& draft, std::string_view segment) {
  if (!is_thumbor_crop(segment)) return false;
  TRY(draft.ask.transformation.crop, parse_thumbor_crop(segment));
  mark(draft.ask, OptionId::Crop);
  return true;
}

Result<bool> read_fit_in(Draft& draft, std::string_view segment) {
  if (segment == "adaptive-fit-in" || segment == "adaptive-full-fit-in") {
    return unsupported(segment, {});
  }
  if (segment == "fit-in") draft.fit = Fit::Inside;
  if (segment == "full-fit-in") draft.fit = Fit::Outside;
  return draft.fit != Fit::Cover;
}

struct Side {
  bool is_mirrored = false, is_original = false;
  std::string_view digits;  // empty: in proportion
};

std::optional<Side> parse_side(std::string_view text) {
  Side side;
  side.is_mirrored = text.starts_with('-');
  if (side.is_mirrored) text.remove_prefix(1);
  side.is_original = text == "orig";
  if (!text.empty() && !side.is_original && !is_digits(text)) return std::nullopt;
  if (!side.is_original && text.find_first_not_of('0') != std::string_view::npos) {
    side.digits = text;
  }
  return side;
}

// [-]<width>x[-]<height>
Result<bool> read_size(Draft& draft, std::string_view segment) {
  std::size_t x = segment.find('x');
  if (x == std::string_view::npos) return false;
  auto width = parse_side(segment.substr(0, x)), height = parse_side(segment.substr(x + 1));
  if (!width || !height) return false;
  // Both as they are is no resize at all.
  if (width->is_original != height->is_original) return unsupported("size", segment);
  if (!width->digits.empty()) TRY(set(draft.ask, OptionId::Width, width->digits, "size"));
  if (!height->digits.empty()) TRY(set(draft.ask, OptionId::Height, height->digits, "size"));
  draft.mirrors_x = width->is_mirrored;
  draft.mirrors_y = height->is_mirrored;
  return true;
}

Result<bool> read_halign(Draft& draft, std::string_view segment) {
  if (segment == "left") draft.pull_x = -1;
  if (segment == "right") draft.pull_x = 1;
  return draft.pull_x != 0 || segment == "center";
}

Result<bool> read_valign(Draft& draft, std::string_view segment) {
  if (segment == "top") draft.pull_y = -1;
  if (segment == "bottom") draft.pull_y = 1;
  return draft.pull_y != 0 || segment == "middle";
}

Result<bool> read_smart(Draft& draft, std::string_view segment) {
  draft.is_smart = segment == "smart";
  return draft.is_smart;
}

constexpr Result<bool> (*kParts[])(Draft&, std::string_view) = {
    read_debug, read_trim, read_crop, read_fit_in, read_size, read_halign, read_valign, read_smart};

// ---- Filters

Result<> apply_quality(Draft& draft, const ThumborFilter& filter) {
  if (!is_digits(filter.text)) return bad_option("quality", filter.text, "1 to 100");
  return set(draft.ask, OptionId::Quality, filter.text, "quality");
}

Result<> apply_format(Draft& draft, const ThumborFilter& filter) {
  std::string format = lower(filter.arg(0));
  if (format == "gif" || format == "heic" || format == "heif") {
    return unsupported("format", filter.text);
  }
  if (format == "auto") return bad_option("format", filter.text, "jpeg, png, webp or avif");
  return set(draft.ask, OptionId::Format, format, "format");
}

bool is_true(std::string_view value) {
  return value == "1" || value == "true" || value == "True";
}

// fill(<colour>[,<also where it is transparent>])
Result<> apply_fill(Draft& draft, const ThumborFilter& filter) {
  if (filter.arg(0) == "auto" || filter.arg(0) == "blur") return unsupported("fill", filter.text);
  TRY(draft.fill, parse_thumbor_color("fill", filter.arg(0)));
  draft.fills_transparent = is_true(filter.arg(1));
  return {};
}

Result<> apply_background(Draft& draft, const ThumborFilter& filter) {
  TRY(draft.ask.transformation.background, parse_thumbor_color("background_color", filter.arg(0)));
  mark(draft.ask, OptionId::Background);
  return {};
}

template <bool Draft::*flag>
Result<> apply_flag(Draft& draft, const ThumborFilter&) {
  draft.*flag = true;
  return {};
}

Result<> apply_rotate(Draft& draft, const ThumborFilter& filter) {
  auto angle = parse_int(filter.text);
  if (!angle || *angle % 90 != 0) return bad_option("rotate", filter.text, "a multiple of 90");
  draft.turn_deg = (*angle % 360 + 360) % 360;
  return {};
}

// blur(<radius>[,<sigma>])
Result<> apply_blur(Draft& draft, const ThumborFilter& filter) {
  TRY(std::int32_t sigma_e2, parse_hundredths("blur", filter.arg(0), kMaxBlur_e2));
  if (filter.args.size() > 1) {
    TRY(std::int32_t asked_e2, parse_hundredths("blur", filter.arg(1), kMaxBlur_e2));
    if (sigma_e2 > 0 && asked_e2 > 0) sigma_e2 = asked_e2;
  }
  draft.ask.transformation.blur_e2.reset();
  if (sigma_e2 >= kMinBlur_e2) draft.ask.transformation.blur_e2 = sigma_e2;
  mark(draft.ask, OptionId::Blur);
  return {};
}

// sharpen(<amount>,<radius>,<of luminance only>)
Result<> apply_sharpen(Draft& draft, const ThumborFilter& filter) {
  TRY(std::int32_t amount_e2, parse_hundredths("sharpen", filter.arg(0), kMaxBlur_e2));
  TRY(std::int32_t radius_e2, parse_hundredths("sharpen", filter.arg(1), kMaxBlur_e2));
  draft.ask.transformation.sharpen_e2.reset();
  if (amount_e2 > 0) {
    draft.ask.transformation.sharpen_e2 = std::min(kSharpenBase_e2 + radius_e2 / 2, kMaxSharpen_e2);
  }
  mark(draft.ask, OptionId::Sharpen);
  return {};
}

// Turns a PNG that is opaque into a JPEG.
Result<> apply_autojpg(Draft& draft, const ThumborFilter& filter) {
  draft.turns_png = filter.text.empty() || is_true(filter.text);
  return {};
}

constexpr struct {
  std::string_view name;
  Result<> (*apply)(Draft&, const ThumborFilter&);
} kFilters[] = {{"quality", apply_quality},
                {"format", apply_format},
                {"fill", apply_fill},
                {"background_color", apply_background},
                {"no_upscale", apply_flag<&Draft::no_upscale>},
                {"upscale", apply_flag<&Draft::upscale>},
                {"stretch", apply_flag<&Draft::stretch>},
                {"rotate", apply_rotate},
                {"blur", apply_blur},
                {"sharpen", apply_sharpen},
                {"autojpg", apply_autojpg}};

constexpr std::string_view kWithoutEffect = "strip_exif strip_icc max_age cover srgb";
constexpr std::string_view kRefused =
    "brightness colorize contrast convolution curve distributed_collage drop_shadow equalize "
    "extract_focal focal frame grayscale max_bytes noise proportion redeye rgb round_corner "
    "saturation text_watermark watermark";

Result<> apply_filter(Draft& draft, const ThumborFilter& filter) {
  if (is_among(kWithoutEffect, filter.name)) return {};
  if (is_among(kRefused, filter.name)) return unsupported(filter.name, filter.text);
  for (const auto& known : kFilters) {
    if (known.name == filter.name) return known.apply(draft, filter);
  }
  draft.ask.unknown.emplace_back(filter.name);
  return {};
}

// Takes all parts off the front of `rest`; what remains is the image.
Result<> take_parts(Draft& draft, std::string_view& rest) {
  for (auto read : kParts) {
    std::size_t end = rest.find('/');
    if (end == std::string_view::npos) return {};
    TRY(bool is_its_own, read(draft, rest.substr(0, end)));
    if (is_its_own) rest.remove_prefix(end + 1);
  }
  // Arguments may have slashes.
  std::size_t end = rest.find(")/");
  if (!rest.starts_with("filters:") || end == std::string_view::npos) return {};
  for (const ThumborFilter& filter : split_thumbor_filters(rest.substr(8, end - 7))) {
    TRY(apply_filter(draft, filter));
  }
  rest.remove_prefix(end + 2);
  return {};
}

// ---- Signature and source

// What thumbor signs: the path behind the signature as Python's quote leaves it, and the query.
std::string signed_text(std::string_view path, std::string_view query) {
  std::string text = percent_encode(path, "/:?%=&()\",'");
  if (!query.empty()) text.append("?").append(percent_encode(query, "/:?%=&()\",'"));
  return text;
}

bool is_signature(std::string_view text) {
  return text.size() >= 27 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z') || c == '-' ||
                  c == '_';
         });
}

// Returns what follows the signature.
Result<std::string_view> check_signature(const Request& request) {
  std::size_t slash = std::min(request.path.find('/'), request.path.size());
  std::string_view rest = request.path.substr(std::min(slash + 1, request.path.size()));
  TRY(std::string head, decode(request.path.substr(0, slash), "signature"));
  if (head.ends_with('=')) head.pop_back();
  for (const MountKey& key : request.mount.keys) {
    std::string mac = hmac_sha1(key.key, signed_text(rest, request.query));
    if (equal_in_constant_time(head, base64_url(mac))) return rest;
  }
  if (!request.mount.keys.empty()) return bad_signature();
  if (head == "unsafe" || is_signature(head)) return rest;
  return bad_option("signature", head, "unsafe, or 28 characters of URL-safe base64");
}

// Without a scheme it may be an address all the same: thumbor's loader puts one before it.
Result<std::string> source_of(const Mount& mount, std::string_view image) {
  if (image.empty()) return fail_public(ErrorCode::NotFound, "the path names no source");
  if (image.starts_with('/') || image.find("://") != std::string_view::npos) {
    return source_of_url(mount, image);
  }
  for (std::string_view prefix : mount.sources) {
    prefix.remove_prefix(std::min(prefix.find("://") + 3, prefix.size()));
    if (image.starts_with(prefix)) return check_source(std::string(image.substr(prefix.size())));
  }
  return check_source(std::string(image));
}

// ---- From the draft to the Ask

// Mirrored, then turned against the clock, as we turn with the clock and mirror afterwards. Sides
// and gravity are ours of the picture as it is then.
void settle_turn(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  constexpr Flip kFlips[2][2] = {{Flip::None, Flip::Vertical}, {Flip::Horizontal, Flip::Both}};
  t.flip = kFlips[draft.mirrors_x][draft.mirrors_y];
  bool mirrors_once = draft.mirrors_x != draft.mirrors_y;
  t.rotate_deg =
      static_cast<std::int16_t>(mirrors_once ? draft.turn_deg : (360 - draft.turn_deg) % 360);
  mark(draft.ask, OptionId::Flip);
  mark(draft.ask, OptionId::Rotate);
  if (draft.mirrors_x) draft.pull_x = -draft.pull_x;
  if (draft.mirrors_y) draft.pull_y = -draft.pull_y;
  for (std::int64_t turned_deg = 0; turned_deg < draft.turn_deg; turned_deg += 90) {
    draft.pull_x = std::exchange(draft.pull_y, -draft.pull_x);
    std::swap(t.width_px, t.height_px);
  }
  // Each is the request's word now, also where it is none: a site's default must not fill it.
  if (draft.turn_deg % 180 != 0 && (t.width_px || t.height_px)) {
    mark(draft.ask, OptionId::Width);
    mark(draft.ask, OptionId::Height);
  }
}

void settle_gravity(Draft& draft) {
  constexpr Kind kGrid[3][3] = {{Kind::NorthWest, Kind::North, Kind::NorthEast},
                                {Kind::West, Kind::Center, Kind::East},
                                {Kind::SouthWest, Kind::South, Kind::SouthEast}};
  Kind kind = kGrid[draft.pull_y + 1][draft.pull_x + 1];
  set_gravity(draft.ask, {draft.is_smart ? Kind::Smart : kind});
}

Result<> settle_fit(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  bool has_box = t.width_px && t.height_px;
  if (draft.fit == Fit::Cover && draft.stretch) draft.fit = Fit::Stretch;
  bool enlarges = !draft.no_upscale;
  // upscale() does nothing where a side is in proportion (its height counts as 0).
  if (draft.fit == Fit::Inside) enlarges = draft.upscale && has_box && !draft.no_upscale;
  if (draft.fill && has_box && draft.fit == Fit::Outside) return unsupported("fill", "full-fit-in");
  bool pads = draft.fill && has_box && draft.fit == Fit::Inside;
  if (pads || draft.fills_transparent) {
    t.background = draft.fill;
    mark(draft.ask, OptionId::Background);
  }
  if (pads) draft.fit = Fit::Pad;
  set_fit(draft.ask, draft.fit, enlarges);
  settle_gravity(draft);
  // What is padded stands in the middle.
  if (pads) set_gravity(draft.ask, {Kind::Center});
  // no_upscale() lowers each side to the picture's.
  if (draft.fit == Fit::Cover) t.small = Small::Cut;
  mark(draft.ask, OptionId::Small);
  return {};
}

Result<> settle_encoding(Draft& draft) {
  Ask& ask = draft.ask;
  if ((ask.named & bit_of(OptionId::Format)) == 0) {
    keep_source_format(ask);
    if (draft.turns_png && ask.transformation.format == Format::Png) {
      return unsupported("autojpg", {});
    }
  }
  if (!ask.transformation.quality_pct) ask.transformation.quality_pct = kDefaultQuality_pct;
  mark(ask, OptionId::Quality);
  return {};
}

}  // namespace

std::vector<ThumborFilter> split_thumbor_filters(std::string_view text) {
  std::vector<ThumborFilter> filters;
  while (!text.empty()) {
    std::size_t end = std::min(text.find("):"), text.size());
    std::string_view one = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    if (one.ends_with(')')) one.remove_suffix(1);
    std::size_t open = std::min(one.find('('), one.size());
    ThumborFilter filter;
    filter.name = one.substr(0, open);
    filter.text = trim(one.substr(std::min(open + 1, one.size())));
    for (std::string_view arg : split(filter.text, ',')) {
      arg = trim(arg);
      if (arg.size() > 1 && arg.front() == '\'' && arg.back() == '\'') {
        arg = arg.substr(1, arg.size() - 2);
      }
      filter.args.push_back(arg);
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

bool is_thumbor_crop(std::string_view segment) {
  std::vector<std::string_view> corners = split(segment, ':');
  return corners.size() == 2 && std::all_of(corners.begin(), corners.end(), [](auto corner) {
           std::size_t x = corner.find('x');
           return x != std::string_view::npos && is_digits(corner.substr(0, x)) &&
                  is_digits(corner.substr(x + 1));
         });
}

Result<std::optional<CropBox>> parse_thumbor_crop(std::string_view segment) {
  std::array<std::int64_t, 4> at{};
  std::string numbers(segment);
  std::replace(numbers.begin(), numbers.end(), ':', 'x');
  std::vector<std::string_view> parts = split(numbers, 'x');
  for (std::size_t i = 0; i < at.size() && i < parts.size(); ++i) {
    at[i] = std::min(parse_int(parts[i]).value_or(kMaxPosition_px), kMaxPosition_px);
  }
  if (at == std::array<std::int64_t, 4>{}) return std::optional<CropBox>();
  if (at[0] >= at[2] || at[1] >= at[3]) {
    return bad_option("crop", segment, "<left>x<top>:<right>x<bottom>");
  }
  return CropBox{static_cast<std::int32_t>(at[0]), static_cast<std::int32_t>(at[1]),
                 static_cast<std::int32_t>(at[2] - at[0]),
                 static_cast<std::int32_t>(at[3] - at[1])};
}

Result<Color> parse_thumbor_color(std::string_view name, std::string_view value) {
  Ask ask;
  auto is_set = set(ask, OptionId::Background, value, name);
  if (is_set) return *ask.transformation.background;
  bool is_word = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return lower(c) >= 'a' && lower(c) <= 'z';
  });
  if (is_word) return unsupported(name, value);
  return fail(is_set.error());
}

Result<std::int32_t> parse_hundredths(std::string_view name, std::string_view value,
                                      std::int32_t max_e2) {
  auto number = parse_fixed(value, 2);
  if (number && *number <= max_e2) return static_cast<std::int32_t>(*number);
  std::string allowed = "0 to ";
  append_fixed(allowed, max_e2, 2);
  return bad_option(name, value, allowed);
}

Result<Ask> parse_thumbor(const Request& request) {
  TRY(std::string_view path, check_signature(request));
  TRY(std::string decoded, decode(path, "path"));
  std::string_view rest = decoded;
  Draft draft;
  draft.ask.site = request.mount.site;
  TRY(take_parts(draft, rest));
  TRY(draft.ask.source, source_of(request.mount, rest));
  const Transformation& t = draft.ask.transformation;
  if (t.trim_threshold && t.crop) return unsupported("trim", "with a crop");
  settle_turn(draft);
  TRY(settle_fit(draft));
  TRY(settle_encoding(draft));
  return std::move(draft.ask);
}

}  // namespace tintype
