// SPDX-License-Identifier: Apache-2.0
// Cloudinary: [<cloud>/]image/<type>/[s--signature--/][<component>/]*[v<n>/]<id>[.<ext>]
//
// A component is comma-joined key_value in any order; its last duplicate wins. Components run one
// after the other, each on the result of the one before. They are merged where they come in the
// order of our own steps (Stage), each at most once; any other chain is unsupported. How a picture
// is encoded may stand in any of them. A segment is a component when each of its parts begins with
// a known key; the first other one begins the public id. Pinned by spec/vectors/cloudinary.txt.
#include <algorithm>
#include <utility>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "dialect/words.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

// The order in which a render does things; a turn behind the resize is one of its result.
enum class Stage { Start, Crop, Trim, Turn, Resize, Sharpen, Blur, LateTurn, Background };

struct Chain {
  Ask ask;
  Stage stage = Stage::Start;
  std::string encodings;       // keys of encoding so far, a space behind each
  std::string_view component;  // the one at hand
};

struct Setting {
  std::string_view key, value;

  Failure must_be(std::string_view allowed) const { return bad_option(key, value, allowed); }
  Failure is_unsupported() const { return unsupported(key, value); }
};

struct Component {
  std::vector<Setting> settings;  // no key twice

  explicit Component(std::string_view segment) {
    for (std::string_view part : split(segment, ',')) {
      std::size_t end = part.find('_');
      Setting setting{part.substr(0, end), part.substr(end + 1)};
      std::erase_if(settings, [&](const Setting& other) { return other.key == setting.key; });
      settings.push_back(setting);
    }
  }
  const Setting* find(std::string_view key) const {
    for (const Setting& setting : settings) {
      if (setting.key == key) return &setting;
    }
    return nullptr;
  }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::string_view value_of(std::string_view key) const { return has(key) ? find(key)->value : ""; }
};

// A strength of theirs has no unit; 100, the default, is taken for a sigma of one pixel.
constexpr std::int64_t kDefaultStrength = 100, kMaxStrength = 2000, kSigmaPerStrength_e2 = 1;

bool has_point(std::string_view number) {
  return number.find('.') != std::string_view::npos;
}

Failure unsupported_chain(const Chain& chain) {
  return unsupported("transformation chain", chain.component);
}

Result<> advance(Chain& chain, Stage stage) {
  if (stage <= chain.stage) return unsupported_chain(chain);
  chain.stage = stage;
  return {};
}

Result<> apply_side(Ask& ask, const Setting& side) {
  if (side.key == "w" && side.value == "auto") return set(ask, OptionId::Width, "auto", side.key);
  auto number = parse_decimal(side.value);
  // A decimal is a share of the source's side, and all of it is what there is anyway.
  if (number && has_point(side.value)) return *number == 1 ? Result<>() : side.is_unsupported();
  // Variables and sums with them: iw, ih_mul_2, $size. Their names are ASCII.
  char first = side.value.empty() ? ' ' : lower(side.value[0]);
  if (first == '$' || (first >= 'a' && first <= 'z')) return side.is_unsupported();
  return set(ask, side.key == "w" ? OptionId::Width : OptionId::Height, side.value, side.key);
}

constexpr std::string_view kCompass =
    "center north north_east east south_east south south_west west north_west";
constexpr std::string_view kSmartGravities = "auto face faces adv_face adv_faces adv_eyes";

Result<> apply_gravity(Ask& ask, const Component& component) {
  const Setting* gravity = component.find("g");
  if (gravity == nullptr) return {};
  std::string place(gravity->value);
  std::replace(place.begin(), place.end(), '_', '-');
  std::string_view x = component.value_of("x"), y = component.value_of("y");
  const Transformation& t = ask.transformation;
  bool is_whole = !t.crop && !t.trim_threshold && t.rotate_deg == 0 && t.flip == Flip::None;
  if (is_among(kSmartGravities, gravity->value.substr(0, gravity->value.find(':')))) {
    place = "smart";
  } else if (gravity->value == "xy_center" && has_point(x) && has_point(y) && is_whole) {
    // Fractions; our focal point is one of the whole upright picture.
    place = std::string(x) + "," + std::string(y);
  } else if (!is_among(kCompass, gravity->value)) {
    return gravity->is_unsupported();
  }
  return set(ask, OptionId::Gravity, place, gravity->key);
}

