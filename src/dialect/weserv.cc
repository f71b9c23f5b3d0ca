// SPDX-License-Identifier: Apache-2.0
// wsrv.nl, images.weserv.nl: "/?url=<URL>&<parameters>", "/?url=cdn.shop.example/a.jpg&w=400&we".
// Quirks, from its sources (weserv/images, API 5): of a parameter given twice the first counts; the
// URL may lack its scheme, and has escapes of its own; everything enlarges but with we; a flag
// without a value is on; the rectangle of cx, cy, cw, ch is cut after resizing but with precrop,
// and after turns; colours have alpha first; "+" is a plus. Wrong values, which weserv reads over,
// are refused. Pinned by spec/vectors/weserv.txt.
#include <algorithm>
#include <map>
#include <optional>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

// "<synonym>=<word>".
constexpr std::string_view kPositions = "b=bottom l=left r=right t=top";
constexpr std::string_view kSynonyms =
    "align=a height=h level=l lossless=ll or=ro pages=n quality=q shape=mask strim=mtrim t=fit "
    "width=w";

// What the functions below read, the commonest first.
constexpr std::string_view kRead =
    "url w h fit we output q a dpr bg blur cbg ch crop cw cx cy encoding flip flop fpx fpy ll "
    "precrop ro sharp trim";

// What changes pixels, or the answer, in ways that we cannot, but for some values.
struct Refused {
  std::string_view names, harmless;
};
constexpr Refused kRefused[] = {{"bri con hue page", "0"},
                                {"gam n sat", "1"},
                                {"filt mask", "none"},
                                {"default errorredirect mod sharpf sharpj tint", ""}};

// What changes no pixel here: headers, the compression of PNG, interlacing, and what acts only
// beside a parameter that is refused itself.
constexpr std::string_view kInert =
    "af delay filename fsol il l loop maxage mbg mtrim rbg start stop";

// A flag is on unless it says otherwise.
bool is_on(const Parameters& parameters, std::string_view name) {
  const std::string* value = find(parameters, name);
  return value != nullptr && *value != "false" && *value != "0";
}

Result<> sort_out(Ask& ask, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    if (is_among(kRead, name)) continue;
    bool is_refusable = false;
    for (const Refused& group : kRefused) {
      if (!is_among(group.names, name)) continue;
      is_refusable = true;
      if (!value.empty() && !is_among(group.harmless, value)) return unsupported(name, value);
    }
    if (!is_refusable && !is_among(kInert, name)) ask.unknown.push_back(name);
  }
  return {};
}

// The URL with its scheme; without one it may be either.
Result<std::string> source_behind(const Mount& mount, std::string_view url) {
  std::string scheme = lower(url.substr(0, 8));
  if (scheme == "https://") return source_of_url(mount, scheme.append(url.substr(8)));
  if (scheme.starts_with("http://")) {
    return source_of_url(mount, std::string("http://").append(url.substr(7)));
  }
  if (scheme.starts_with("ssl:")) {
    return source_of_url(mount, std::string("https://").append(url.substr(4)));
  }
  if (url.starts_with('/') && !url.starts_with("//")) return source_of_url(mount, url);
  if (url.starts_with("//")) url.remove_prefix(2);
  auto source = source_of_url(mount, std::string("https://").append(url));
  if (source || source.error().code != ErrorCode::Forbidden) return source;
  return source_of_url(mount, std::string("http://").append(url));
}

Result<std::string> read_source(const Request& request, const Parameters& parameters) {
  const std::string* given = find(parameters, "url");
  if (!request.path.empty() || given == nullptr || given->empty()) {
    return fail_public(ErrorCode::NotFound, "url names no source", "url");
  }
  std::string_view url = std::string_view(*given).substr(0, given->find_first_of("?#"));
  auto decoded = percent_decode(url);
  return source_behind(request.mount, decoded ? std::string_view(*decoded) : url);
}

// "auto" is a number to set(), and not one here.
Result<> set_number(Ask& ask, OptionId id, std::string_view value, std::string_view name) {
  if (value.find_first_not_of("0123456789.") != std::string_view::npos) {
    return bad_option(name, value, "a number");
  }
  return set(ask, id, value, name);
}

Result<> apply_sides(Ask& ask, const Parameters& parameters) {
  for (auto [name, id] : {std::pair{"w", OptionId::Width}, std::pair{"h", OptionId::Height}}) {
    const std::string* value = find(parameters, name);
    if (value == nullptr || *value == "0") continue;
    if (value->ends_with('%')) return unsupported(name, *value);
    TRY(set_number(ask, id, *value, name));
  }
  auto dpr = find(parameters, "dpr");
  return dpr == nullptr ? Result<>() : set_number(ask, OptionId::Dpr, *dpr, "dpr");
}

