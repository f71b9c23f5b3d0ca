// SPDX-License-Identifier: Apache-2.0
// Color: sRGB with straight alpha, 8 bits a channel.
#pragma once

#include <cstdint>

namespace tintype {

struct Color {
  std::uint8_t red = 0, green = 0, blue = 0, alpha = 255;
  bool operator==(const Color&) const = default;
};

inline constexpr Color kWhite{255, 255, 255, 255};

}  // namespace tintype
