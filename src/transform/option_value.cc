// SPDX-License-Identifier: Apache-2.0
// set_option: one small parser per kind of value. Each returns nothing for a value that is not
// allowed; set_option words the failure.
#include <array>
#include <numeric>

#include "base/check.h"
#include "base/text.h"
#include "transform/fixed_decimal.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

template <class T>
struct Word {
  std::string_view spelled;
  T value;
};

template <class T, std::size_t N>
std::optional<T> find_word(const Word<T> (&words)[N], std::string_view value) {
  for (const Word<T>& word : words) {
    if (equals_ignoring_case(word.spelled, value)) return word.value;
  }
  return std::nullopt;
}

struct Range {
  std::int32_t min, max;
  int decimals = 0;
};

// JPEG's largest side is 65535 (ITU-T T.81, B.2.2); no format we read holds more in 50 megapixels
// that would be worth cutting by pixel numbers.
constexpr Range kPosition{0, 65535}, kExtent{1, 65535};
// Positions and extents of a percent crop, in hundredths of a percent; a crop that begins at 100 %
// would be empty.
constexpr Range kPercentPosition{0, 9999, 2}, kPercentExtent{1, 10000, 2};
constexpr Range kSide{1, kMaxSide}, kQuality{1, 100}, kTrim{1, 100};
// Below 0.3 a Gaussian changes nothing that 8 bits can hold (the neighbour's weight is under
// 1/255); 100 and 10 bound the work. dpr: screens have 0.75 to 4; 8 leaves room for zooms.
constexpr Range kBlur{30, 10000, 2}, kSharpen{10, 1000, 2}, kDpr{10, 800, 2};
constexpr Range kFocal{0, 10000, 4};
constexpr std::int32_t kMaxRatioSide = 10000;
constexpr std::int32_t kDefaultTrim = 10;

std::optional<std::int32_t> parse_number(std::string_view value, Range range) {
  // A number without decimals has no point either.
  if (range.decimals == 0 && value.find('.') != std::string_view::npos) return std::nullopt;
  auto number = parse_fixed(value, range.decimals);
  if (!number || *number < range.min || *number > range.max) return std::nullopt;
  return static_cast<std::int32_t>(*number);
}

constexpr Word<Fit> kFits[] = {{"cover", Fit::Cover},     {"inside", Fit::Inside},
                               {"pad", Fit::Pad},         {"stretch", Fit::Stretch},
                               {"outside", Fit::Outside}, {"cut", Fit::Cut}};

constexpr Word<Small> kSmalls[] = {
    {"ratio", Small::Ratio}, {"cut", Small::Cut}, {"keep", Small::Keep}, {"pad", Small::Pad}};

using Kind = Gravity::Kind;
constexpr Word<Kind> kGravities[] = {{"c", Kind::Center},
                                     {"center", Kind::Center},
                                     {"centre", Kind::Center},
                                     {"smart", Kind::Smart}};
constexpr Word<Kind> kVerticals[] = {{"n", Kind::North},     {"north", Kind::North},
                                     {"top", Kind::North},   {"s", Kind::South},
                                     {"south", Kind::South}, {"bottom", Kind::South}};
constexpr Word<Kind> kHorizontals[] = {{"e", Kind::East},     {"east", Kind::East},
                                       {"right", Kind::East}, {"w", Kind::West},
                                       {"west", Kind::West},  {"left", Kind::West}};

// CSS Color Module Level 4, section 6.1: the sixteen basic names, and "transparent" of section 6.3.
constexpr Word<Color> kColors[] = {
    {"white", kWhite},           {"black", {0, 0, 0, 255}}, {"transparent", {0, 0, 0, 0}},
    {"silver", {192, 192, 192}}, {"gray", {128, 128, 128}}, {"grey", {128, 128, 128}},
    {"maroon", {128, 0, 0}},     {"red", {255, 0, 0}},      {"purple", {128, 0, 128}},
    {"fuchsia", {255, 0, 255}},  {"green", {0, 128, 0}},    {"lime", {0, 255, 0}},
    {"olive", {128, 128, 0}},    {"yellow", {255, 255, 0}}, {"navy", {0, 0, 128}},
    {"blue", {0, 0, 255}},       {"teal", {0, 128, 128}},   {"aqua", {0, 255, 255}}};

constexpr Word<Flip> kFlips[] = {
    {"h", Flip::Horizontal}, {"v", Flip::Vertical}, {"hv", Flip::Both}};

constexpr Word<std::int16_t> kTurns[] = {{"0", 0},     {"90", 90},   {"180", 180},
                                         {"270", 270}, {"-90", 270}, {"360", 0}};

