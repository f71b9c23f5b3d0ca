// SPDX-License-Identifier: Apache-2.0
#include "transform/settle.h"

#include <algorithm>

#include "transform/fixed_decimal.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

Result<> fold_dpr_into(std::optional<std::int32_t>& side_px, std::int32_t dpr_e2,
                       std::string_view name) {
  if (!side_px) return {};
  // Both factors are bounded (16383 x 800), so 32 bits hold the product.
  std::int32_t folded_px = std::max((*side_px * dpr_e2 + 50) / 100, 1);
  if (folded_px > kMaxSide) {
    std::string detail = "dpr=";
    append_fixed(detail, dpr_e2, 2);
    detail.append(" makes ").append(name).append("=");
    append_fixed(detail, *side_px, 0);
    detail += " into ";
    append_fixed(detail, folded_px, 0);
    detail += ": must be at most ";
    append_fixed(detail, kMaxSide, 0);
    return fail_public(ErrorCode::BadRequest, std::move(detail), "dpr");
  }
  side_px = folded_px;
  return {};
}

Result<> fold_dpr(Transformation& t) {
  if (!t.dpr_e2) return {};
  TRY(fold_dpr_into(t.width_px, *t.dpr_e2, "w"));
  TRY(fold_dpr_into(t.height_px, *t.dpr_e2, "h"));
  t.dpr_e2.reset();
  return {};
}

// side x numerator / denominator, half up, at least 1.
std::int64_t scale(std::int64_t side_px, std::int64_t numerator, std::int64_t denominator) {
  return std::max<std::int64_t>((2 * side_px * numerator + denominator) / (2 * denominator), 1);
}

Result<> derive_missing_side(Transformation& t) {
  const AspectRatio aspect = *t.aspect;
  std::int64_t derived_px = t.width_px ? scale(*t.width_px, aspect.height, aspect.width)
                                       : scale(*t.height_px, aspect.width, aspect.height);
  if (derived_px > kMaxSide) {
    std::string detail = "ar=";
    append_option(detail, t, OptionId::AspectRatio);
    detail += t.width_px ? " makes h " : " makes w ";
    append_fixed(detail, derived_px, 0);
    detail += ": must be at most ";
    append_fixed(detail, kMaxSide, 0);
    return fail_public(ErrorCode::BadRequest, std::move(detail), "ar");
  }
  (t.width_px ? t.height_px : t.width_px) = static_cast<std::int32_t>(derived_px);
  return {};
}

Result<> fold_aspect(Transformation& t) {
  if (!t.aspect) return {};
  if (t.width_px && t.height_px) {
    t.aspect.reset();
    return {};
  }
  if (!t.fit) t.fit = Fit::Cover;
  if (t.width_px || t.height_px) {
    TRY(derive_missing_side(t));
    t.aspect.reset();
  } else if (*t.fit == Fit::Inside || *t.fit == Fit::Outside || *t.fit == Fit::Cut) {
    // Without a size only cutting, padding and stretching can meet an aspect ratio.
    t.aspect.reset();
  }
  return {};
}

// The layout width is in device pixels: the ratio is in it already and is left to the height alone.
Result<> settle_screen(Transformation& t, const Hints& hints, const SettleRules& rules) {
  if (t.dpr_auto) {
    t.dpr_auto = false;
    t.dpr_e2 = dpr_class_e2(hints);
  }
  if (!t.width_auto) return {};
  t.width_auto = false;
  t.width_px = width_class_px(hints, rules.width_ladder);
  if (!t.width_px || !t.dpr_e2) return {};
  TRY(fold_dpr_into(t.height_px, *t.dpr_e2, "h"));
  t.dpr_e2.reset();
  return {};
}

// A focal point at an edge, a corner or the middle is the compass point of that name.
Gravity reduce_focal_point(Gravity gravity) {
  using Kind = Gravity::Kind;
  static constexpr Kind kGrid[3][3] = {{Kind::NorthWest, Kind::North, Kind::NorthEast},
                                       {Kind::West, Kind::Center, Kind::East},
                                       {Kind::SouthWest, Kind::South, Kind::SouthEast}};
  if (gravity.x_e4 % 5000 != 0 || gravity.y_e4 % 5000 != 0) return gravity;
  return Gravity{kGrid[gravity.y_e4 / 5000][gravity.x_e4 / 5000]};
}

void settle_gravity(Transformation& t) {
  using Kind = Gravity::Kind;
  if (!t.gravity) return;
  if (t.fit != Fit::Cover && t.fit != Fit::Pad && t.fit != Fit::Cut) {
    t.gravity.reset();
    return;
  }
  // A padded picture is whole: where its subject is does not matter.
  bool is_by_content = t.gravity->kind == Kind::Smart || t.gravity->kind == Kind::FocalPoint;
  if (t.fit == Fit::Pad && is_by_content) t.gravity.reset();
  if (t.gravity && t.gravity->kind == Kind::FocalPoint) t.gravity = reduce_focal_point(*t.gravity);
  if (t.gravity && t.gravity->kind == Kind::Center) t.gravity.reset();
}

