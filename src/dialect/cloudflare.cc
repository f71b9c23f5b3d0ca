// SPDX-License-Identifier: Apache-2.0
// Cloudflare's image transformations: <name>=<value>,<name>=<value>/<path or absolute URL>
//
//   /cdn-cgi/image/width=400,height=300,fit=cover,format=auto/uploads/front.jpg
//   /cdn-cgi/image/w=400/https://cdn.shop.example/front.jpg
//
// At least one option; commas within the parentheses of a colour belong to it; the last of two
// wins. A query is the original's and chooses nothing. fit=crop leaves a small source whole where
// fit=aspect-crop cuts it to the box's ratio; flip comes before rotate; trim counts pixels off the
// sides, times dpr. There are no signatures: a mount with keys lets nothing through.
// Pinned by spec/vectors/cloudflare.txt.
#include <algorithm>
#include <optional>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Kind = Gravity::Kind;

// "The default is 85." (developers.cloudflare.com/images/optimization/features, quality)
constexpr std::int32_t kDefaultQuality_pct = 85;
// blur=1 to 250 over our 0.4 to 100, in hundredths; sharpen=0 to 10 is taken as it is.
constexpr std::int64_t kSigmaPerBlur_e2 = 40;
constexpr std::int64_t kSigmaPerSharpen_e2 = 100;
// The longest side of a crop: one that long reaches to the edge.
constexpr std::int32_t kMaxCrop_px = 65535;

// A crop as it is asked for: pixels off the left and the top, and what is left of the rest.
struct Window {
  std::int32_t left_px = 0, top_px = 0;
  std::optional<std::int32_t> width_px, height_px;
  bool operator==(const Window&) const = default;
};

struct Draft {
  Ask ask;
  Window window;
  bool has_background = false, has_quality = false, has_format = false;
};

struct Option {
  std::string_view name, value;
};

constexpr struct {
  std::string_view word;
  Fit fit;
  bool upscale;
  Small small = Small::Ratio;
} kFits[] = {{"scale-down", Fit::Inside, false},
             {"contain", Fit::Inside, true},
             {"cover", Fit::Cover, true},
             {"crop", Fit::Cover, false, Small::Keep},
             {"aspect-crop", Fit::Cover, false, Small::Ratio},
             {"pad", Fit::Pad, true},
             {"squeeze", Fit::Stretch, true}};

constexpr struct {
  std::string_view word;
  Kind kind;
} kGravities[] = {{"auto", Kind::Smart},    {"face", Kind::Smart},  {"entropy", Kind::Smart},
                  {"center", Kind::Center}, {"left", Kind::West},   {"right", Kind::East},
                  {"top", Kind::North},     {"bottom", Kind::South}};

// Empty: a format that is not written here.
constexpr struct {
  std::string_view word, ours;
} kFormats[] = {{"auto", "auto"}, {"avif", "avif"},          {"webp", "webp"},
                {"jpeg", "jpeg"}, {"baseline-jpeg", "jpeg"}, {"jpg", "jpeg"},
                {"png", "png"},   {"png-force", "png"},      {"json", ""},
                {"svg", ""}};

// Perceptual levels, whose measure is not published: evenly over "useful values are between 50 and
// 90" of the same page.
constexpr struct {
  std::string_view word;
  std::int32_t quality_pct;
} kQualities[] = {{"high", 90}, {"medium-high", 77}, {"medium-low", 63}, {"low", 50}};

Result<> apply_width(Draft& draft, Option option) {
  return set(draft.ask, OptionId::Width, option.value, option.name);
}

Result<> apply_height(Draft& draft, Option option) {
  return set(draft.ask, OptionId::Height, option.value, option.name);
}

Result<> apply_dpr(Draft& draft, Option option) {
  if (equals_ignoring_case(option.value, "auto")) {
    return bad_option(option.name, option.value, "0.1 to 8");
  }
  return set(draft.ask, OptionId::Dpr, option.value, option.name);
}

