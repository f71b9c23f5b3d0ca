// SPDX-License-Identifier: Apache-2.0
// PresetShape: how to know the variants of a preset by their names. A canonical path names no
// preset, only what became of its options, so a variant counts as the preset's when it has
// everything that the preset sets, whatever its format and quality, and whatever else was asked
// besides; width and height may be those of any dpr, or any at all where the preset leaves them to
// the client. That is more than the preset made: of two presets that differ in what one adds, both
// go. Variants of requests that override the preset's own options are other pictures, and stay.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"
#include "transform/transformation.h"

namespace tintype {

class PresetShape {
 public:
  // One for each format that variants may have, because options without effect depend on it.
  // Fails with BadRequest when the site has no such preset, naming those it has.
  static Result<std::vector<PresetShape>> of(const SitePolicy& site, std::string_view preset);

  // `settled` as a canonical path has it.
  bool covers(const Transformation& settled) const;

 private:
  bool covers_sides(const Transformation& settled) const;

  Transformation wanted_;      // settled, at dpr 1
  bool is_any_side_ = false;   // w=auto: the client's screen decides
  bool has_upper_end_ = true;  // false: the site raises widths to its ladder
};

}  // namespace tintype