// x and y are offsets from where the gravity would put the box.
Result<> refuse_offsets(const Component& component) {
  for (const Setting& setting : component.settings) {
    bool is_offset = setting.key == "x" || setting.key == "y";
    if (is_offset && parse_decimal(setting.value) != 0.0) return setting.is_unsupported();
  }
  return {};
}

constexpr struct {
  std::string_view name;
  Fit fit;
  bool upscale, takes_auto_gravity;
} kModes[] = {{"scale", Fit::Stretch, true, false}, {"fit", Fit::Inside, true, false},
              {"limit", Fit::Inside, false, false}, {"fill", Fit::Cover, true, true},
              {"lfill", Fit::Cover, false, true},   {"pad", Fit::Pad, true, false},
              {"lpad", Fit::Pad, false, false},     {"crop", Fit::Cut, false, true},
              {"thumb", Fit::Cover, true, true},    {"auto", Fit::Cover, true, true}};
constexpr std::string_view kOtherModes = "mfit mpad fill_pad auto_pad imagga_crop imagga_scale";

Result<> apply_mode(Chain& chain, const Component& component) {
  const Setting* crop = component.find("c");
  // Without a word for it the default stands, which a preset may replace.
  if (crop == nullptr) return {};
  const auto* mode = std::find_if(std::begin(kModes), std::end(kModes),
                                  [&](const auto& known) { return known.name == crop->value; });
  if (mode == std::end(kModes)) {
    if (is_among(kOtherModes, crop->value)) return crop->is_unsupported();
    return crop->must_be("scale, fit, limit, fill, lfill, pad, lpad, crop, thumb or auto");
  }
  bool is_auto = component.value_of("g").starts_with("auto");
  if (is_auto && !mode->takes_auto_gravity) {
    return component.find("g")->must_be("auto beside c_fill, c_lfill, c_crop, c_thumb or c_auto");
  }
  bool has_side = component.has("w") || component.has("h");
  bool cuts_out = mode->name == "crop" || mode->name == "thumb";
  // The size would be that of a face.
  if (cuts_out && !has_side && !component.has("ar")) return crop->is_unsupported();
  set_fit(chain.ask, mode->fit == Fit::Cut && !has_side ? Fit::Cover : mode->fit, mode->upscale);
  chain.ask.transformation.small = Small::Cut;
  mark(chain.ask, OptionId::Small);
  if (mode->name == "auto") set_gravity(chain.ask, {Gravity::Kind::Smart});
  return {};
}

Result<> apply_resize(Chain& chain, const Component& component) {
  TRY(advance(chain, Stage::Resize));
  TRY(apply_mode(chain, component));
  TRY(apply_gravity(chain.ask, component));
  if (component.value_of("g") != "xy_center") TRY(refuse_offsets(component));
  for (std::string_view key : {"w", "h"}) {
    if (component.has(key)) TRY(apply_side(chain.ask, *component.find(key)));
  }
  if (!component.has("ar")) return {};
  return set(chain.ask, OptionId::AspectRatio, component.value_of("ar"), "ar");
}

// A rectangle of the picture as it is: from x and y, or from the corner where they begin.
bool is_box(const Component& component) {
  std::string_view gravity = component.value_of("g");
  bool is_placed = component.has("x") || component.has("y") || gravity == "north_west";
  return component.value_of("c") == "crop" && component.has("w") && component.has("h") &&
         is_placed && (gravity.empty() || gravity == "north_west");
}

