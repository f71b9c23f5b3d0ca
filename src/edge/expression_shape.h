// SPDX-License-Identifier: Apache-2.0
// Expressions as parts of larger ones: how loosely a Script hangs together, and how two become one
// with brackets only where they are needed. Pure.
#pragma once

#include <cstddef>
#include <string_view>

#include "edge/script.h"

namespace tintype {

// By its loosest operator outside of brackets. Bracketed: in any case.
enum class Binding : std::uint8_t { Comma, Assignment, Choice, Or, And, Tight, Bracketed };

void add_sign(Script& out, std::string_view sign);
// `part`, in brackets when it hangs together more loosely than `least`.
void add_part(Script& out, const Script& part, Binding least);

// "left sign right"; both are bracketed where they hang together more loosely than `least`.
Script joined(const Script& left, std::string_view sign, const Script& right, Binding least);
// "condition?yes:no".
Script choice(const Script& condition, const Script& yes, const Script& no);
// What follows from `condition` when it holds: "a&&b"; of "!a", which holds when a does not,
// "a||b".
Script guarded(const Script& condition, const Script& then);
// The same when it does not hold.
Script guarded_not(const Script& condition, const Script& then);
// Without brackets around the whole.
Script without_brackets(Script expression);

// njs 0.7.9 loses arguments of functions with 16 parameters or more that are called with fewer;
// further parameters, which stand for declarations, are only made below that.
inline constexpr std::size_t kMaxParameters = 12;

// About as many bytes as it will have: names become one letter later.
std::size_t length_of(const Script& script);

}  // namespace tintype
