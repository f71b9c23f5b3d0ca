// SPDX-License-Identifier: Apache-2.0
// imgix: "/<source path>?<parameters>" or "/<percent-encoded URL>?<parameters>". Quirks: the
// default fit, clip, enlarges; every parameter may come as "<name>64" with its value in base64; of
// a parameter given twice the last counts, only auto adds up; crop, ar and fill act beside certain
// fits and are without effect beside the others; colours have alpha first. The signature, s, is the
// MD5 of the token, the path behind the mount and the query without s. Parameters after
// imgix-url-params 11.36. Pinned by spec/vectors/imgix.txt.
#include <algorithm>
#include <iterator>
#include <map>
#include <optional>

#include "base/bytes.h"
#include "base/hash.h"
#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

// "<alias>=<name>"; the aliases of what is not read stand among the names.
constexpr std::string_view kAliases =
    "f=fit fillcolor=fill-color height=h max-height=max-h max-width=max-w min-height=min-h "
    "min-width=min-w or=orient trimcolor=trim-color trimmd=trim-md trimpad=trim-pad "
    "trimtol=trim-tol width=w";

// What the functions below read, the commonest first.
constexpr std::string_view kRead =
    "w h fit auto q crop dpr fm ar bg blur fill fill-color flip fp-debug fp-x fp-y fp-z max-h "
    "max-w "
    "min-h min-w orient rect rot sharp trim trim-color trim-md trim-pad trim-tol usm";

// What changes pixels, or more, in ways that we cannot, but for some values.
struct Refused {
  std::string_view names, harmless;
};
constexpr Refused kRefused[] = {
    {"border-stroke-size bri con exp face-blur face-pixel face-pixelate gam high htn hue "
     "license-plate-blur lp-blur pad pad-bottom pad-left pad-right pad-top px sat sepia shad vib",
     "0"},
    {"background-remove bg-remove inv invert lossless rasterize-bypass reverse upscale", "false"},
    {"frame page", "1"},
    {"chromasub", "420"},
    {"cs", "srgb strip tinysrgb"},
    {"b background-replace bg-replace blend blend-clr blend-color blendclr blendcolor border "
     "colorquant duotone expires fps interval loop m mark mask mono monochrome nr nrs "
     "object-removal-rect palette skip t transparency txt",
     ""}};

// What changes no pixel here: signatures, names of clients, headers and metadata, and what acts
// only beside a parameter that is refused itself (txt-size beside txt).
constexpr std::string_view kInert =
    "annotation ba balph bc bf bh bm bp bs bw bx by ch colors corner-radius dl dpi duotone-alpha "
    "faceindex facepad faces grid-colors grid-size iptc ixid ixlib jpeg-progressive "
    "jpg-progressive ma malph mb mf mh mp ms mtile mw mx my pdf-annotation prefix rot-type rott "
    "rottype s svg-sanitize ta tc tcl tf tl tp trim-alpha trim-sd trimsd tsh tsz tt "
    "upscale-fallback usmrad";
constexpr std::string_view kInertPrefixes[] = {"background-re", "bg-re", "blend", "border-",
                                               "fill-g",        "mark",  "mask",  "object-r",
                                               "txt",           "video-"};

const Refused* find_refused(std::string_view name) {
  for (const Refused& group : kRefused) {
    if (is_among(group.names, name)) return &group;
  }
  return nullptr;
}

bool is_inert(std::string_view name) {
  for (std::string_view prefix : kInertPrefixes) {
    if (name.starts_with(prefix)) return true;
  }
  return is_among(kInert, name);
}

Result<Parameters> read_parameters(std::string_view query) {
  Parameters parameters;
  TRY(auto given, parse_parameters(query, Plus::IsSpace));
  for (Parameter& parameter : given) {
    std::string_view name = word_behind(kAliases, parameter.name);
    if (name.ends_with("64")) {
      auto value = decode_base64(parameter.value);
      if (!value) return bad_option(name, parameter.value, "URL-safe base64");
      name = word_behind(kAliases, name.substr(0, name.size() - 2));
      parameter.value = *value;
    }
    std::string& kept = parameters[std::string(name)];
    kept = name == "auto" && !kept.empty() ? kept + ',' + parameter.value : parameter.value;
  }
  return parameters;
}