// In pixels, or in fractions of the sides.
Result<> apply_box(Chain& chain, const Component& component) {
  TRY(advance(chain, Stage::Crop));
  std::string box;
  bool is_relative = has_point(component.value_of("w"));
  for (std::string_view key : {"x", "y", "w", "h"}) {
    std::string_view value = component.has(key) ? component.value_of(key) : "0";
    auto share_e4 = is_relative ? parse_fixed(value, 4) : std::nullopt;
    box += box.empty() ? "" : ",";
    if (share_e4) append_fixed(box, *share_e4, 2);
    box += share_e4 ? "p" : value;
  }
  return set(chain.ask, OptionId::Crop, box, "c");
}

struct Turn {
  int rotate_deg = 0;
  bool is_mirrored = false;  // left-right, after the rotation
};

Result<Turn> parse_turn(const Setting& angle) {
  Turn turn;
  for (std::string_view word : split(angle.value, '.')) {
    auto degrees = parse_int(word);
    bool flips = word == "hflip" || word == "vflip";
    if (is_among("auto_right auto_left ignore exif", word)) return angle.is_unsupported();
    if (!degrees && !flips) return angle.must_be("a multiple of 90, hflip or vflip");
    if (degrees && *degrees % 90 != 0) return angle.is_unsupported();
    if (flips) turn.is_mirrored = !turn.is_mirrored;
    if (word == "vflip") degrees = 180;
    int deg = static_cast<int>((degrees.value_or(0) % 360 + 360) % 360);
    turn.rotate_deg = (turn.rotate_deg + (turn.is_mirrored ? 360 - deg : deg)) % 360;
  }
  return turn;
}

// Ours come before the resize: its box is turned instead, and so is what the gravity points at.
Result<> turn_box(Chain& chain, const Turn& turn) {
  Transformation& t = chain.ask.transformation;
  if (turn.rotate_deg % 180 != 0) {
    // What a preset's box would be is not known here.
    if (t.width_auto || !chain.ask.preset.empty()) return unsupported_chain(chain);
    std::swap(t.width_px, t.height_px);
    if (t.aspect) std::swap(t.aspect->width, t.aspect->height);
    mark(chain.ask, OptionId::Width);
    mark(chain.ask, OptionId::Height);
  }
  int place = t.gravity ? static_cast<int>(t.gravity->kind) - 1 : -1;  // clockwise from the north
  if (place < 0 || place >= 8) return {};
  place = (place + turn.rotate_deg / 45) % 8;
  if (turn.is_mirrored) place = (8 - place) % 8;
  t.gravity->kind = static_cast<Gravity::Kind>(place + 1);
  return {};
}

Result<> apply_angle(Chain& chain, const Setting& angle) {
  TRY(Turn turn, parse_turn(angle));
  if (turn.rotate_deg == 0 && !turn.is_mirrored) return {};
  bool is_late = chain.stage > Stage::Turn;
  Transformation& t = chain.ask.transformation;
  if (t.rotate_deg != 0 || t.flip != Flip::None) return unsupported_chain(chain);
  TRY(advance(chain, is_late ? Stage::LateTurn : Stage::Turn));
  t.rotate_deg = static_cast<std::int16_t>(turn.rotate_deg);
  t.flip = turn.is_mirrored ? Flip::Horizontal : Flip::None;
  mark(chain.ask, OptionId::Rotate);
  mark(chain.ask, OptionId::Flip);
  return is_late ? turn_box(chain, turn) : Result<>();
}

bool is_trim(const Setting* effect) {
  return effect != nullptr && (effect->value == "trim" || effect->value.starts_with("trim:"));
}

Result<> apply_trim(Chain& chain, const Setting& effect) {
  TRY(advance(chain, Stage::Trim));
  std::string_view tolerance = effect.value.substr(std::min<std::size_t>(5, effect.value.size()));
  if (tolerance.find(':') != std::string_view::npos) return effect.is_unsupported();
  return set(chain.ask, OptionId::Trim, tolerance == "0" ? "1" : tolerance, effect.key);
}

