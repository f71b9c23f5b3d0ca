// SPDX-License-Identifier: Apache-2.0
// settle: the pure step after which no `auto` is left and equal pictures have equal
// Transformations. Walk: after policy (presets and site defaults are in), before the canonical
// path.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "transform/ask.h"
#include "transform/client_hints.h"

namespace tintype {

// The steps of w=auto where a site names none: a factor of 1.2 to 1.6 apart, the widths that grids
// and full pages of shops ask for.
inline constexpr std::int32_t kWidthLadder[] = {160,  240,  320,  480,  640,  800, 960,
                                                1200, 1600, 1920, 2560, 3200, 3840};

// What of a site's policy settling needs.
struct SettleRules {
  std::span<const Format> format_order = {};  // preference for f=auto
  std::span<const std::int32_t> width_ladder = kWidthLadder;
  // Steps that a quality is raised to, ascending; empty: exact. PNG has none.
  std::span<const std::int32_t> quality_steps = {};
  // An asked width is raised to the ladder's next step too, where its height stays within this.
  bool snaps_widths = false;
  std::int32_t max_height_px = 16383;

  SettleRules() = default;
  // From a list of formats alone.
  template <std::convertible_to<std::span<const Format>> Order>
  SettleRules(const Order& order) : format_order(order) {}  // NOLINT: reads as the list it is
};

// Chooses among `order` (a site's preference) the format with the highest q that `accept` names
// explicitly (RFC 9110 section 12.5.1); AVIF and WebP are never chosen by "image/*" or "*/*", which
// every old client sends. Falls back to JPEG for sources named .jpg or .jpeg, else to JpegOrPng.
// A browser that is known to break on a format (client_hints.h) is taken not to name it.
Format negotiate_format(const Hints& hints, std::span<const Format> order, std::string_view source);

// Decides what stands at auto, folds dpr into width and height and aspect into the missing side,
// reduces turns and flips to one spelling, and drops what has no effect (docs/url-reference.md
// lists the rules). Idempotent. Fails with BadRequest when a folded side exceeds kMaxSide.
Result<Transformation> settle(const Ask& ask, const Hints& hints, const SettleRules& rules);

// Which hints settling this Ask looks at: HintBit's, added. None for canonical paths.
std::uint8_t hints_read(const Ask& ask, const SettleRules& rules);

}  // namespace tintype
