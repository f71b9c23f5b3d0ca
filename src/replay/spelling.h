// SPDX-License-Identifier: Apache-2.0
// Spellings: how the text of a URL may differ from the canonical path that it comes to, and what
// one target comes to in the whole: its canonical path, and the one it would have if widths were
// held to the site's ladder. Pure; costs a few microseconds a target.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "delivery/naming.h"
#include "policy/policy.h"

namespace tintype {

// Why two URLs can be one picture. One URL may differ in several ways.
enum class SpellingDifference : std::uint8_t {
  Language,   // another service's URL language
  Order,      // parameters in another order
  Alias,      // an option's other name
  Case,       // upper case
  Default,    // an option at its default, or without effect
  Dropped,    // a parameter that nobody knows
  Encoding,   // percent-escapes
  Duplicate,  // an option named twice
  Accept,     // the format left to the Accept header
  Number,     // 0800, 1.50
  Folded,     // dpr or an aspect ratio that became width and height
  Preset,     // a preset's name
};
inline constexpr int kSpellingDifferenceCount = 12;
// "parameter order"
std::string_view name_of(SpellingDifference difference);
inline std::uint16_t bit_of(SpellingDifference difference) {
  return static_cast<std::uint16_t>(1u << static_cast<unsigned>(difference));
}

struct NamedTarget {
  std::string path;     // the canonical path
  std::string stepped;  // the same with its width at the next step of the site's ladder
  std::int32_t width_px = 0, stepped_width_px = 0;  // 0: none is asked
  std::uint16_t differences = 0;                    // bits of SpellingDifference
  std::uint8_t vary = 0;  // the class of Accept that a cache in front must tell apart; 0: none
  std::vector<std::string> dropped;  // parameter names nobody knows
};

struct AskedTarget {
  std::string_view target, accept;
  std::int64_t unix_seconds = 0;  // that an expiring URL is held against
};
// What the request comes to. Fails as name_variant does.
Result<NamedTarget> name_target(const AskedTarget& asked, const SharedPolicy& policy);

// The parameters of a target's query as they stand, without the empty ones.
std::vector<std::string_view> raw_parameters(std::string_view target);
std::string_view raw_name(std::string_view parameter);
// The target without the parameters of that (raw) name.
std::string without_parameter(std::string_view target, std::string_view name);

}  // namespace tintype