Result<> apply_effect(Chain& chain, const Setting& effect) {
  std::string_view name = effect.value.substr(0, effect.value.find(':'));
  bool is_blur = name == "blur";
  if (!is_blur && name != "sharpen" && name != "unsharp_mask") return effect.is_unsupported();
  std::optional<std::int64_t> strength = kDefaultStrength;
  if (name != effect.value) strength = parse_int(effect.value.substr(name.size() + 1));
  bool is_known = strength && *strength >= 0 && *strength <= kMaxStrength;
  if (!is_known) return effect.must_be("a strength of 0 to 2000");
  if (*strength == 0) return {};
  TRY(advance(chain, is_blur ? Stage::Blur : Stage::Sharpen));
  auto sigma_e2 = static_cast<std::int32_t>(*strength * kSigmaPerStrength_e2);
  Transformation& t = chain.ask.transformation;
  (is_blur ? t.blur_e2 : t.sharpen_e2) =
      is_blur ? std::max(sigma_e2, 30) : std::clamp(sigma_e2, 10, 1000);
  mark(chain.ask, is_blur ? OptionId::Blur : OptionId::Sharpen);
  return {};
}

// For values of which they have many more than we: names of colours, formats.
Result<> set_or_refuse(Ask& ask, OptionId id, const Setting& setting) {
  auto is_set = set(ask, id, setting.value, setting.key);
  return is_set || setting.value.empty() ? is_set : setting.is_unsupported();
}

Result<> apply_background(Ask& ask, const Setting& color) {
  if (!color.value.starts_with("rgb:")) return set_or_refuse(ask, OptionId::Background, color);
  return set(ask, OptionId::Background, color.value.substr(4), color.key);
}

// The levels of auto are one level here; the resolution of chroma is the encoder's to decide.
Result<> apply_quality(Chain& chain, const Setting& quality) {
  std::string_view number = quality.value.substr(0, quality.value.find(':'));
  std::string_view rest = quality.value.substr(number.size());
  std::string_view known = number == "auto" ? ":best :good :eco :low" : ":420 :444";
  bool is_plain = rest.empty() || is_among(known, rest);
  if (number == "jpegmini" || !is_plain) return quality.is_unsupported();
  return set(chain.ask, OptionId::Quality, number, quality.key);
}

// A named transformation. Theirs may have '_', our presets not: it is read as '-'.
Result<> apply_preset(Chain& chain, const Setting& preset) {
  std::string name(preset.value);
  std::replace(name.begin(), name.end(), '_', '-');
  chain.ask.yielding = std::exchange(chain.ask.named, 0);
  return set(chain.ask, OptionId::Preset, name, preset.key);
}

constexpr std::string_view kPlainFlags =
    "any_format attachment force_strip immutable_cache lossy png24 png32 png8 progressive "
    "strip_profile";

Result<> apply_flags(Ask& ask, const Setting& flags) {
  for (std::string_view flag : split(flags.value, '.')) {
    flag = flag.substr(0, flag.find(':'));
    bool keeps_copyright = is_among("keep_attribution keep_iptc", flag);
    if (!keeps_copyright && !is_among(kPlainFlags, flag)) return flags.is_unsupported();
    if (keeps_copyright) TRY(set(ask, OptionId::Metadata, "copyright", flags.key));
  }
  return {};
}

constexpr std::string_view kKeys =
    "a ac af ar b bl bo br c co cs d dl dn dpr du e eo f fl fn fps g h if ki l o p pg q r so sp t "
    "u vc vs w x y z";
constexpr std::string_view kOtherKeys =
    "ac af bl bo br co cs dl du eo fn fps if ki l o p pg r so sp u vc vs z";