struct FitWords {
  std::string_view words;
  Fit fit;
};
// In each row the words after the first are of API 4.
constexpr FitWords kFits[] = {{"inside fit fitup", Fit::Inside},
                              {"outside", Fit::Outside},
                              {"cover square squaredown crop", Fit::Cover},
                              {"fill absolute", Fit::Stretch},
                              {"contain letterbox", Fit::Pad}};

Result<> apply_fit(Ask& ask, const Parameters& parameters) {
  Transformation& t = ask.transformation;
  const std::string* given = find(parameters, "fit");
  std::string_view fit = given == nullptr ? "inside" : std::string_view(*given);
  if (fit.starts_with("crop-")) fit = "crop";
  auto at = std::find_if(std::begin(kFits), std::end(kFits),
                         [&](const FitWords& known) { return is_among(known.words, fit); });
  if (at == std::end(kFits)) {
    return bad_option("fit", fit, "inside, outside, cover, fill or contain");
  }
  // With one side, fill leaves the other as long as it is in the source.
  bool has_one_side = t.width_px.has_value() != t.height_px.has_value();
  if (at->fit == Fit::Stretch && has_one_side) return unsupported("fit", fit);
  set_fit(ask, at->fit, !is_on(parameters, "we") && fit != "fit" && fit != "squaredown");
  if (at->fit == Fit::Cover && !t.upscale) t.small = Small::Cut;
  mark(ask, OptionId::Small);
  return {};
}

// "focal", "focal-30-60" and "crop-30-60" (in percent), with fpx and fpy in shares.
Result<> set_focal_point(Ask& ask, std::string_view value, const Parameters& parameters) {
  if (ask.transformation.fit == Fit::Pad) return unsupported("a", value);
  Gravity gravity{Gravity::Kind::FocalPoint};
  auto parts = split(value, '-');
  for (std::size_t i : {1u, 2u}) {
    std::string_view name = i == 1 ? "fpx" : "fpy";
    const std::string* share = find(parameters, name);
    bool is_percent = parts.size() == 3 && share == nullptr;
    if (!is_percent && share == nullptr) continue;
    auto at_e4 = is_percent ? parse_fixed(parts[i], 2) : parse_fixed(*share, 4);
    if (!at_e4 || *at_e4 > 10000) {
      return is_percent ? bad_option("a", value, "focal-0-0 to focal-100-100")
                        : bad_option(name, *share, "0 to 1");
    }
    (i == 1 ? gravity.x_e4 : gravity.y_e4) = static_cast<std::int16_t>(*at_e4);
  }
  set_gravity(ask, gravity);
  return {};
}

Result<> apply_gravity(Ask& ask, const Parameters& parameters) {
  const std::string* given = find(parameters, "a");
  if (given == nullptr) return {};
  std::string_view a = word_behind(kPositions, *given);
  if (a.starts_with("focal") || a.starts_with("crop-")) return set_focal_point(ask, a, parameters);
  if (is_among("entropy attention", a)) {
    set_gravity(ask, Gravity{Gravity::Kind::Smart});
    return {};
  }
  if (is_among("center top left right bottom top-left top-right bottom-left bottom-right", a)) {
    return set(ask, OptionId::Gravity, a, "a");
  }
  return bad_option("a", *given, "center, top, top-left and so on, focal, entropy or attention");
}

Result<> apply_turns(Ask& ask, const Parameters& parameters) {
  bool flips = is_on(parameters, "flip"), flops = is_on(parameters, "flop");
  ask.transformation.flip = flips && flops ? Flip::Both
                            : flips        ? Flip::Vertical
                            : flops        ? Flip::Horizontal
                                           : Flip::None;
  mark(ask, OptionId::Flip);
  const std::string* ro = find(parameters, "ro");
  if (ro == nullptr) return {};
  auto angle = parse_int(*ro);
  if (!angle) return bad_option("ro", *ro, "a multiple of 90");
  if (*angle % 90 != 0) return unsupported("ro", *ro);
  ask.transformation.rotate_deg = static_cast<std::int16_t>((*angle % 360 + 360) % 360);
  mark(ask, OptionId::Rotate);
  return {};
}

// A bare trim is one of 10; ours ends at 100.
Result<> apply_trim(Ask& ask, const Parameters& parameters) {
  const std::string* value = find(parameters, "trim");
  if (value == nullptr || *value == "0") return {};
  auto threshold = value->empty() ? std::optional<std::int64_t>(10) : parse_int(*value);
  if (!threshold || *threshold < 1 || *threshold > 254) {
    return bad_option("trim", *value, "1 to 254");
  }
  ask.transformation.trim_threshold =
      static_cast<std::int32_t>(std::min<std::int64_t>(*threshold, 100));
  mark(ask, OptionId::Trim);
  return {};
}

