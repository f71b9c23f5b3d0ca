// SPDX-License-Identifier: Apache-2.0
// IPX (unjs/ipx, Nuxt Image): /<modifier>,<modifier>/<path or absolute URL>
//
//   /_ipx/s_400x300,fit_cover,f_webp/images/front.jpg
//   /_ipx/w_400&f_auto/https://cdn.shop.example/front.jpg
//   /_ipx/_/images/front.jpg                                  no modifiers
//
// A modifier is <name>_<argument>_<argument>, also with ':' or '='; an argument that is empty or
// "undefined" is as good as absent, a switch is on whatever follows its name ("enlarge_false").
// IPX applies modifiers in the order of their names, the later resize takes all: w beats s, s beats
// h. It does not enlarge unless told to, flips before it rotates, and pads with black. It has no
// signatures: a mount with keys lets nothing through. Pinned by spec/vectors/ipx.txt.
#include <algorithm>
#include <cmath>
#include <optional>

#include "base/text.h"
#include "dialect/request.h"
#include "dialect/source_format.h"
#include "transform/fixed_decimal.h"

namespace tintype {
namespace {

using Kind = Gravity::Kind;

// IPX's maxOutputDimension: larger sides are not refused but made smaller.
constexpr std::int64_t kMaxOutput_px = 8192;
// Sharp's own defaults (sharp.pixelplumbing.com/api-output); JPEG and WebP have the same.
constexpr std::int32_t kDefaultQuality_pct = 80, kDefaultAvifQuality_pct = 50;
// Sharp's filters without a sigma are fixed 3x3 kernels: a box, and a mild sharpening.
constexpr std::string_view kMildBlur = "0.8", kMildSharpen = "0.5";

struct Draft {
  Ask ask;
  std::optional<std::int32_t> width_px, height_px;  // of w and h
  std::optional<std::int32_t> box_width_px, box_height_px;
  Fit fit = Fit::Cover;
  std::optional<Color> background;
  bool enlarges = false, flattens = false, flips = false, flops = false;
};

struct Modifier {
  std::string_view name;
  std::vector<std::string_view> arguments;