// Those of them that ask for nothing. d, a picture for one that is missing, is not looked at: that
// is a 404.
constexpr std::string_view kPlainSettings =
    "cs_srgb cs_srgb:truecolor cs_no_cmyk o_100 pg_1 r_0 z_1 z_1.0";

bool is_component(std::string_view segment) {
  auto parts = split(segment, ',');
  return std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
    std::size_t end = part.find('_');
    bool is_known = part.starts_with('$') || is_among(kKeys, part.substr(0, end));
    return end != std::string_view::npos && is_known;
  });
}

Result<> refuse_others(const Component& component) {
  for (const Setting& setting : component.settings) {
    std::string text = std::string(setting.key) + "_" + std::string(setting.value);
    bool is_other = setting.key.starts_with('$') || is_among(kOtherKeys, setting.key);
    if (is_other && !is_among(kPlainSettings, text)) return setting.is_unsupported();
  }
  return {};
}

Result<> apply_encoding(Chain& chain, const Setting& setting) {
  std::string_view key = setting.key;
  if (is_among(chain.encodings, key)) return unsupported_chain(chain);
  chain.encodings.append(key).append(" ");
  if (key == "t") return apply_preset(chain, setting);
  if (key == "q") return apply_quality(chain, setting);
  if (key == "f") return set_or_refuse(chain.ask, OptionId::Format, setting);
  return set(chain.ask, OptionId::Dpr, setting.value, key);
}

Result<> apply_component(Chain& chain, std::string_view segment) {
  Component component(segment);
  chain.component = segment;
  TRY(refuse_others(component));
  for (std::string_view key : {"t", "dpr", "q", "f"}) {
    if (component.has(key)) TRY(apply_encoding(chain, *component.find(key)));
  }
  if (component.has("fl")) TRY(apply_flags(chain.ask, *component.find("fl")));
  if (is_box(component)) TRY(apply_box(chain, component));
  const Setting* effect = component.find("e");
  if (is_trim(effect)) TRY(apply_trim(chain, *effect));
  bool resizes = !is_box(component) && (component.has("c") || component.has("w") ||
                                        component.has("h") || component.has("ar"));
  if (resizes) TRY(apply_resize(chain, component));
  if (effect != nullptr && !is_trim(effect)) TRY(apply_effect(chain, *effect));
  if (component.has("a")) TRY(apply_angle(chain, *component.find("a")));
  if (!component.has("b")) return {};
  // Behind a resize it is laid under what is there; with one it is the colour of the padding too.
  if (!resizes) TRY(advance(chain, Stage::Background));
  return apply_background(chain.ask, *component.find("b"));
}

std::string_view take_segment(std::string_view& rest) {
  std::string_view segment = rest.substr(0, rest.find('/'));
  rest.remove_prefix(std::min(segment.size() + 1, rest.size()));
  return segment;
}

struct Place {
  std::string_view type;  // of delivery
  std::string_view rest;
};

// The mount's path may end with the type. Where there is none, the path is a "root path", which is
// of type upload.
Result<Place> locate(const Mount& mount, std::string_view path) {
  for (std::string_view type : {"upload", "fetch", "private", "authenticated"}) {
    if (mount.path.ends_with("/image/" + std::string(type))) return Place{type, path};
  }
  std::string_view rest = path, resource = take_segment(rest);
  bool is_cloud = mount.path == "/" && !is_among("image video raw iu", resource);
  if (is_cloud) resource = take_segment(rest);
  if (resource == "iu") return Place{"upload", rest};
  if (resource == "video" || resource == "raw") return unsupported("resource type", resource);
  if (resource != "image") return Place{"upload", path};
  std::string_view type = take_segment(rest);
  if (is_among("upload fetch private authenticated", type)) return Place{type, rest};
  return unsupported("delivery type", type);
}

struct Parts {
  std::string_view signature;   // between "s--" and "--"
  std::string_view components;  // each with its slash
  std::string_view version;     // digits
  std::string id;
};