Result<> sort_out(Ask& ask, const Parameters& parameters) {
  for (const auto& [name, value] : parameters) {
    if (is_among(kRead, name)) continue;
    if (const Refused* refused = find_refused(name)) {
      bool is_harmless = value.empty() || is_among(refused->harmless, value);
      if (!is_harmless) return unsupported(name, value);
    } else if (!is_inert(name)) {
      ask.unknown.push_back(name);
    }
  }
  return {};
}

// A URL as path has escapes of its own below those that made it one path.
Result<std::string> read_source(const Request& request) {
  auto path = percent_decode(request.path);
  if (!path || !(path->starts_with("https://") || path->starts_with("http://"))) {
    return parse_source(request.path);
  }
  std::string_view url = std::string_view(*path).substr(0, path->find_first_of("?#"));
  auto decoded = percent_decode(url);
  return source_of_url(request.mount, decoded ? *decoded : url);
}

bool is_signed(const Request& request) {
  std::string message = "/" + std::string(request.path);
  std::string_view signature;
  char separator = '?';
  for (std::string_view part : split(request.query, '&')) {
    if (part.starts_with("s=")) {
      signature = part.substr(2);
    } else if (!request.query.empty()) {
      message.append(1, separator).append(part);
      separator = '&';
    }
  }
  bool is_good = false;
  for (const MountKey& key : request.mount.keys) {
    std::string digest = md5(key.key + message);
    is_good = equal_in_constant_time(hex(view_of(digest)), signature) || is_good;
  }
  return is_good;
}

// "auto" is a number to set(), and not one here.
Result<> set_number(Ask& ask, OptionId id, std::string_view value, std::string_view name) {
  if (value.find_first_not_of("0123456789.") != std::string_view::npos) {
    return bad_option(name, value, "a number");
  }
  return set(ask, id, value, name);
}

Result<> apply_sides(Ask& ask, const Parameters& parameters) {
  for (auto [name, id] : {std::pair{"w", OptionId::Width}, std::pair{"h", OptionId::Height},
                          std::pair{"dpr", OptionId::Dpr}}) {
    const std::string* value = find(parameters, name);
    if (value == nullptr) continue;
    // Up to 1 a side is a share of the source's.
    auto side_e4 = id == OptionId::Dpr ? std::nullopt : parse_fixed(*value, 4);
    if (side_e4 && *side_e4 > 0 && *side_e4 <= 10000) return unsupported(name, *value);
    TRY(set_number(ask, id, *value, name));
  }
  return {};
}

struct FitWord {
  std::string_view word;
  Fit fit;
  bool upscale;
};
constexpr FitWord kFits[] = {{"clip", Fit::Inside, true},  {"crop", Fit::Cover, true},
                             {"fill", Fit::Pad, true},     {"fillmax", Fit::Pad, false},
                             {"max", Fit::Inside, false},  {"min", Fit::Cover, false},
                             {"scale", Fit::Stretch, true}};

Result<> apply_fit(Ask& ask, const Parameters& parameters) {
  auto given = find(parameters, "fit");
  std::string_view fit = given != nullptr ? std::string_view(*given) : "clip";
  // A list is the face area and what to do without faces.
  if (fit == "clamp" || fit.starts_with("facearea")) return unsupported("fit", fit);
  auto at = std::find_if(std::begin(kFits), std::end(kFits),
                         [&](const FitWord& word) { return word.word == fit; });
  if (at == std::end(kFits)) {
    return bad_option("fit", fit, "clip, crop, fill, fillmax, max, min or scale");
  }
  set_fit(ask, at->fit, at->upscale);
  mark(ask, OptionId::Small);
  return {};
}

// ar and the limits of sides act beside fit=crop, ar beside fit=fill too.
Result<> apply_aspect(Ask& ask, const Parameters& parameters) {
  bool is_crop = ask.transformation.fit == Fit::Cover && ask.transformation.upscale;
  bool is_fill = ask.transformation.fit == Fit::Pad && ask.transformation.upscale;
  for (std::string_view limit : {"max-h", "max-w", "min-h", "min-w"}) {
    const std::string* value = find(parameters, limit);
    if (is_crop && value != nullptr) return unsupported(limit, *value);
  }
  if (auto ar = find(parameters, "ar"); ar != nullptr && (is_crop || is_fill)) {
    TRY(set(ask, OptionId::AspectRatio, *ar, "ar"));
  }
  return {};
}