Result<> apply_fit(Draft& draft, Option option) {
  if (option.value == "scale-up") return unsupported(option.name, option.value);
  for (const auto& known : kFits) {
    if (known.word != option.value) continue;
    set_fit(draft.ask, known.fit, known.upscale);
    draft.ask.transformation.small = known.small;
    return {};
  }
  return bad_option(option.name, option.value,
                    "scale-down, contain, cover, crop, aspect-crop, pad or squeeze");
}

Result<> apply_gravity(Draft& draft, Option option) {
  for (const auto& known : kGravities) {
    if (known.word != option.value) continue;
    set_gravity(draft.ask, {known.kind});
    return {};
  }
  std::size_t x = option.value.find('x');
  if (x != std::string_view::npos) {
    std::string point(option.value);
    point[x] = ',';
    if (set(draft.ask, OptionId::Gravity, point, option.name)) return {};
  }
  return bad_option(option.name, option.value,
                    "auto, face, left, right, top, bottom or a point such as 0.5x0.33");
}

Result<> apply_quality(Draft& draft, Option option) {
  auto quality_pct = parse_int(option.value);
  for (const auto& known : kQualities) {
    if (known.word == option.value) quality_pct = known.quality_pct;
  }
  if (!quality_pct || *quality_pct < 1 || *quality_pct > 100) {
    return bad_option(option.name, option.value, "1 to 100, high, medium-high, medium-low or low");
  }
  draft.ask.transformation.quality_pct = static_cast<std::int32_t>(*quality_pct);
  draft.has_quality = true;
  return {};
}

Result<> apply_format(Draft& draft, Option option) {
  draft.has_format = true;
  for (const auto& known : kFormats) {
    if (known.word != option.value) continue;
    if (known.ours.empty()) return unsupported(option.name, option.value);
    return set(draft.ask, OptionId::Format, known.ours, option.name);
  }
  return bad_option(option.name, option.value, "auto, avif, webp, jpeg or baseline-jpeg");
}

std::optional<std::uint8_t> parse_channel(std::string_view text) {
  auto value = parse_int(text);
  if (!value || *value < 0 || *value > 255) return std::nullopt;
  return static_cast<std::uint8_t>(*value);
}

// "0.5" or "50%"; what is above is opaque.
std::optional<std::uint8_t> parse_alpha(std::string_view text) {
  bool is_percent = text.ends_with('%');
  if (is_percent) text.remove_suffix(1);
  auto value_e4 = parse_fixed(text, is_percent ? 2 : 4);
  if (!value_e4) return std::nullopt;
  std::int64_t alpha_e4 = std::min<std::int64_t>(*value_e4, 10000);
  return static_cast<std::uint8_t>((alpha_e4 * 255 + 5000) / 10000);
}

// CSS Color Module Level 4, section 5.1, both syntaxes: rgb(240,40,145), rgb(240 40 145 / 50%).
std::optional<Color> parse_rgb(std::string_view text) {
  std::size_t open = text.find('(');
  std::string_view function = text.substr(0, open);
  bool is_rgb = equals_ignoring_case(function, "rgb") || equals_ignoring_case(function, "rgba");
  if (!is_rgb || open == std::string_view::npos || !text.ends_with(')')) return std::nullopt;
  std::string list(text.substr(open + 1, text.size() - open - 2));
  for (char& c : list) {
    if (c == ',' || c == '/') c = ' ';
  }
  std::vector<std::string_view> parts = split(list, ' ');
  std::erase_if(parts, [](std::string_view part) { return part.empty(); });
  if (parts.size() != 3 && parts.size() != 4) return std::nullopt;
  auto red = parse_channel(parts[0]), green = parse_channel(parts[1]),
       blue = parse_channel(parts[2]);
  auto alpha = parts.size() == 4 ? parse_alpha(parts[3]) : std::uint8_t{255};
  if (!red || !green || !blue || !alpha) return std::nullopt;
  return Color{*red, *green, *blue, *alpha};
}

// Whether CSS might know it: a name, or one of the other functions.
bool is_other_css_color(std::string_view text) {
  std::string_view word = text.substr(0, text.find('('));
  if (word.size() < 3 || (word.size() < text.size() && !text.ends_with(')'))) return false;
  if (lower(word).starts_with("rgb")) return false;
  return std::all_of(word.begin(), word.end(),
                     [](char c) { return (lower(c) >= 'a' && lower(c) <= 'z') || c == '-'; });
}