Parts take_apart(std::string_view rest) {
  Parts parts;
  std::string_view behind = rest, segment = take_segment(behind);
  if (segment.size() > 5 && segment.starts_with("s--") && segment.ends_with("--")) {
    parts.signature = segment.substr(3, segment.size() - 5);
    rest = behind;
    segment = take_segment(behind);
  }
  parts.components = rest;
  while (!behind.empty() && is_component(segment)) {
    rest = behind;
    segment = take_segment(behind);
  }
  parts.components.remove_suffix(rest.size());
  bool has_version = !behind.empty() && segment.starts_with('v') && is_digits(segment.substr(1));
  if (has_version) parts.version = segment.substr(1);
  parts.id = has_version ? behind : rest;
  return parts;
}

// Eight characters of SHA-1 or 32 of SHA-256, in base64, over components, id and secret, all
// without escapes.
Result<> check_signature(const Mount& mount, std::string_view type, const Parts& parts) {
  if (mount.keys.empty() && type != "private" && type != "authenticated") return {};
  bool is_short = parts.signature.size() == 8;
  for (const MountKey& key : mount.keys) {
    std::string text = std::string(parts.components) + parts.id + key.key;
    std::string expected = base64_url(is_short ? sha1(text) : sha256_of(text));
    expected.resize(is_short ? 8 : 32);
    if (equal_in_constant_time(expected, parts.signature)) return {};
  }
  return bad_signature();
}

// True where the request does not name the option. It then counts as named, so that the site's own
// defaults do not change what a URL means, but yields to a preset.
bool falls_back(Ask& ask, OptionId id) {
  if ((ask.named & bit_of(id)) != 0) return false;
  ask.yielding |= bit_of(id);
  mark(ask, id);
  return true;
}

void settle_defaults(Ask& ask) {
  // What is named behind the preset does not yield to it, though it was named before it too.
  std::uint32_t named_before = std::exchange(ask.yielding, ask.yielding & ~ask.named);
  ask.named |= named_before;
  // A preset says by itself how it scales.
  bool is_scaled = ask.preset.empty();
  if (falls_back(ask, OptionId::Fit) && is_scaled) ask.transformation.fit = Fit::Stretch;
  if (falls_back(ask, OptionId::Upscale)) ask.transformation.upscale = is_scaled;
  if (falls_back(ask, OptionId::Format)) keep_source_format(ask);
  static constexpr OptionId kOurs[] = {OptionId::Small, OptionId::Gravity, OptionId::Quality,
                                       OptionId::Background};
  for (OptionId id : kOurs) falls_back(ask, id);
}

}  // namespace

Result<Ask> parse_cloudinary(const Request& request) {
  Chain chain;
  chain.ask.site = request.mount.site;
  TRY(std::string path, decode(request.path, "path"));
  TRY(Place place, locate(request.mount, path));
  Parts parts = take_apart(place.rest);
  // An address has escapes of its own.
  if (place.type == "fetch") parts.id = percent_decode(parts.id).value_or(parts.id);
  TRY(check_signature(request.mount, place.type, parts));
  for (std::string_view rest = parts.components; !rest.empty();) {
    TRY(apply_component(chain, take_segment(rest)));
  }
  // Clients put v1 before each id that has folders.
  bool has_version = !parts.version.empty() && parts.version != "1";
  if (has_version) TRY(set(chain.ask, OptionId::Version, parts.version, "v"));
  if (place.type == "fetch") {
    TRY(chain.ask.source, source_of_url(request.mount, parts.id));
  } else {
    TRY(chain.ask.source, check_source(std::move(parts.id)));
    for (std::string_view parameter : split(request.query, '&')) {
      std::string name(parameter.substr(0, parameter.find('=')));
      bool is_known = name.empty() || name == "_a";  // what the vendor's clients say of themselves
      if (!is_known) chain.ask.unknown.push_back(std::move(name));
    }
  }
  settle_defaults(chain.ask);
  return std::move(chain.ask);
}

}  // namespace tintype