// cx, cy, cw, ch, or all of them in crop=w,h,x,y. Empty: not given.
struct Rectangle {
  std::string_view x, y, width, height, name;
};

Result<Rectangle> read_rectangle(const Parameters& parameters) {
  Rectangle rectangle;
  if (auto crop = find(parameters, "crop")) {
    auto parts = split(*crop, ',');
    if (parts.size() != 4) return bad_option("crop", *crop, "width,height,x,y");
    rectangle = {parts[2], parts[3], parts[0], parts[1], "crop"};
  }
  auto read = [&](std::string_view& side, std::string_view name) {
    if (auto given = find(parameters, name)) {
      side = *given;
      rectangle.name = name;
    }
  };
  read(rectangle.x, "cx");
  read(rectangle.y, "cy");
  read(rectangle.width, "cw");
  read(rectangle.height, "ch");
  return rectangle;
}

// Takes a side, "100" in pixels or "10%", into hundredths of a percent if `is_share`. A side that
// is not given, or 0, is `rest`.
std::optional<std::int32_t> parse_side(std::string_view text, bool is_share, std::int32_t rest) {
  if (text.empty()) return rest;
  if (text.ends_with('%')) text.remove_suffix(1);
  auto number = parse_fixed(text, is_share ? 2 : 0);
  bool is_whole = is_share || text.find('.') == std::string_view::npos;
  if (!number || !is_whole || *number > (is_share ? 10000 : 65535)) return std::nullopt;
  return *number == 0 ? rest : static_cast<std::int32_t>(*number);
}

Result<> apply_rectangle(Ask& ask, const Parameters& parameters) {
  TRY(Rectangle asked, read_rectangle(parameters));
  if (asked.name.empty()) return {};
  Transformation& t = ask.transformation;
  bool scales = t.width_px || t.height_px;
  bool comes_first = !t.trim_threshold && t.rotate_deg == 0 && t.flip == Flip::None &&
                     (!scales || is_on(parameters, "precrop"));
  bool has_shares = false, has_pixels = false;
  for (std::string_view side : {asked.x, asked.y, asked.width, asked.height}) {
    has_shares = has_shares || side.ends_with('%');
    has_pixels = has_pixels || (!side.empty() && side != "0" && !side.ends_with('%'));
  }
  std::string shown_value = *find(parameters, asked.name);
  if (!comes_first || (has_shares && has_pixels)) return unsupported(asked.name, shown_value);
  std::int32_t all = has_shares ? 10000 : 65535;
  auto x = parse_side(asked.x, has_shares, 0), y = parse_side(asked.y, has_shares, 0);
  auto width = parse_side(asked.width, has_shares, all);
  auto height = parse_side(asked.height, has_shares, all);
  bool is_wrong = !x || !y || !width || !height;
  if (is_wrong || (has_shares && (*x == all || *y == all))) {
    return bad_option(asked.name, shown_value, "pixels or percent");
  }
  t.crop =
      CropBox{*x, *y, *width, *height, has_shares ? CropBox::Unit::Percent : CropBox::Unit::Pixels};
  mark(ask, OptionId::Crop);
  return {};
}

// Colours have alpha first; with us it is last. A '#' before them stays for set(), which takes one.
std::string with_alpha_last(std::string_view color) {
  std::string last(color.substr(0, color.starts_with('#') ? 1 : 0));
  color.remove_prefix(last.size());
  bool is_hex = color.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  std::size_t alpha = is_hex && color.size() == 4 ? 1 : is_hex && color.size() == 8 ? 2 : 0;
  return last.append(color.substr(alpha)).append(color.substr(0, alpha));
}

// bg lies behind transparent pixels, cbg fills the box; we have one colour for both.
Result<> apply_background(Ask& ask, const Parameters& parameters) {
  auto bg = find(parameters, "bg"), cbg = find(parameters, "cbg");
  if (ask.transformation.fit != Fit::Pad) cbg = nullptr;
  if (bg != nullptr && cbg != nullptr && *bg != *cbg) return unsupported("bg", *bg);
  std::string_view name = cbg != nullptr ? "cbg" : "bg";
  const std::string* color = cbg != nullptr ? cbg : bg;
  if (color == nullptr) return {};
  if (set(ask, OptionId::Background, with_alpha_last(*color), name)) return {};
  // One of CSS's other names.
  bool is_word = color->find_first_of("ghijklmnopqrstuvwxyz") != std::string::npos;
  if (is_word) return unsupported(name, *color);
  return bad_option(name, *color, "3, 4, 6 or 8 hexadecimal digits (alpha first) or a name");
}