Result<> apply_background(Draft& draft, Option option) {
  draft.has_background = true;
  if (set(draft.ask, OptionId::Background, option.value, option.name)) return {};
  if (auto color = parse_rgb(option.value)) {
    draft.ask.transformation.background = *color;
    mark(draft.ask, OptionId::Background);
    return {};
  }
  if (is_other_css_color(option.value)) return unsupported(option.name, option.value);
  return bad_option(option.name, option.value,
                    "a CSS colour such as #f4f4f4, white or rgb(244 244 244)");
}

Result<> apply_blur(Draft& draft, Option option) {
  auto radius_e2 = parse_fixed(option.value, 2);
  if (!radius_e2 || (*radius_e2 != 0 && *radius_e2 < 100) || *radius_e2 > 25000) {
    return bad_option(option.name, option.value, "1 to 250");
  }
  mark(draft.ask, OptionId::Blur);
  draft.ask.transformation.blur_e2.reset();
  if (*radius_e2 == 0) return {};
  draft.ask.transformation.blur_e2 =
      static_cast<std::int32_t>((*radius_e2 * kSigmaPerBlur_e2 + 50) / 100);
  return {};
}

Result<> apply_sharpen(Draft& draft, Option option) {
  auto strength_e2 = parse_fixed(option.value, 2);
  if (!strength_e2 || *strength_e2 > 1000) {
    return bad_option(option.name, option.value, "0 to 10");
  }
  mark(draft.ask, OptionId::Sharpen);
  draft.ask.transformation.sharpen_e2.reset();
  if (*strength_e2 == 0) return {};
  // 0.1 is the least that our option knows.
  draft.ask.transformation.sharpen_e2 = static_cast<std::int32_t>(
      std::max<std::int64_t>(*strength_e2 * kSigmaPerSharpen_e2 / 100, 10));
  return {};
}

Result<> apply_rotate(Draft& draft, Option option) {
  for (std::string_view turn : {"0", "90", "180", "270"}) {
    if (turn == option.value) return set(draft.ask, OptionId::Rotate, turn, option.name);
  }
  return bad_option(option.name, option.value, "90, 180 or 270");
}

Result<> apply_flip(Draft& draft, Option option) {
  return set(draft.ask, OptionId::Flip, option.value, option.name);
}

// What is kept beyond the copyright is no matter of the picture.
Result<> apply_metadata(Draft& draft, Option option) {
  std::string_view ours = option.value == "keep" ? "copyright" : option.value;
  if (ours != "copyright" && ours != "none") {
    return bad_option(option.name, option.value, "keep, copyright or none");
  }
  return set(draft.ask, OptionId::Metadata, ours, option.name);
}

std::optional<std::int32_t> parse_pixels(std::string_view text, std::int32_t min_px) {
  auto value = parse_int(text);
  if (!value || *value < min_px || *value > kMaxCrop_px) return std::nullopt;
  return static_cast<std::int32_t>(*value);
}

// What is cut off at the right and the bottom needs the source's size, which a URL does not say.
Result<> apply_trim(Draft& draft, Option option) {
  if (option.value == "border") return set(draft.ask, OptionId::Trim, "", option.name);
  std::vector<std::string_view> parts = split(option.value, ';');
  std::int32_t off_px[4] = {};
  bool is_valid = parts.size() == 4;
  for (std::size_t i = 0; i < 4 && is_valid; ++i) {
    auto side_px = parse_pixels(parts[i], 0);
    is_valid = side_px.has_value();
    off_px[i] = side_px.value_or(0);
  }
  if (!is_valid) {
    return bad_option(option.name, option.value, "top;right;bottom;left in pixels, or border");
  }
  if (off_px[1] != 0 || off_px[2] != 0) return unsupported(option.name, option.value);
  draft.window.top_px = off_px[0];
  draft.window.left_px = off_px[3];
  return {};
}

