// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "policy/limits.h"
#include "policy/policy.h"
#include "policy/quote.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

// Names in an error text are the client's: shown, but not without bound.
constexpr std::size_t kShownNames = 10;
constexpr std::size_t kShownNameBytes = 64;

void copy_option(const Transformation& from, OptionId id, Transformation& to) {
  switch (id) {
    case OptionId::AspectRatio:
      to.aspect = from.aspect;
      return;
    case OptionId::Background:
      to.background = from.background;
      return;
    case OptionId::Blur:
      to.blur_e2 = from.blur_e2;
      return;
    case OptionId::Crop:
      to.crop = from.crop;
      return;
    case OptionId::Dpr:
      to.dpr_e2 = from.dpr_e2;
      to.dpr_auto = from.dpr_auto;
      return;
    case OptionId::Format:
      to.format_auto = from.format_auto;
      to.format = from.format;
      return;
    case OptionId::Fit:
      to.fit = from.fit;
      return;
    case OptionId::Flip:
      to.flip = from.flip;
      return;
    case OptionId::Gravity:
      to.gravity = from.gravity;
      return;
    case OptionId::Height:
      to.height_px = from.height_px;
      return;
    case OptionId::Metadata:
      to.keep_metadata = from.keep_metadata;
      return;
    case OptionId::Quality:
      to.quality_pct = from.quality_pct;
      to.quality_auto = from.quality_auto;
      return;
    case OptionId::Rotate:
      to.rotate_deg = from.rotate_deg;
      return;
    case OptionId::Sharpen:
      to.sharpen_e2 = from.sharpen_e2;
      return;
    case OptionId::Small:
      to.small = from.small;
      return;
    case OptionId::Trim:
      to.trim_threshold = from.trim_threshold;
      return;
    case OptionId::Upscale:
      to.upscale = from.upscale;
      return;
    case OptionId::Width:
      to.width_px = from.width_px;
      to.width_auto = from.width_auto;
      return;
    case OptionId::Preset:
    case OptionId::Version:
      return;  // not fields of a Transformation
  }
}

// Gives `ask` every option of `set` that it does not name itself.
void fill(Ask& ask, const SitePolicy::OptionSet& set) {
  std::uint32_t missing = set.named & ~ask.named;
  for (int i = 0; i < kOptionCount; ++i) {
    auto id = static_cast<OptionId>(i);
    if ((missing & bit_of(id)) != 0) copy_option(set.transformation, id, ask.transformation);
  }
  ask.named |= missing;
}

Failure refuse_unknown(const Ask& ask, const SitePolicy& site) {
  std::string names;
  std::size_t shown = std::min(ask.unknown.size(), kShownNames);
  for (std::size_t i = 0; i < shown; ++i) names += (i > 0 ? ", " : "") + quote(ask.unknown[i]);
  if (shown < ask.unknown.size()) names += ", …";
  return fail_public(ErrorCode::BadRequest,
                     "unknown parameters are not allowed on site '" + site.name + "': " + names,
                     ask.unknown.front().substr(0, kShownNameBytes));
}

Failure refuse_preset(const Ask& ask, const SitePolicy& site) {
  std::string known;
  std::size_t listed = 0;
  for (const auto& [name, set] : site.presets) {
    if (listed == kShownNames) break;
    known += (listed++ > 0 ? ", " : "") + name;
  }
  if (listed < site.presets.size()) known += ", …";
  std::string detail = "preset " + quote(ask.preset) + " is not known on site '" + site.name + "'";
  detail += known.empty() ? "; it has no presets" : "; known are: " + known;
  return fail_public(ErrorCode::BadRequest, std::move(detail), "p");
}

bool is_asked(const Ask& ask, OptionId id) {
  if (id == OptionId::Preset) return !ask.preset.empty();
  if (id == OptionId::Version) return !ask.version.empty();
  return (ask.named & bit_of(id)) != 0;
}

// Also of options named at their default: they would beat a preset's.
Result<> check_allowed(const Ask& ask, const SitePolicy& site) {
  for (const OptionSpec& spec : option_table()) {
    if ((*site.allowed_options & bit_of(spec.id)) != 0 || !is_asked(ask, spec.id)) continue;
    std::string name(spec.name);
    return fail_public(ErrorCode::BadRequest,
                       "option " + name + " is not allowed on site '" + site.name + "'", name);
  }
  return {};
}

struct Side {
  std::string_view option;     // "w"
  std::string_view dimension;  // "width"
  std::optional<std::int32_t> asked_px;
  std::optional<std::int64_t> folded_px;  // after dpr and aspect ratio
  std::int32_t limit_px;
};

Result<> check_side(const Side& side, const Transformation& t) {
  if (!side.folded_px || *side.folded_px <= side.limit_px) return {};
  std::string detail = std::string(side.option) + ": the " + std::string(side.dimension) + " of ";
  detail += std::to_string(*side.folded_px) + " pixels";
  if (!side.asked_px) {
    detail += " (from the aspect ratio)";
  } else if (t.dpr_e2 && *t.dpr_e2 != 100) {
    detail += " (" + std::to_string(*side.asked_px) + " times dpr)";
  }
  detail += " is above the limit of " + std::to_string(side.limit_px);
  return fail_public(ErrorCode::BadRequest, std::move(detail), std::string(side.option));
}

std::optional<std::int64_t> fold(std::optional<std::int32_t> side_px, std::int64_t dpr_e2) {
  if (!side_px) return std::nullopt;
  return std::max<std::int64_t>(1, (*side_px * dpr_e2 + 50) / 100);
}

}  // namespace

Result<> check_limits(const Transformation& t, const SiteLimits& limits) {
  std::int64_t dpr_e2 = t.dpr_e2.value_or(100);
  auto width = fold(t.width_px, dpr_e2);
  auto height = fold(t.height_px, dpr_e2);
  if (t.aspect && width && !height) {
    height = (*width * t.aspect->height + t.aspect->width / 2) / t.aspect->width;
  } else if (t.aspect && height && !width) {
    width = (*height * t.aspect->width + t.aspect->height / 2) / t.aspect->height;
  }
  TRY(check_side({"w", "width", t.width_px, width, limits.max_width_px}, t));
  TRY(check_side({"h", "height", t.height_px, height, limits.max_height_px}, t));
  return {};
}

Result<Ask> admit(const Ask& ask, const SitePolicy& site) {
  if (ask.is_canonical) {
    TRY(check_limits(ask.transformation, site.limits));
    return ask;
  }
  if (site.unknown_parameters == UnknownParameters::Refuse && !ask.unknown.empty()) {
    return refuse_unknown(ask, site);
  }
  if (site.allowed_options) TRY(check_allowed(ask, site));
  Ask admitted = ask;
  admitted.unknown.clear();
  if (!ask.preset.empty()) {
    auto preset = site.presets.find(ask.preset);
    if (preset == site.presets.end()) return refuse_preset(ask, site);
    admitted.named &= ~ask.yielding;
    fill(admitted, preset->second);
    admitted.named |= ask.yielding;
    admitted.preset.clear();
  }
  fill(admitted, site.defaults);
  TRY(check_limits(admitted.transformation, site.limits));
  return admitted;
}

}  // namespace tintype
