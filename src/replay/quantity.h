// SPDX-License-Identifier: Apache-2.0
// Sizes and durations of a command line, written as in the settings file: "50GB", "30d". Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace tintype {

// 0 to 1000 TB; a bare number is bytes. Fails with BadRequest naming `option`, the value and what
// is allowed.
Result<std::int64_t> parse_size_bytes(std::string_view text, std::string_view option);
// 1 s to 3650 d; a bare number is seconds.
Result<Seconds> parse_duration(std::string_view text, std::string_view option);

// "12,345,678", for people.
std::string grouped(std::uint64_t number);

}  // namespace tintype