// The box of contain is transparent: a JPEG becomes a PNG. Asked for as JPEG, what is transparent
// becomes black, libvips' default.
void settle_alpha(Ask& ask, bool is_format_named) {
  Transformation& t = ask.transformation;
  bool is_padded = t.fit == Fit::Pad && t.width_px && t.height_px;
  bool is_filled = t.background && t.background->alpha == 255;
  if (is_filled || t.format != Format::Jpeg) return;
  if (is_format_named && (is_padded || format_of_source(ask.source) != Format::Jpeg)) {
    t.background = Color{0, 0, 0, 255};
    mark(ask, OptionId::Background);
  }
  if (!is_format_named && is_padded) t.format = Format::Png;
}

constexpr std::int32_t kDefaultQuality_pct = 80;

Result<> apply_encoding(Ask& ask, const Parameters& parameters) {
  keep_source_format(ask);
  const std::string* output = find(parameters, "output");
  bool is_named = output != nullptr && *output != "origin";
  if (is_named) {
    if (is_among("gif tiff tif json", *output)) return unsupported("output", *output);
    std::string_view ours = *output == "av1" ? "avif" : std::string_view(*output);
    if (!is_among("jpg jpeg png webp avif", ours)) {
      return bad_option("output", *output, "jpg, png, webp, avif or origin");
    }
    TRY(set(ask, OptionId::Format, ours, "output"));
  }
  settle_alpha(ask, is_named);
  if (ask.transformation.format == Format::Webp && is_on(parameters, "ll")) {
    return unsupported("ll", {});
  }
  if (auto encoding = find(parameters, "encoding"); encoding != nullptr && *encoding == "base64") {
    return unsupported("encoding", *encoding);
  }
  ask.transformation.quality_pct = kDefaultQuality_pct;
  mark(ask, OptionId::Quality);
  auto q = find(parameters, "q");
  return q == nullptr ? Result<>() : set_number(ask, OptionId::Quality, *q, "q");
}

// Bare, both are a mean of 3 by 3 pixels, which has a deviation of 0.8 pixels.
constexpr std::int32_t kMild_e2 = 80;

Result<> apply_effects(Ask& ask, const Parameters& parameters) {
  Transformation& t = ask.transformation;
  auto clamped = [](std::int64_t sigma_e2, std::int64_t least, std::int64_t most) {
    return static_cast<std::int32_t>(std::clamp(sigma_e2, least, most));
  };
  if (auto blur = find(parameters, "blur")) {
    auto sigma_e2 = blur->empty() ? kMild_e2 : parse_fixed(*blur, 2);
    if (!sigma_e2 || *sigma_e2 > 100000) return bad_option("blur", *blur, "0.3 to 1000");
    if (*sigma_e2 > 0) t.blur_e2 = *sigma_e2 < 30 ? kMild_e2 : clamped(*sigma_e2, 30, 10000);
    mark(ask, OptionId::Blur);
  }
  if (auto sharp = find(parameters, "sharp")) {
    if (sharp->find(',') != std::string::npos) return unsupported("sharp", *sharp);
    auto sigma_e2 = sharp->empty() ? kMild_e2 : parse_fixed(*sharp, 2);
    if (!sigma_e2) return bad_option("sharp", *sharp, "a sigma up to 10000");
    if (*sigma_e2 > 0) t.sharpen_e2 = clamped(*sigma_e2, 10, 1000);
    mark(ask, OptionId::Sharpen);
  }
  return {};
}

using Apply = Result<> (*)(Ask&, const Parameters&);
constexpr Apply kApply[] = {apply_sides,      apply_fit,      apply_gravity,
                            apply_turns,      apply_trim,     apply_rectangle,
                            apply_background, apply_encoding, apply_effects};

}  // namespace

Result<Ask> parse_weserv(const Request& request) {
  Ask ask;
  ask.site = request.mount.site;
  TRY(auto given, parse_parameters(request.query, Plus::IsPlus));
  Parameters parameters;
  for (const Parameter& parameter : given) {
    parameters.emplace(word_behind(kSynonyms, parameter.name), parameter.value);
  }
  TRY(ask.source, read_source(request, parameters));
  TRY(sort_out(ask, parameters));
  for (Apply apply : kApply) {
    TRY(apply(ask, parameters));
  }
  return ask;
}

}  // namespace tintype