constexpr Word<bool> kSwitch[] = {
    {"1", true}, {"0", false}, {"true", true}, {"false", false}, {"", true}};

constexpr Word<KeepMetadata> kMetadata[] = {{"none", KeepMetadata::None},
                                            {"copyright", KeepMetadata::Copyright}};

constexpr Word<Format> kFormats[] = {{"webp", Format::Webp}, {"avif", Format::Avif},
                                     {"jpeg", Format::Jpeg}, {"jpg", Format::Jpeg},
                                     {"png", Format::Png},   {"jpng", Format::JpegOrPng}};

struct Pair {
  std::string_view first, second;
};

// "a-b" with exactly one separator.
std::optional<Pair> split_pair(std::string_view text, char separator) {
  std::size_t at = text.find(separator);
  if (at == std::string_view::npos) return std::nullopt;
  return Pair{text.substr(0, at), text.substr(at + 1)};
}

std::optional<AspectRatio> reduce(std::int64_t width, std::int64_t height) {
  if (width <= 0 || height <= 0) return std::nullopt;
  std::int64_t divisor = std::gcd(width, height);
  width /= divisor;
  height /= divisor;
  if (width > kMaxRatioSide || height > kMaxRatioSide) return std::nullopt;
  return AspectRatio{static_cast<std::int32_t>(width), static_cast<std::int32_t>(height)};
}

// A lone decimal is taken with as many decimals as keep both sides within 10000: four up to 1,
// three below 10, two below 100.
std::optional<AspectRatio> parse_lone_ratio(std::string_view value) {
  auto whole = parse_fixed(value, 4);
  if (!whole) return std::nullopt;
  int decimals = 4;
  std::int64_t scale = 10000;
  for (std::int64_t end = 10000; *whole > end && decimals > 0; end *= 10) {
    --decimals;
    scale /= 10;
  }
  return reduce(*parse_fixed(value, decimals), scale);
}