void settle_box(Transformation& t) {
  bool has_sides = t.width_px && t.height_px;
  // A cut of one side only leaves the other as it is.
  bool cuts = t.fit == Fit::Cut && (t.width_px || t.height_px) && !t.aspect;
  if ((!has_sides && !t.aspect && !cuts) || t.fit == Fit::Inside) t.fit.reset();
  settle_gravity(t);
  if ((!t.width_px && !t.height_px) || t.fit == Fit::Cut) t.upscale = false;
  if (t.fit != Fit::Cover || !has_sides || t.upscale) t.small = Small::Ratio;
}

// Turns and flips form a group of eight; each is written as a turn, then at most a flip left-right.
// A half turn commutes with both flips, and v is a half turn with h.
void reduce_turn(Transformation& t) {
  bool adds_half_turn = t.flip == Flip::Vertical || t.flip == Flip::Both;
  bool mirrors = t.flip == Flip::Vertical || t.flip == Flip::Horizontal;
  if (adds_half_turn) t.rotate_deg = static_cast<std::int16_t>((t.rotate_deg + 180) % 360);
  t.flip = mirrors ? Flip::Horizontal : Flip::None;
}

// Percentages can be clipped to the picture without knowing it; a crop of all of it is none.
void settle_crop(Transformation& t) {
  if (!t.crop || t.crop->unit != CropBox::Unit::Percent) return;
  static constexpr std::int32_t kAll_e4 = 10000;
  t.crop->width = std::min(t.crop->width, kAll_e4 - t.crop->x);
  t.crop->height = std::min(t.crop->height, kAll_e4 - t.crop->y);
  if (*t.crop == CropBox{0, 0, kAll_e4, kAll_e4, CropBox::Unit::Percent}) t.crop.reset();
}

std::uint8_t over_white(std::uint8_t channel, std::uint8_t alpha) {
  return static_cast<std::uint8_t>((channel * alpha + 255 * (255 - alpha) + 127) / 255);
}

void settle_background(Transformation& t) {
  if (!t.background) return;
  Color color = *t.background;
  // Nothing transparent is left for PNG to hold.
  if (t.format == Format::JpegOrPng && color.alpha == 255) t.format = Format::Jpeg;
  if (!can_hold_alpha(t.format)) {
    color = {over_white(color.red, color.alpha), over_white(color.green, color.alpha),
             over_white(color.blue, color.alpha), 255};
    t.background = color;
  }
  bool is_default = can_hold_alpha(t.format) ? color.alpha == 0 : color == kWhite;
  if (is_default) t.background.reset();
}

using Steps = std::span<const std::int32_t>;

// The next step; the last one above it.
std::int32_t step_up(Steps steps, std::int32_t value) {
  auto step = std::ranges::lower_bound(steps, value);
  return step == steps.end() ? steps.back() : *step;
}

// A width between two steps becomes the wider one, its height grows with it. Beyond the last step
// nothing is changed, so that nobody gets less than was asked, nor where the height would become
// more than is allowed.
void snap_to_ladder(Transformation& t, const SettleRules& rules) {
  // A box that is cut out shows other things when it grows.
  if (!t.width_px || t.fit == Fit::Cut) return;
  auto step = std::ranges::lower_bound(rules.width_ladder, *t.width_px);
  if (step == rules.width_ladder.end() || *step == *t.width_px) return;
  if (t.height_px) {
    std::int64_t height_px = scale(*t.height_px, *step, *t.width_px);
    if (height_px > rules.max_height_px) return;
    t.height_px = static_cast<std::int32_t>(height_px);
  }
  t.width_px = *step;
}

// On slow networks: a third of the bytes less for a loss that shows on a large screen only.
constexpr std::int32_t kEconomyStep_pct = 20;

void settle_quality(Transformation& t, const Hints& hints, Steps steps) {
  if (t.quality_auto) {
    t.quality_auto = false;
    t.quality_pct = default_quality_pct(t.format);
    if (is_network_slow(hints)) *t.quality_pct -= kEconomyStep_pct;
  }
  if (t.quality_pct && !steps.empty()) t.quality_pct = step_up(steps, *t.quality_pct);
  if (t.format == Format::Png || t.quality_pct == default_quality_pct(t.format)) {
    t.quality_pct.reset();
  }
}

}  // namespace

std::uint8_t hints_read(const Ask& ask, const SettleRules& rules) {
  const Transformation& t = ask.transformation;
  if (ask.is_canonical) return 0;
  unsigned bits = 0;
  if (t.format_auto && !rules.format_order.empty()) bits |= kAcceptBit;
  if (t.width_auto) bits |= kWidthBit | kDprBit;
  if (t.dpr_auto) bits |= kDprBit;
  if (t.quality_auto) bits |= kNetworkBit;
  return static_cast<std::uint8_t>(bits);
}

Result<Transformation> settle(const Ask& ask, const Hints& hints, const SettleRules& rules) {
  Transformation t = ask.transformation;
  TRY(settle_screen(t, hints, rules));
  TRY(fold_dpr(t));
  TRY(fold_aspect(t));
  if (rules.snaps_widths && !ask.is_canonical) snap_to_ladder(t, rules);
  settle_box(t);
  reduce_turn(t);
  settle_crop(t);
  if (t.format_auto) {
    t.format = negotiate_format(hints, rules.format_order, ask.source);
    t.format_auto = false;
  }
  settle_background(t);
  settle_quality(t, hints, ask.is_canonical ? Steps() : rules.quality_steps);
  return t;
}

}  // namespace tintype