  // Nothing where IPX sees none.
  std::string_view argument(std::size_t i) const {
    if (i >= arguments.size() || arguments[i] == "undefined") return {};
    return arguments[i];
  }
  // All of them, as they would stand in the URL.
  std::string text() const {
    std::string joined;
    for (std::size_t i = 0; i < arguments.size(); ++i) {
      if (i > 0) joined += '_';
      joined += arguments[i];
    }
    return joined;
  }
};

[[nodiscard]] Failure wrong(const Modifier& modifier, std::string_view allowed) {
  return bad_option(modifier.name, modifier.text(), allowed);
}

Result<> refuse(Draft& /*draft*/, const Modifier& modifier) {
  return unsupported(modifier.name, modifier.text());
}

std::optional<std::int64_t> parse_side(std::string_view text) {
  auto side_px = parse_int(text);
  if (!side_px || *side_px < 1) return std::nullopt;
  return side_px;
}

Result<> apply_side(std::optional<std::int32_t>& field, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return {};
  auto side_px = parse_side(modifier.argument(0));
  if (!side_px) return wrong(modifier, "a whole number of pixels");
  field = static_cast<std::int32_t>(std::min(*side_px, kMaxOutput_px));
  return {};
}

Result<> apply_width(Draft& draft, const Modifier& modifier) {
  return apply_side(draft.width_px, modifier);
}

Result<> apply_height(Draft& draft, const Modifier& modifier) {
  return apply_side(draft.height_px, modifier);
}

// Both sides shrink alike where one is above the limit.
Result<> apply_size(Draft& draft, const Modifier& modifier) {
  std::string_view size = modifier.argument(0);
  if (size.empty()) return {};
  std::size_t x = std::min(size.find('x'), size.size());
  auto width_px = parse_side(size.substr(0, x));
  auto height_px = x < size.size() ? parse_side(size.substr(x + 1)) : width_px;
  constexpr std::int64_t kAbsurd_px = 1'000'000'000;
  if (!width_px || !height_px || *width_px > kAbsurd_px || *height_px > kAbsurd_px) {
    return wrong(modifier, "width x height such as 400x300");
  }
  std::int64_t longer_px = std::max({*width_px, *height_px, kMaxOutput_px});
  auto limited = [&](std::int64_t side_px) {
    std::int64_t rounded = (2 * side_px * kMaxOutput_px + longer_px) / (2 * longer_px);
    return static_cast<std::int32_t>(std::max<std::int64_t>(rounded, 1));
  };
  draft.box_width_px = limited(*width_px);
  draft.box_height_px = limited(*height_px);
  return {};
}

constexpr struct {
  std::string_view word;
  Fit fit;
} kFits[] = {{"contain", Fit::Pad},
             {"cover", Fit::Cover},
             {"fill", Fit::Stretch},
             {"inside", Fit::Inside},
             {"outside", Fit::Outside}};

Result<> apply_fit(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return {};
  for (const auto& known : kFits) {
    if (known.word != modifier.argument(0)) continue;
    draft.fit = known.fit;
    return {};
  }
  return wrong(modifier, "contain, cover, fill, inside or outside");
}

// Sharp's names and numbers of position, gravity and strategy.
constexpr struct {
  std::string_view word;
  Kind kind;
} kPositions[] = {{"center", Kind::Center}, {"centre", Kind::Center},
                  {"top", Kind::North},     {"right-top", Kind::NorthEast},
                  {"right", Kind::East},    {"right-bottom", Kind::SouthEast},
                  {"bottom", Kind::South},  {"left-bottom", Kind::SouthWest},
                  {"left", Kind::West},     {"left-top", Kind::NorthWest},
                  {"north", Kind::North},   {"northeast", Kind::NorthEast},
                  {"east", Kind::East},     {"southeast", Kind::SouthEast},
                  {"south", Kind::South},   {"southwest", Kind::SouthWest},
                  {"west", Kind::West},     {"northwest", Kind::NorthWest},
                  {"entropy", Kind::Smart}, {"attention", Kind::Smart},
                  {"0", Kind::Center},      {"1", Kind::North},
                  {"2", Kind::East},        {"3", Kind::South},
                  {"4", Kind::West},        {"5", Kind::NorthEast},
                  {"6", Kind::SouthEast},   {"7", Kind::SouthWest},
                  {"8", Kind::NorthWest},   {"16", Kind::Smart},
                  {"17", Kind::Smart}};

Result<> apply_position(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return {};
  std::string position(modifier.argument(0));
  std::replace(position.begin(), position.end(), ' ', '-');
  for (const auto& known : kPositions) {
    if (known.word != position) continue;
    set_gravity(draft.ask, {known.kind});
    return {};
  }
  return wrong(modifier, "a position such as top or right-top, entropy or attention");
}

// Empty: a format that is not written here.
constexpr struct {
  std::string_view word, ours;
} kFormats[] = {{"auto", "auto"}, {"jpeg", "jpeg"}, {"jpg", "jpeg"}, {"png", "png"},
                {"webp", "webp"}, {"avif", "avif"}, {"gif", ""},     {"heif", ""},
                {"heic", ""},     {"tiff", ""},     {"svg", ""}};

Result<> apply_format(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return {};
  for (const auto& known : kFormats) {
    if (known.word != modifier.argument(0)) continue;
    if (known.ours.empty()) return refuse(draft, modifier);
    return set(draft.ask, OptionId::Format, known.ours, modifier.name);
  }
  return wrong(modifier, "auto, jpeg, png, webp or avif");
}

Result<> apply_quality(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return {};
  auto quality_pct = parse_int(modifier.argument(0));
  if (!quality_pct || *quality_pct < 1 || *quality_pct > 100) return wrong(modifier, "1 to 100");
  draft.ask.transformation.quality_pct = static_cast<std::int32_t>(*quality_pct);
  return {};
}

bool is_css_name(std::string_view text) {
  return text.size() >= 3 && text.size() <= 20 && std::all_of(text.begin(), text.end(), [](char c) {
           return lower(c) >= 'a' && lower(c) <= 'z';
         });
}

Result<> apply_background(Draft& draft, const Modifier& modifier) {
  std::string_view color = modifier.argument(0);
  if (color.empty()) return {};
  Transformation parsed;
  if (set_option(parsed, OptionId::Background, color)) {
    draft.background = parsed.background;
    return {};
  }
  if (is_css_name(color) || color.find('(') != std::string_view::npos) {
    return refuse(draft, modifier);
  }
  return wrong(modifier, "a colour such as f4f4f4 or white");
}

// Sharp cuts this out before it resizes. Four numbers, none of which may be left out; percentages
// and '-' between them are spellings of our own.
Result<> apply_extract(Draft& draft, const Modifier& modifier) {
  std::string box(modifier.text());
  std::replace(box.begin(), box.end(), '_', ',');
  bool is_ours = box.find_first_of("p%P-") != std::string::npos;
  if (!is_ours && set(draft.ask, OptionId::Crop, box, modifier.name)) return {};
  return wrong(modifier, "left_top_width_height in pixels");
}

// A threshold of 0 is one of exactly equal colours; ours begins at 1.
Result<> apply_trim(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return set(draft.ask, OptionId::Trim, "", modifier.name);
  auto threshold = parse_fixed(modifier.argument(0), 0);
  if (!threshold) return wrong(modifier, "0 or more");
  draft.ask.transformation.trim_threshold =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(*threshold, 1, 100));
  mark(draft.ask, OptionId::Trim);
  return {};
}

Result<> apply_rotate(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) return {};
  auto angle = parse_decimal(modifier.argument(0));
  if (!angle || *angle < -3600 || *angle > 3600) return wrong(modifier, "-3600 to 3600");
  auto whole = static_cast<int>(*angle);
  if (static_cast<double>(whole) != *angle || whole % 90 != 0) return refuse(draft, modifier);
  draft.ask.transformation.rotate_deg = static_cast<std::int16_t>((whole % 360 + 360) % 360);
  mark(draft.ask, OptionId::Rotate);
  return {};
}

