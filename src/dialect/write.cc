// SPDX-License-Identifier: Apache-2.0
#include "dialect/write.h"

#include <array>
#include <tuple>

#include "base/check.h"
#include "dialect/dialect.h"
#include "dialect/words.h"
#include "dialect/writing.h"

namespace tintype {
namespace {

using Write = Result<std::string> (*)(const Ask&, const Mount&);

// `autos` are the options that it can leave open: w, dpr, f and q as auto; "free": a quality that
// is the default of a format that is not decided.
struct Writer {
  Dialect dialect;
  Write write;
  std::string_view autos;
};
constexpr Writer kWriters[] = {{Dialect::Native, write_native, "w dpr f q free jpng"},
                               {Dialect::Imgix, write_imgix, "f"},
                               {Dialect::Fastly, write_fastly, "f q"},
                               {Dialect::Cloudinary, write_cloudinary, "w dpr f q free"},
                               {Dialect::Scene7, write_scene7, "dpr f q free"},
                               {Dialect::Imgproxy, write_imgproxy, ""},
                               {Dialect::Thumbor, write_thumbor, ""},
                               {Dialect::Cloudflare, write_cloudflare, "f"},
                               {Dialect::Weserv, write_weserv, ""},
                               {Dialect::Ipx, write_ipx, "f free"},
                               {Dialect::Dit, write_dit, ""},
                               {Dialect::Bunny, write_bunny, "f"},
                               {Dialect::Next, write_next, "f"},
                               {Dialect::Vercel, write_vercel, "f"},
                               {Dialect::Netlify, write_netlify, "f"}};

const Writer* find_writer(Dialect dialect) {
  for (const Writer& known : kWriters) {
    if (known.dialect == dialect) return &known;
  }
  return nullptr;
}

void restore_screen(Transformation& t, const Transformation& asked) {
  t.width_auto = asked.width_auto;
  t.dpr_auto = asked.dpr_auto;
  t.width_px = asked.width_px;
  t.height_px = asked.height_px;
  t.dpr_e2 = asked.dpr_e2;
  t.aspect = asked.aspect;
  t.fit = asked.fit.value_or(asked.aspect ? Fit::Cover : Fit::Inside);
  t.gravity = asked.gravity;
  t.upscale = asked.upscale;
  t.small = asked.small;
}

// What a site would fill stands there by name.
void name_defaults(Transformation& t, std::uint32_t filled) {
  bool has_place = t.fit == Fit::Cover || t.fit == Fit::Pad || t.fit == Fit::Cut;
  if (has_place && !t.gravity && (filled & bit_of(OptionId::Gravity)) != 0) t.gravity = Gravity{};
  bool has_dpr = t.dpr_e2 || t.dpr_auto;
  if (!has_dpr && (filled & bit_of(OptionId::Dpr)) != 0) t.dpr_e2 = 100;
}

// Settles what no client can change, and leaves the rest as it was asked.
Result<Ask> simplify(const Ask& ask, std::uint32_t filled) {
  const Transformation& asked = ask.transformation;
  Ask simple = ask;
  TRY(Transformation t, settle(ask, {}, {}));
  if (asked.width_auto || asked.dpr_auto) restore_screen(t, asked);
  t.quality_auto = asked.quality_auto;
  if (asked.format_auto || asked.quality_auto) t.quality_pct = asked.quality_pct;
  if (asked.format_auto) {
    t.format_auto = true;
    t.format = asked.format;
    t.background = asked.background;
  }
  name_defaults(t, filled & ask.named);
  simple.transformation = t;
  return simple;
}

Failure cannot_carry(std::string_view option, std::string_view value, std::string_view language) {
  return fail_public(
      ErrorCode::UnsupportedOption,
      std::string(option) + "=" + shown(value) + ": cannot be said in " + std::string(language),
      std::string(option));
}

// One client of each kind that settling tells apart.
constexpr Hints kClients[] = {
    {},
    {.accept = "image/avif,image/webp"},
    {.accept = "image/webp"},
    {.accept = "image/avif", .dpr = "2", .width = "777", .save_data = "on"},
    {.dpr = "3", .viewport_width = "400", .ect = "3g"},
    {.accept = "image/webp", .dpr = "1.5"}};
constexpr std::array<Format, 2> kUsualOrder = {Format::Avif, Format::Webp};

Result<> check_settled(const Transformation& asked, const Transformation& written,
                       std::string_view language) {
  for (const OptionSpec& spec : option_table()) {
    if (print_option(asked, spec.id) == print_option(written, spec.id)) continue;
    return cannot_say(asked, spec.id, language);
  }
  return {};
}

// Options of theirs, and what of ours they were to say.
constexpr std::string_view kOurNames =
    "align=g ch=crop gravity=g orient=rot resizing_type=fit trim-color=trim";

// What is left open must be an option of `writer`'s autos.
Result<> check_autos(const Transformation& t, const Writer& writer) {
  std::string_view language = name_of(writer.dialect);
  bool is_either = !t.format_auto && t.format == Format::JpegOrPng;
  bool is_free = t.format_auto && !t.quality_auto && !t.quality_pct;
  const std::tuple<bool, std::string_view, OptionId> open_ones[] = {
      {t.width_auto, "w", OptionId::Width},
      {t.dpr_auto, "dpr", OptionId::Dpr},
      {t.format_auto, "f", OptionId::Format},
      {is_either, "jpng", OptionId::Format},
      {t.quality_auto, "q", OptionId::Quality}};
  for (auto [is_open, name, id] : open_ones) {
    if (is_open && !is_among(writer.autos, name)) return cannot_say(t, id, language);
  }
  if (!is_free || is_among(writer.autos, "free")) return {};
  return fail_public(
      ErrorCode::UnsupportedOption,
      "q: cannot be left to the format in " + std::string(language) + ": name a number", "q");
}

// The parser's own words where it does not take what was written.
Failure not_taken(const Error& error, std::string_view language) {
  std::string option(word_behind(kOurNames, error.option.empty() ? "source" : error.option));
  std::string detail = "cannot be said in " + std::string(language) + ": ";
  detail += error.detail.empty() ? error.message : error.detail;
  return fail_public(ErrorCode::UnsupportedOption, std::move(detail), std::move(option));
}

}  // namespace

bool can_write(Dialect dialect) {
  return find_writer(dialect) != nullptr;
}

std::string written_dialects() {
  std::string names;
  for (const Writer& known : kWriters) {
    names.append(names.empty() ? "" : ", ").append(name_of(known.dialect));
  }
  return names;
}

Result<> check_same_variants(const Ask& asked, const Ask& written, const SettleRules& rules,
                             std::string_view language) {
  if (asked.source != written.source) return cannot_carry("source", asked.source, language);
  if (asked.version != written.version) return cannot_carry("v", asked.version, language);
  if (asked.preset != written.preset) return cannot_carry("p", asked.preset, language);
  for (const Hints& client : kClients) {
    auto theirs = settle(asked, client, rules), ours = settle(written, client, rules);
    if (!theirs && !ours) continue;
    // One of them folds to sides that are too long.
    if (!theirs || !ours) return not_taken((theirs ? ours : theirs).error(), language);
    TRY(check_settled(*theirs, *ours, language));
  }
  return {};
}

Result<std::string> write_target(const Ask& ask, const Mount& mount, std::uint32_t filled) {
  const Writer* writer = find_writer(mount.dialect);
  CHECK(writer != nullptr);
  std::string_view language = name_of(mount.dialect);
  TRY(Ask simple, simplify(ask, filled));
  TRY(check_autos(simple.transformation, *writer));
  TRY(std::string target, writer->write(simple, mount));
  auto written = parse_target(target, std::span(&mount, 1));
  if (!written) return not_taken(written.error(), language);
  SettleRules rules(kUsualOrder);
  TRY(check_same_variants(ask, *written, rules, language));
  return target;
}

}  // namespace tintype