Result<> apply_trim_side(Draft& draft, Option option) {
  std::string_view side = option.name.substr(std::string_view("trim.").size());
  bool is_extent = side == "width" || side == "height";
  auto side_px = parse_pixels(option.value, is_extent ? 1 : 0);
  if (!side_px) {
    return bad_option(option.name, option.value,
                      is_extent ? "1 to 65535 (pixels)" : "0 to 65535 (pixels)");
  }
  if (side == "left") draft.window.left_px = *side_px;
  if (side == "top") draft.window.top_px = *side_px;
  if (side == "width") draft.window.width_px = *side_px;
  if (side == "height") draft.window.height_px = *side_px;
  bool is_far_side = side == "right" || side == "bottom";
  if (is_far_side && *side_px != 0) return unsupported(option.name, option.value);
  return {};
}

// A factor that changes nothing is accepted.
Result<> apply_factor(Draft& /*draft*/, Option option) {
  auto factor_e4 = parse_fixed(option.value, 4);
  if (!factor_e4) return bad_option(option.name, option.value, "a number; 1 changes nothing");
  // "0 is ignored", except by saturation, which it takes away.
  bool is_neutral = *factor_e4 == 10000 || (*factor_e4 == 0 && option.name != "saturation");
  if (!is_neutral) return unsupported(option.name, option.value);
  return {};
}

Result<> apply_zoom(Draft& /*draft*/, Option option) {
  auto zoom_e4 = parse_fixed(option.value, 4);
  if (!zoom_e4 || *zoom_e4 > 10000) return bad_option(option.name, option.value, "0 to 1");
  if (*zoom_e4 != 0) return unsupported(option.name, option.value);
  return {};
}

Result<> apply_upscale(Draft& /*draft*/, Option option) {
  if (option.value == "interpolate") return {};
  if (option.value == "generate") return unsupported(option.name, option.value);
  return bad_option(option.name, option.value, "interpolate or generate");
}

// What changes no pixel here: still pictures come of everything, errors are answered as errors.
Result<> accept(Draft& /*draft*/, Option option) {
  constexpr struct {
    std::string_view name, value;
  } kAccepted[] = {
      {"anim", "true"}, {"anim", "false"}, {"compression", "fast"}, {"onerror", "redirect"}};
  std::string allowed;
  for (const auto& known : kAccepted) {
    if (known.name != option.name) continue;
    if (known.value == option.value) return {};
    allowed.append(allowed.empty() ? "" : " or ").append(known.value);
  }
  return bad_option(option.name, option.value, allowed);
}

Result<> refuse(Draft& /*draft*/, Option option) {
  return unsupported(option.name, option.value);
}

using Apply = Result<> (*)(Draft&, Option);

constexpr struct {
  std::string_view name;
  Apply apply;
} kOptions[] = {{"anim", accept},
                {"background", apply_background},
                {"blur", apply_blur},
                {"border", refuse},
                {"brightness", apply_factor},
                {"compression", accept},
                {"contrast", apply_factor},
                {"dpr", apply_dpr},
                {"f", apply_format},
                {"face-zoom", apply_zoom},
                {"fit", apply_fit},
                {"flip", apply_flip},
                {"format", apply_format},
                {"g", apply_gravity},
                {"gamma", apply_factor},
                {"gravity", apply_gravity},
                {"h", apply_height},
                {"height", apply_height},
                {"metadata", apply_metadata},
                {"onerror", accept},
                {"q", apply_quality},
                {"quality", apply_quality},
                {"rotate", apply_rotate},
                {"saturation", apply_factor},
                {"scq", refuse},
                {"segment", refuse},
                {"sharpen", apply_sharpen},
                {"slow-connection-quality", refuse},
                {"trim", apply_trim},
                {"trim.bottom", apply_trim_side},
                {"trim.height", apply_trim_side},
                {"trim.left", apply_trim_side},
                {"trim.right", apply_trim_side},
                {"trim.top", apply_trim_side},
                {"trim.width", apply_trim_side},
                {"upscale", apply_upscale},
                {"w", apply_width},
                {"width", apply_width},
                {"zoom", apply_zoom}};