// A sigma as ours, which ends at 100.
Result<> apply_blur(Draft& draft, const Modifier& modifier) {
  if (modifier.argument(0).empty()) {
    return set(draft.ask, OptionId::Blur, kMildBlur, modifier.name);
  }
  auto sigma_e2 = parse_fixed(modifier.argument(0), 2);
  if (!sigma_e2 || *sigma_e2 < 30 || *sigma_e2 > 100000) return wrong(modifier, "0.3 to 1000");
  draft.ask.transformation.blur_e2 =
      static_cast<std::int32_t>(std::min<std::int64_t>(*sigma_e2, 10000));
  mark(draft.ask, OptionId::Blur);
  return {};
}

Result<> apply_sharpen(Draft& draft, const Modifier& modifier) {
  if (!modifier.argument(1).empty() || !modifier.argument(2).empty()) {
    return refuse(draft, modifier);  // flat and jagged areas apart
  }
  if (modifier.argument(0).empty()) {
    return set(draft.ask, OptionId::Sharpen, kMildSharpen, modifier.name);
  }
  auto sigma = parse_decimal(modifier.argument(0));
  if (!sigma || *sigma < 0.000001 || *sigma > 10) return wrong(modifier, "0.000001 to 10");
  // 0.1 is the least that our option knows.
  draft.ask.transformation.sharpen_e2 =
      std::max(static_cast<std::int32_t>(std::lround(*sigma * 100)), 10);
  mark(draft.ask, OptionId::Sharpen);
  return {};
}

// lanczos3 is the kernel of both.
Result<> apply_kernel(Draft& draft, const Modifier& modifier) {
  constexpr std::string_view kKernels[] = {"nearest",  "linear",  "cubic",  "mitchell",
                                           "lanczos2", "mks2013", "mks2021"};
  std::string_view kernel = modifier.argument(0);
  if (kernel.empty() || kernel == "lanczos3") return {};
  if (std::find(std::begin(kKernels), std::end(kKernels), kernel) != std::end(kKernels)) {
    return refuse(draft, modifier);
  }
  return wrong(modifier, "lanczos3 or another of sharp's kernels");
}

Result<> apply_enlarge(Draft& draft, const Modifier& /*modifier*/) {
  draft.enlarges = true;
  return {};
}

Result<> apply_flatten(Draft& draft, const Modifier& /*modifier*/) {
  draft.flattens = true;
  return {};
}

Result<> apply_flip(Draft& draft, const Modifier& /*modifier*/) {
  draft.flips = true;
  return {};
}

Result<> apply_flop(Draft& draft, const Modifier& /*modifier*/) {
  draft.flops = true;
  return {};
}

using Apply = Result<> (*)(Draft&, const Modifier&);

constexpr struct {
  std::string_view name;
  Apply apply;
} kModifiers[] = {{"a", refuse},
                  {"animated", refuse},
                  {"b", apply_background},
                  {"background", apply_background},
                  {"blur", apply_blur},
                  {"crop", apply_extract},
                  {"enlarge", apply_enlarge},
                  {"extend", refuse},
                  {"extract", apply_extract},
                  {"f", apply_format},
                  {"fit", apply_fit},
                  {"flatten", apply_flatten},
                  {"flip", apply_flip},
                  {"flop", apply_flop},
                  {"format", apply_format},
                  {"gamma", refuse},
                  {"grayscale", refuse},
                  {"h", apply_height},
                  {"height", apply_height},
                  {"kernel", apply_kernel},
                  {"median", refuse},
                  {"modulate", refuse},
                  {"negate", refuse},
                  {"normalize", refuse},
                  {"pos", apply_position},
                  {"position", apply_position},
                  {"q", apply_quality},
                  {"quality", apply_quality},
                  {"resize", apply_size},
                  {"rotate", apply_rotate},
                  {"s", apply_size},
                  {"sharpen", apply_sharpen},
                  {"threshold", refuse},
                  {"tint", refuse},
                  {"trim", apply_trim},
                  {"unflatten", refuse},
                  {"w", apply_width},
                  {"width", apply_width}};