Result<> read_focal_point(Gravity& gravity, const Parameters& parameters) {
  for (std::string_view name : {"fp-debug", "fp-z"}) {
    const std::string* value = find(parameters, name);
    bool is_off = value == nullptr || *value == (name == "fp-z" ? "1" : "false");
    if (!is_off) return unsupported(name, *value);
  }
  for (std::string_view name : {"fp-x", "fp-y"}) {
    const std::string* value = find(parameters, name);
    if (value == nullptr) continue;
    auto share_e4 = parse_fixed(*value, 4);
    if (!share_e4 || *share_e4 > 10000) return bad_option(name, *value, "0 to 1");
    (name == "fp-x" ? gravity.x_e4 : gravity.y_e4) = static_cast<std::int16_t>(*share_e4);
  }
  return {};
}

constexpr std::string_view kCropAllowed =
    "a list of top, bottom, left, right, center, faces, entropy, edges and focalpoint";

// A list: a focal point, else what content gives, else the sides that are named, which are focal
// points at the edges.
Result<> apply_gravity(Ask& ask, const Parameters& parameters) {
  const std::string* crop = find(parameters, "crop");
  if (crop == nullptr || ask.transformation.fit != Fit::Cover) return {};
  Gravity gravity{Gravity::Kind::FocalPoint}, focal = gravity;
  bool is_smart = false, is_focal = false;
  for (std::string_view word : split(*crop, ',')) {
    if (is_among("top bottom", word)) {
      gravity.y_e4 = word == "top" ? 0 : 10000;
    } else if (is_among("left right", word)) {
      gravity.x_e4 = word == "left" ? 0 : 10000;
    } else if (is_among("faces entropy edges focalpoint", word)) {
      (word == "focalpoint" ? is_focal : is_smart) = true;
    } else if (word != "center") {
      return bad_option("crop", *crop, kCropAllowed);
    }
  }
  if (is_focal) TRY(read_focal_point(focal, parameters));
  set_gravity(ask, is_focal ? focal : is_smart ? Gravity{Gravity::Kind::Smart} : gravity);
  return {};
}

enum class Measure : std::uint8_t { Pixels, Share, Either };
struct Length {
  Measure measure = Measure::Either;
  std::int32_t value = 0;  // pixels, or hundredths of a percent
};

std::optional<Length> parse_length(std::string_view text) {
  bool is_share = text.find('.') != std::string_view::npos;
  auto number = parse_fixed(text, is_share ? 4 : 0);
  if (!number || *number > (is_share ? 10000 : 65535)) return std::nullopt;
  auto value = static_cast<std::int32_t>(*number);
  return Length{value == 0 ? Measure::Either : is_share ? Measure::Share : Measure::Pixels, value};
}

// Where a side's rectangle begins: a length or a word, which needs a length in shares.
std::optional<Length> parse_start(std::string_view text, Length length) {
  if (text == "left" || text == "top") return Length{};
  std::int32_t room = 10000 - length.value;
  if (text == "right" || text == "bottom") return Length{Measure::Share, room};
  if (text == "center" || text == "middle") return Length{Measure::Share, room / 2};
  return parse_length(text);
}

// "x,y,width,height" of the source, all in pixels or all in shares of it.
Result<> apply_rectangle(Ask& ask, const Parameters& parameters) {
  const std::string* rect = find(parameters, "rect");
  if (rect == nullptr) return {};
  auto wrong = [&] { return bad_option("rect", *rect, "x,y,width,height in pixels or shares"); };
  auto parts = split(*rect, ',');
  if (parts.size() != 4) return wrong();
  Length sides[4];
  bool has_pixels = false, has_shares = false;
  for (std::size_t i : {2u, 3u, 0u, 1u}) {
    std::string_view part = parts[i] == "full" && i >= 2 ? "1.0" : parts[i];
    auto side = i >= 2 ? parse_length(part) : parse_start(part, sides[i + 2]);
    if (!side || (i >= 2 && side->value == 0)) return wrong();
    sides[i] = *side;
    has_pixels = has_pixels || side->measure == Measure::Pixels;
    has_shares = has_shares || side->measure == Measure::Share;
  }
  if (has_pixels && has_shares) return unsupported("rect", *rect);
  if (has_shares && (sides[0].value == 10000 || sides[1].value == 10000)) return wrong();
  ask.transformation.crop = CropBox{sides[0].value, sides[1].value, sides[2].value, sides[3].value,
                                    has_shares ? CropBox::Unit::Percent : CropBox::Unit::Pixels};
  mark(ask, OptionId::Crop);
  return {};
}