Result<> apply_option(Draft& draft, std::string_view text) {
  std::size_t equals = text.find('=');
  Option option{text.substr(0, equals), {}};
  if (equals == std::string_view::npos || option.name.empty()) {
    return bad_option("options", text, "name=value, joined by commas");
  }
  option.value = text.substr(equals + 1);
  if (option.name.find(' ') != std::string_view::npos) {
    return bad_option(option.name, option.value, "written without spaces");
  }
  for (const auto& known : kOptions) {
    if (known.name == option.name) return known.apply(draft, option);
  }
  if (option.name.starts_with("border.") || option.name.starts_with("trim.border.")) {
    return unsupported(option.name, option.value);
  }
  draft.ask.unknown.emplace_back(option.name);
  return {};
}

Result<> apply_options(Draft& draft, std::string_view options) {
  bool is_empty = true;
  while (!options.empty()) {
    int depth = 0;
    std::size_t end = 0;
    for (; end < options.size() && (depth > 0 || options[end] != ','); ++end) {
      depth += options[end] == '(' ? 1 : options[end] == ')' ? -1 : 0;
    }
    if (end > 0) TRY(apply_option(draft, options.substr(0, end)));
    is_empty = is_empty && end == 0;
    options.remove_prefix(std::min(end + 1, options.size()));
  }
  if (is_empty) return bad_option("options", "", "one at least, such as width=400");
  return {};
}

void settle_window(const Window& window, Transformation& t) {
  if (window == Window{}) return;
  auto scaled = [&](std::int32_t side_px) {
    return std::min((side_px * t.dpr_e2.value_or(100) + 50) / 100, kMaxCrop_px);
  };
  auto extent = [&](std::optional<std::int32_t> side_px) {
    return side_px ? std::max(scaled(*side_px), 1) : kMaxCrop_px;
  };
  t.crop = CropBox{.x = scaled(window.left_px),
                   .y = scaled(window.top_px),
                   .width = extent(window.width_px),
                   .height = extent(window.height_px)};
}

// Ours turns first: a flip before a quarter turn is the other flip after it.
void flip_after_turn(Transformation& t) {
  if (t.rotate_deg % 180 == 0) return;
  if (t.flip == Flip::Horizontal) {
    t.flip = Flip::Vertical;
  } else if (t.flip == Flip::Vertical) {
    t.flip = Flip::Horizontal;
  }
}

void finish(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  settle_window(draft.window, t);
  if (t.crop) mark(draft.ask, OptionId::Crop);
  flip_after_turn(t);
  if (t.fit == Fit::Pad) {
    // Gravity is for what is cut; a padded picture stands in the middle, on white.
    set_gravity(draft.ask, {});
    if (!draft.has_background) t.background = kWhite;
    mark(draft.ask, OptionId::Background);
  }
  if (!draft.has_quality) t.quality_pct = kDefaultQuality_pct;
  mark(draft.ask, OptionId::Quality);
  if (!draft.has_format) keep_source_format(draft.ask);
}

// The rest of the path, as it is in the address of the original.
Result<std::string> parse_original(const Mount& mount, std::string_view raw) {
  auto decoded = percent_decode(raw);
  if (decoded && (decoded->starts_with("https://") || decoded->starts_with("http://"))) {
    return source_of_url(mount, *decoded);
  }
  if (raw.starts_with('/')) raw.remove_prefix(1);
  return parse_source(raw);
}

}  // namespace

Result<Ask> parse_cloudflare(const Request& request) {
  if (!request.mount.keys.empty()) return bad_signature();
  std::size_t slash = std::min(request.path.find('/'), request.path.size());
  Draft draft;
  draft.ask.site = request.mount.site;
  set_fit(draft.ask, Fit::Inside, false);
  set_gravity(draft.ask, {});
  mark(draft.ask, OptionId::Small);
  TRY(auto options, decode(request.path.substr(0, slash), "options"));
  TRY(apply_options(draft, options));
  TRY(draft.ask.source,
      parse_original(request.mount, request.path.substr(std::min(slash + 1, request.path.size()))));
  finish(draft);
  return std::move(draft.ask);
}

}  // namespace tintype
