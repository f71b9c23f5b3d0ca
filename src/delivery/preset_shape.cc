// SPDX-License-Identifier: Apache-2.0
#include "delivery/preset_shape.h"

#include <cstdlib>
#include <utility>

#include "delivery/naming.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

// What a dpr may do to a side (option_table.h: 0.1 to 8), and rounding of a pixel.
constexpr std::int64_t kMaxDpr = 8, kMinDprDivisor = 10;
// Stands for a width that the client decides, so that what hangs on it is settled as it would be.
constexpr std::int32_t kSomeWidthPx = 1000;

constexpr Format kFormats[] = {Format::Avif, Format::Webp, Format::Jpeg, Format::Png,
                               Format::JpegOrPng};

bool may_differ(OptionId id) {
  switch (id) {
    case OptionId::Format:
    case OptionId::Quality:
    case OptionId::Version:
    case OptionId::Preset:
    case OptionId::Dpr:
    case OptionId::Width:  // held to covers_sides
    case OptionId::Height:
      return true;
    default:
      return false;
  }
}

bool is_scaled(std::optional<std::int32_t> side_px, std::int32_t wanted_px, bool has_upper_end) {
  if (!side_px) return false;
  std::int64_t side = *side_px, wanted = wanted_px;
  return side * kMinDprDivisor + kMinDprDivisor >= wanted &&
         (!has_upper_end || side <= wanted * kMaxDpr + 1);
}

// What a request that names only the preset becomes, before it is settled.
Result<Ask> expand(const SitePolicy& site, std::string_view preset) {
  Ask ask;
  ask.site = site.name;
  ask.source = "a";
  ask.preset = preset;
  SitePolicy open = site;
  open.allowed_options.reset();
  return admit(ask, open);
}

}  // namespace

Result<std::vector<PresetShape>> PresetShape::of(const SitePolicy& site, std::string_view preset) {
  TRY(Ask ask, expand(site, preset));
  Transformation& t = ask.transformation;
  PresetShape shape;
  shape.is_any_side_ = t.width_auto;
  shape.has_upper_end_ = !site.snap_widths;
  if (std::exchange(t.width_auto, false)) t.width_px = kSomeWidthPx;
  t.dpr_auto = t.quality_auto = t.format_auto = false;
  t.dpr_e2.reset();
  t.quality_pct.reset();
  ask.named |= bit_of(OptionId::Format);
  // The site's own steps would move the sides that are compared.
  std::vector<PresetShape> shapes;
  for (Format format : kFormats) {
    t.format = format;
    TRY(shape.wanted_, settle(ask, {}, SettleRules(site.format_order)));
    shapes.push_back(shape);
  }
  return shapes;
}

bool PresetShape::covers_sides(const Transformation& settled) const {
  if (is_any_side_) return true;
  auto is_fine = [this](std::optional<std::int32_t> wanted, std::optional<std::int32_t> side) {
    return !wanted || is_scaled(side, *wanted, has_upper_end_);
  };
  if (!is_fine(wanted_.width_px, settled.width_px) ||
      !is_fine(wanted_.height_px, settled.height_px)) {
    return false;
  }
  if (!wanted_.width_px || !wanted_.height_px) return true;
  // Both by the same factor, each rounded by half a pixel.
  std::int64_t wanted_width = *wanted_.width_px, wanted_height = *wanted_.height_px;
  std::int64_t cross = *settled.width_px * wanted_height - *settled.height_px * wanted_width;
  return std::abs(cross) * 2 <= wanted_width + wanted_height + 2;
}

bool PresetShape::covers(const Transformation& settled) const {
  if (settled.format != wanted_.format) return false;
  for (const OptionSpec& spec : option_table()) {
    if (may_differ(spec.id)) continue;
    auto wanted = print_option(wanted_, spec.id);
    if (wanted && wanted != print_option(settled, spec.id)) return false;
  }
  return covers_sides(settled);
}

}  // namespace tintype