// Splits at any of `separators`; empty parts are kept.
std::vector<std::string_view> split_at_any(std::string_view text, std::string_view separators) {
  std::vector<std::string_view> parts;
  while (true) {
    std::size_t end = text.find_first_of(separators);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Result<> apply_modifier(Draft& draft, std::string_view text) {
  Modifier modifier{.name = {}, .arguments = split_at_any(text, "_:=")};
  modifier.name = modifier.arguments.front();
  modifier.arguments.erase(modifier.arguments.begin());
  for (const auto& known : kModifiers) {
    if (known.name == modifier.name) return known.apply(draft, modifier);
  }
  draft.ask.unknown.emplace_back(modifier.name);
  return {};
}

Result<> apply_modifiers(Draft& draft, std::string_view modifiers) {
  if (modifiers.empty()) return bad_option("modifiers", "", "given; _ stands for none");
  if (modifiers == "_") return {};
  for (std::string_view text : split_at_any(modifiers, ",&")) {
    if (!text.empty()) TRY(apply_modifier(draft, text));
  }
  return {};
}

void settle_box(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  set_fit(draft.ask, draft.fit, draft.enlarges);
  if (draft.width_px) {
    t.width_px = draft.width_px;
  } else if (draft.box_width_px) {
    t.width_px = draft.box_width_px;
    t.height_px = draft.box_height_px;
  } else {
    t.height_px = draft.height_px;
  }
  mark(draft.ask, OptionId::Width);
  mark(draft.ask, OptionId::Height);
  mark(draft.ask, OptionId::Small);
}

// A colour counts for padding and for flattening only; without one both are black.
void settle_background(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  bool pads = t.fit == Fit::Pad && t.width_px && t.height_px;
  if (!pads && !draft.flattens) return;
  t.background = draft.background.value_or(Color{0, 0, 0, 255});
  mark(draft.ask, OptionId::Background);
}

// Sharp flips before it rotates, ours after: what mirrors a side mirrors the other one then.
void settle_flip(Draft& draft) {
  Transformation& t = draft.ask.transformation;
  if (!draft.flips && !draft.flops) return;
  bool swaps = t.rotate_deg % 180 != 0;
  bool mirrors_left_right = swaps ? draft.flips : draft.flops;
  t.flip = draft.flips && draft.flops ? Flip::Both
           : mirrors_left_right       ? Flip::Horizontal
                                      : Flip::Vertical;
  mark(draft.ask, OptionId::Flip);
}

// Which of the two defaults holds is not known before the format is: then ours stands.
void settle_quality(Ask& ask) {
  Transformation& t = ask.transformation;
  mark(ask, OptionId::Quality);
  if (t.quality_pct || t.format_auto) return;
  t.quality_pct = t.format == Format::Avif ? kDefaultAvifQuality_pct : kDefaultQuality_pct;
}

// The rest of the path. An address has escapes of its own, which are left when the path's are
// undone; proxies make one slash of two.
Result<std::string> parse_id(const Mount& mount, std::string_view raw) {
  auto decoded = percent_decode(raw);
  for (std::string_view scheme : {"https:/", "http:/"}) {
    if (!decoded || !decoded->starts_with(scheme)) continue;
    if (!decoded->substr(scheme.size()).starts_with('/')) decoded->insert(scheme.size(), 1, '/');
    TRY(auto path, source_of_url(mount, *decoded));
    auto source = percent_decode(path);
    return check_source(source ? std::move(*source) : std::move(path));
  }
  if (raw.starts_with('/')) raw.remove_prefix(1);
  return parse_source(raw);
}

}  // namespace

Result<Ask> parse_ipx(const Request& request) {
  if (!request.mount.keys.empty()) return bad_signature();
  std::size_t slash = std::min(request.path.find('/'), request.path.size());
  Draft draft;
  draft.ask.site = request.mount.site;
  set_gravity(draft.ask, {});
  TRY(auto modifiers, decode(request.path.substr(0, slash), "modifiers"));
  TRY(draft.ask.source,
      parse_id(request.mount, request.path.substr(std::min(slash + 1, request.path.size()))));
  keep_source_format(draft.ask);
  TRY(apply_modifiers(draft, modifiers));
  settle_box(draft);
  settle_background(draft);
  settle_flip(draft);
  settle_quality(draft.ask);
  return std::move(draft.ask);
}

}  // namespace tintype
