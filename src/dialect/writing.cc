// SPDX-License-Identifier: Apache-2.0
#include "dialect/writing.h"

#include <numeric>

#include "base/text.h"
#include "dialect/source_format.h"
#include "transform/canonical_path.h"
#include "transform/fixed_decimal.h"

namespace tintype {

Failure cannot_say(const Transformation& t, OptionId id, std::string_view language) {
  std::string name(option_table()[static_cast<std::size_t>(id)].name), detail = name;
  auto value = print_option(t, id);
  if (!value) value = print_default(t, id);
  detail += value ? "=" + *value + ": cannot" : ": that there is none cannot";
  detail.append(" be said in ").append(language);
  return fail_public(ErrorCode::UnsupportedOption, std::move(detail), std::move(name));
}

void Words::add(std::string_view name, std::string_view value) {
  add_flag(name);
  text_ += equals_;
  text_ += percent_encode(value, ",:/");
}

void Words::add(std::string_view name, std::optional<std::int64_t> number, int decimals) {
  if (number) add(name, fixed_text(*number, decimals));
}

void Words::add_flag(std::string_view name) {
  if (!text_.empty()) text_ += between_;
  text_ += name;
}

void add_sides(Words& query, const Transformation& t, std::string_view width,
               std::string_view height) {
  query.add(width, t.width_px);
  query.add(height, t.height_px);
  query.add("dpr", t.dpr_e2, 2);
}

std::string fixed_text(std::int64_t value, int decimals) {
  std::string text;
  append_fixed(text, value, decimals);
  return text;
}

std::string share_text(std::int64_t value, int decimals) {
  std::string text = fixed_text(value, decimals);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

const FitWord* find_fit(std::span<const FitWord> words, const Transformation& t) {
  Fit fit = t.fit.value_or(Fit::Inside);
  const FitWord* alike = nullptr;
  for (const FitWord& word : words) {
    if (word.fit != fit) continue;
    bool is_right = word.upscale == t.upscale && (t.upscale || word.small == t.small);
    if (is_right) return &word;
    bool is_nearer = alike == nullptr || (alike->upscale != t.upscale && word.upscale == t.upscale);
    if (is_nearer) alike = &word;
  }
  return alike;
}

std::string_view word_of(GravityWords words, const Transformation& t) {
  return t.gravity ? words[static_cast<std::size_t>(t.gravity->kind)] : std::string_view();
}

std::optional<std::int64_t> quality_of(const Transformation& t) {
  if (t.quality_auto) return std::nullopt;
  if (t.quality_pct) return *t.quality_pct;
  if (t.format_auto || t.format == Format::Png) return std::nullopt;
  return default_quality_pct(t.format);
}

bool is_source_format(const Ask& ask) {
  const Transformation& t = ask.transformation;
  return !t.format_auto && t.format == format_of_source(ask.source);
}

Color background_of(const Transformation& t) {
  if (t.background) return *t.background;
  bool is_jpeg = !t.format_auto && !can_hold_alpha(t.format);
  return is_jpeg ? kWhite : Color{0, 0, 0, 0};
}

std::string hex_text(Color color, bool alpha_first) {
  Transformation t;
  t.background = color;
  std::string text = *print_option(t, OptionId::Background);
  if (alpha_first && text.size() == 8) text = text.substr(6) + text.substr(0, 6);
  return text;
}

int exif_number(const Transformation& t) {
  static constexpr int kNumbers[2][4] = {{1, 6, 3, 8}, {2, 5, 4, 7}};
  return kNumbers[t.flip == Flip::Horizontal][t.rotate_deg / 90];
}

std::string encoded_source(const Ask& ask) {
  return percent_encode(ask.source, "/");
}

std::string source_address(const Ask& ask, const Mount& mount) {
  std::string prefix = mount.sources.empty() ? "/" : mount.sources.front();
  return prefix + encoded_source(ask);
}

std::string ratio_text(std::int32_t width, std::int32_t height) {
  std::int32_t divisor = std::gcd(width, height);
  return fixed_text(width / divisor, 0) + ":" + fixed_text(height / divisor, 0);
}

std::string with_query(const Ask& ask, const Mount& mount, const Words& query) {
  std::string target = below(mount, encoded_source(ask));
  return query.is_empty() ? target : target + "?" + query.text();
}

std::string below(const Mount& mount, std::string_view rest) {
  std::string target = mount.path == "/" ? "" : mount.path;
  return target.append("/").append(rest);
}

}  // namespace tintype