Result<> apply_trim(Ask& ask, const Parameters& parameters) {
  const std::string* trim = find(parameters, "trim");
  if (trim == nullptr) return {};
  bool is_auto = *trim == "auto";
  if (*trim == "alpha") return unsupported("trim", *trim);
  if (!is_among("auto color colorunlessalpha", *trim)) {
    return bad_option("trim", *trim, "auto, color, alpha or colorunlessalpha");
  }
  auto pad = find(parameters, "trim-pad"), color = find(parameters, "trim-color");
  if (pad != nullptr && *pad != "0") return unsupported("trim-pad", *pad);
  if (color != nullptr && !is_auto) return unsupported("trim-color", *color);
  std::string_view name = is_auto ? "trim-md" : "trim-tol", text = is_auto ? "11" : "0";
  if (auto given = find(parameters, name)) text = *given;
  auto distance = parse_fixed(text, 0);
  if (!distance) return bad_option(name, text, "a number");
  ask.transformation.trim_threshold =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(*distance, 1, 100));
  mark(ask, OptionId::Trim);
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

Result<> set_color(Ask& ask, std::string_view value, std::string_view name) {
  if (set(ask, OptionId::Background, with_alpha_last(value), name)) return {};
  // One of CSS's other names.
  bool is_word = value.find_first_of("ghijklmnopqrstuvwxyz") != std::string_view::npos;
  if (is_word) return unsupported(name, value);
  return bad_option(name, value,
                    "3, 4, 6 or 8 hexadecimal digits (alpha first) or a colour's name");
}

Result<> apply_background(Ask& ask, const Parameters& parameters) {
  bool pads = ask.transformation.fit == Fit::Pad;
  std::string_view name = "bg";
  if (auto fill = find(parameters, "fill"); fill != nullptr && pads) {
    if (*fill == "blur" || *fill == "gradient" || fill->starts_with("gen")) {
      return unsupported("fill", *fill);
    }
    if (*fill != "solid") return bad_option("fill", *fill, "solid, blur, gen or gradient");
    if (find(parameters, "fill-color") != nullptr) name = "fill-color";
  }
  if (auto color = find(parameters, name)) return set_color(ask, *color, name);
  if (pads) {
    ask.transformation.background = kWhite;
    mark(ask, OptionId::Background);
  }
  return {};
}

Result<> set_format(Ask& ask, std::string_view word) {
  if (is_among("gif jp2 jxr jxl json blurhash mp4 webm hls dash spritesheet", word)) {
    return unsupported("fm", word);
  }
  if (is_among("jpg pjpg", word)) return set(ask, OptionId::Format, "jpeg", "fm");
  if (is_among("png png8 png32", word)) return set(ask, OptionId::Format, "png", "fm");
  if (is_among("webp avif", word)) return set(ask, OptionId::Format, word, "fm");
  return bad_option("fm", word, "jpg, pjpg, png, png8, png32, webp or avif");
}

constexpr std::int32_t kDefaultQuality_pct = 75, kCompressQuality_pct = 45;

Result<> apply_encoding(Ask& ask, const Parameters& parameters) {
  keep_source_format(ask);
  ask.transformation.quality_pct = kDefaultQuality_pct;
  mark(ask, OptionId::Quality);
  if (auto modes = find(parameters, "auto")) {
    for (std::string_view mode : split(*modes, ',')) {
      if (is_among("enhance redeye true", mode)) return unsupported("auto", mode);
      if (mode == "format") {
        ask.transformation.format_auto = true;
      } else if (mode == "compress") {
        ask.transformation.quality_pct = kCompressQuality_pct;
      } else if (!mode.empty()) {
        return bad_option("auto", mode, "a list of format and compress");
      }
    }
  }
  auto fm = find(parameters, "fm");
  if (fm != nullptr) TRY(set_format(ask, *fm));
  auto q = find(parameters, "q");
  if (q == nullptr) return {};
  return set_number(ask, OptionId::Quality, *q == "0" ? "1" : std::string_view(*q), "q");
}