std::optional<AspectRatio> parse_aspect(std::string_view value) {
  auto pair = split_pair(value, ':');
  if (!pair) pair = split_pair(value, '-');
  if (!pair) return parse_lone_ratio(value);
  // Both sides may have decimals: 1.91:1 is what social networks ask for.
  auto width = parse_fixed(pair->first, 4), height = parse_fixed(pair->second, 4);
  if (!width || !height) return std::nullopt;
  return reduce(*width, *height);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<Color> parse_color(std::string_view value) {
  if (auto named = find_word(kColors, value)) return named;
  if (value.starts_with('#')) value.remove_prefix(1);
  std::size_t size = value.size();
  if (size != 3 && size != 4 && size != 6 && size != 8) return std::nullopt;
  for (char c : value) {
    if (hex_digit(c) < 0) return std::nullopt;
  }
  std::size_t step = size <= 4 ? 1 : 2;
  auto channel = [&](std::size_t i) {
    int high = hex_digit(value[i * step]), low = hex_digit(value[i * step + step - 1]);
    return static_cast<std::uint8_t>(high * 16 + low);
  };
  Color color{channel(0), channel(1), channel(2), 255};
  if (size / step == 4) color.alpha = channel(3);
  return color;
}

bool ends_in_percent(std::string_view text) {
  return !text.empty() && (text.back() == '%' || lower(text.back()) == 'p');
}

std::optional<CropBox> parse_crop(std::string_view value) {
  char separator = value.find(',') != std::string_view::npos ? ',' : '-';
  std::array<std::int32_t, 4> numbers{};
  bool is_percent = false;
  for (std::size_t i = 0; i < 4; ++i) {
    std::size_t at = value.find(separator);
    // Three separators exactly: none behind the last number.
    if ((at == std::string_view::npos) != (i == 3)) return std::nullopt;
    std::string_view part = value.substr(0, at);
    if (i < 3) value.remove_prefix(at + 1);
    if (i == 0) is_percent = ends_in_percent(part);
    if (ends_in_percent(part) != is_percent) return std::nullopt;
    if (is_percent) part.remove_suffix(1);
    Range range =
        is_percent ? (i < 2 ? kPercentPosition : kPercentExtent) : (i < 2 ? kPosition : kExtent);
    auto number = parse_number(part, range);
    if (!number) return std::nullopt;
    numbers[i] = *number;
  }
  return CropBox{numbers[0], numbers[1], numbers[2], numbers[3],
                 is_percent ? CropBox::Unit::Percent : CropBox::Unit::Pixels};
}

std::optional<Gravity> parse_focal_point(std::string_view value) {
  std::optional<Pair> pair;
  if (value.size() > 3 && equals_ignoring_case(value.substr(0, 2), "fp") &&
      (value[2] == '-' || value[2] == ':')) {
    pair = split_pair(value.substr(3), value[2]);
  } else {
    pair = split_pair(value, ',');
  }
  if (!pair) return std::nullopt;
  auto x = parse_number(pair->first, kFocal), y = parse_number(pair->second, kFocal);
  if (!x || !y) return std::nullopt;
  return Gravity{Kind::FocalPoint, static_cast<std::int16_t>(*x), static_cast<std::int16_t>(*y)};
}

Kind corner_of(Kind vertical, Kind horizontal) {
  if (vertical == Kind::North) {
    return horizontal == Kind::East ? Kind::NorthEast : Kind::NorthWest;
  }
  return horizontal == Kind::East ? Kind::SouthEast : Kind::SouthWest;
}

// A word of north or south, one of east or west, or both in this order, "-" between them or not.
std::optional<Kind> parse_compass(std::string_view value) {
  for (const Word<Kind>& word : kVerticals) {
    if (!equals_ignoring_case(value.substr(0, word.spelled.size()), word.spelled)) continue;
    std::string_view rest = value.substr(word.spelled.size());
    if (rest.empty()) return word.value;
    if (rest.front() == '-') rest.remove_prefix(1);
    // "n" is also how "north" begins.
    if (auto side = find_word(kHorizontals, rest)) return corner_of(word.value, *side);
  }
  return find_word(kHorizontals, value);
}

std::optional<Gravity> parse_gravity(std::string_view value) {
  if (auto kind = find_word(kGravities, value)) return Gravity{*kind};
  if (auto kind = parse_compass(value)) return Gravity{*kind};
  return parse_focal_point(value);
}

// Keeps a parsed value in its field; false when there was none.
template <class Field, class T>
bool keep(Field& field, const std::optional<T>& parsed) {
  if (!parsed) return false;
  field = *parsed;
  return true;
}

bool set_format(Transformation& t, std::string_view value) {
  bool is_auto = equals_ignoring_case(value, "auto");
  // Two transformations that both say auto are equal whatever was said before.
  if (!keep(t.format,
            is_auto ? std::optional(Transformation{}.format) : find_word(kFormats, value)))
    return false;
  t.format_auto = is_auto;
  return true;
}

// A number, or the word auto.
bool set_number_or_auto(std::optional<std::int32_t>& field, bool& is_auto,
                        std::pair<std::string_view, Range> asked) {
  bool says_auto = equals_ignoring_case(asked.first, "auto");
  if (!says_auto && !keep(field, parse_number(asked.first, asked.second))) return false;
  if (says_auto) field.reset();
  is_auto = says_auto;
  return true;
}

bool set_field(Transformation& t, OptionId id, std::string_view value) {
  switch (id) {
    case OptionId::AspectRatio:
      return keep(t.aspect, parse_aspect(value));
    case OptionId::Background:
      return keep(t.background, parse_color(value));
    case OptionId::Blur:
      return keep(t.blur_e2, parse_number(value, kBlur));
    case OptionId::Crop:
      return keep(t.crop, parse_crop(value));
    case OptionId::Dpr:
      return set_number_or_auto(t.dpr_e2, t.dpr_auto, {value, kDpr});
    case OptionId::Format:
      return set_format(t, value);
    case OptionId::Fit:
      return keep(t.fit, find_word(kFits, value));
    case OptionId::Flip:
      return keep(t.flip, find_word(kFlips, value));
    case OptionId::Gravity:
      return keep(t.gravity, parse_gravity(value));
    case OptionId::Height:
      return keep(t.height_px, parse_number(value, kSide));
    case OptionId::Metadata:
      return keep(t.keep_metadata, find_word(kMetadata, value));
    case OptionId::Quality:
      return set_number_or_auto(t.quality_pct, t.quality_auto, {value, kQuality});
    case OptionId::Rotate:
      return keep(t.rotate_deg, find_word(kTurns, value));
    case OptionId::Sharpen:
      return keep(t.sharpen_e2, parse_number(value, kSharpen));
    case OptionId::Small:
      return keep(t.small, find_word(kSmalls, value));
    case OptionId::Trim:
      if (value.empty()) return keep(t.trim_threshold, std::optional(kDefaultTrim));
      return keep(t.trim_threshold, parse_number(value, kTrim));
    case OptionId::Upscale:
      return keep(t.upscale, find_word(kSwitch, value));
    case OptionId::Width:
      return set_number_or_auto(t.width_px, t.width_auto, {value, kSide});
    case OptionId::Preset:
    case OptionId::Version:
      break;
  }
  CHECK(!"not a field of a Transformation");
}

}  // namespace

Result<> set_option(Transformation& t, OptionId id, std::string_view value) {
  if (!set_field(t, id, value)) return bad_value(id, value);
  return {};
}

}  // namespace tintype
