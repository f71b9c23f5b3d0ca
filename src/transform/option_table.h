// SPDX-License-Identifier: Apache-2.0
// The one table of options: name, aliases, what is allowed, default, canonical order, one line of
// documentation. Parsing, printing, error texts and docs/url-reference.md all come from it; a test
// holds it equal to spec/options.json, which the edge function shares.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transform/transformation.h"

namespace tintype {

// In canonical order, which is the alphabetical order of the names.
enum class OptionId : std::uint8_t {
  AspectRatio,
  Background,
  Blur,
  Crop,
  Dpr,
  Format,
  Fit,
  Flip,
  Gravity,
  Height,
  Metadata,
  Preset,
  Quality,
  Rotate,
  Sharpen,
  Small,
  Trim,
  Upscale,
  Version,
  Width,
};
inline constexpr int kOptionCount = 20;

struct OptionSpec {
  OptionId id;
  std::string_view name;                      // the canonical spelling: "w"
  std::span<const std::string_view> aliases;  // "width"
  std::string_view allowed;                   // for error texts and docs: "1 to 100, or auto"
  std::string_view fallback;                  // the default, as text; empty: none
  std::string_view doc;                       // one line
  std::string_view example;                   // a query parameter that works: "w=800"
};

std::span<const OptionSpec> option_table();
// By name or alias; ASCII case does not matter.
const OptionSpec* find_option(std::string_view name);
inline std::uint32_t bit_of(OptionId id) {
  return 1u << static_cast<int>(id);
}

// Parses `value` (already percent-decoded) into the field of `t` that `id` names. Both spellings of
// a value are understood: that of a query ("16:9", "10,10,80,80") and the canonical one ("16-9").
// Fails with BadRequest naming option, value and what is allowed. Preset and Version are not fields
// of a Transformation: passing them is a programming mistake.
Result<> set_option(Transformation& t, OptionId id, std::string_view value);
// Preset names and versions: 1 to 64 of A-Z a-z 0-9 - . ~ (no '_', which joins options in a
// canonical path). Site names are the same with '_', but not "_" alone; dialect/ holds that.
Result<std::string> parse_token(OptionId id, std::string_view value);
// The canonical text of an option's value in `t`, or nothing where it stands at its default.
// Always nothing for Preset and Version, which are no fields of a Transformation.
std::optional<std::string> print_option(const Transformation& t, OptionId id);
// The same, appended to `out` without allocating for itself; false when there is nothing to print.
bool append_option(std::string& out, const Transformation& t, OptionId id);
// The text that says the default of an option, beside the other options of `t`; nothing where no
// text does: of sizes, of effects, and of a quality whose format is not decided.
std::optional<std::string> print_default(const Transformation& t, OptionId id);

// The failure for a value that is not allowed: "h=9x: must be 1 to 16383 (pixels)", BadRequest.
[[nodiscard]] Failure bad_value(OptionId id, std::string_view value);
// Text of a client made fit for an error message: cut to 60 characters, control characters and
// invalid UTF-8 replaced by '?'.
std::string shown(std::string_view text);

}  // namespace tintype