// imgix publishes no scale: the ends of its ranges are laid on the ends of ours (blur 2000 is sigma
// 100, sharp and usm 100 are sigma 10). Of usm and sharp, sharp counts; usmrad is read over.
struct Effect {
  std::string_view name;
  std::int64_t max, per_sigma, least_sigma_e2;
  OptionId id;
};
constexpr Effect kEffects[] = {{"blur", 2000, 20, 30, OptionId::Blur},
                               {"usm", 100, 10, 10, OptionId::Sharpen},
                               {"sharp", 100, 10, 10, OptionId::Sharpen}};

Result<> apply_effects(Ask& ask, const Parameters& parameters) {
  for (const Effect& effect : kEffects) {
    const std::string* value = find(parameters, effect.name);
    if (value == nullptr) continue;
    if (effect.name == "usm" && value->starts_with('-')) return unsupported("usm", *value);
    auto amount_e2 = parse_fixed(*value, 2);
    if (!amount_e2 || *amount_e2 > effect.max * 100) {
      return bad_option(effect.name, *value, "0 to " + std::to_string(effect.max));
    }
    if (*amount_e2 == 0) continue;
    auto sigma_e2 = std::max(*amount_e2 / effect.per_sigma, effect.least_sigma_e2);
    Transformation& t = ask.transformation;
    (effect.id == OptionId::Blur ? t.blur_e2 : t.sharpen_e2) = static_cast<std::int32_t>(sigma_e2);
    mark(ask, effect.id);
  }
  return {};
}

struct Turn {
  std::int16_t rotate_deg = 0;
  Flip flip = Flip::None;
};
// By EXIF's numbers; 0 is like 1.
constexpr Turn kTurns[] = {{0, Flip::None},   {0, Flip::None},         {0, Flip::Horizontal},
                           {180, Flip::None}, {0, Flip::Vertical},     {90, Flip::Horizontal},
                           {90, Flip::None},  {270, Flip::Horizontal}, {270, Flip::None}};

std::optional<Turn> parse_turn(std::string_view orient) {
  int number = orient == "90" ? 6 : orient == "180" ? 3 : orient == "270" ? 8 : 9;
  if (orient.size() == 1) number = orient[0] - '0';
  if (number < 0 || number > 8) return std::nullopt;
  return kTurns[number];
}

// rot turns within the frame and zooms until the frame is covered: only the half turn is the same
// with us, and that commutes with flips.
Result<> apply_turns(Ask& ask, const Parameters& parameters) {
  Transformation& t = ask.transformation;
  if (auto orient = find(parameters, "orient")) {
    auto turn = parse_turn(*orient);
    if (!turn) return bad_option("orient", *orient, "0 to 8, 90, 180 or 270");
    t.rotate_deg = turn->rotate_deg;
    t.flip = turn->flip;
    mark(ask, OptionId::Rotate);
    mark(ask, OptionId::Flip);
  }
  if (auto rot = find(parameters, "rot")) {
    auto angle_e2 = parse_fixed(*rot, 2);
    if (!angle_e2 || *angle_e2 >= 36000) return bad_option("rot", *rot, "0 to 359");
    if (*angle_e2 != 0 && *angle_e2 != 18000) return unsupported("rot", *rot);
    t.rotate_deg = static_cast<std::int16_t>((t.rotate_deg + *angle_e2 / 100) % 360);
    mark(ask, OptionId::Rotate);
  }
  if (auto flip = find(parameters, "flip")) {
    Flip before = t.flip;
    TRY(set(ask, OptionId::Flip, *flip, "flip"));
    t.flip = static_cast<Flip>(static_cast<int>(t.flip) ^ static_cast<int>(before));
  }
  return {};
}

using Apply = Result<> (*)(Ask&, const Parameters&);
// apply_fit comes first: the others ask for the fit.
constexpr Apply kApply[] = {apply_fit,       apply_sides, apply_aspect,     apply_gravity,
                            apply_rectangle, apply_trim,  apply_background, apply_encoding,
                            apply_effects,   apply_turns};

}  // namespace

Result<Ask> parse_imgix(const Request& request) {
  if (!request.mount.keys.empty() && !is_signed(request)) return bad_signature();
  Ask ask;
  ask.site = request.mount.site;
  TRY(ask.source, read_source(request));
  TRY(auto parameters, read_parameters(request.query));
  TRY(sort_out(ask, parameters));
  for (Apply apply : kApply) {
    TRY(apply(ask, parameters));
  }
  return ask;
}

}  // namespace tintype
