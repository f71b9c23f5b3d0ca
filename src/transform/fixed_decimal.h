// SPDX-License-Identifier: Apache-2.0
// Fixed decimals: numbers with a few decimals kept as scaled integers (1.25 with two decimals is
// 125), so that they compare, fold and print exactly and the edge function, which counts in
// doubles, agrees to the last digit. Non-negative only. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tintype {

// ASCII digits with at most one '.', at least one digit, nothing else: "2", "0.5", ".5", "2.".
// Digits beyond `decimals` round half up: "1.005" with two decimals is 101. Nothing for other texts
// and for numbers of a billion or more. Leading zeros are allowed.
std::optional<std::int64_t> parse_fixed(std::string_view text, int decimals);

// The shortest text: 50 with two decimals is "0.5", 200 is "2".
void append_fixed(std::string& out, std::int64_t value, int decimals);

}  // namespace tintype
