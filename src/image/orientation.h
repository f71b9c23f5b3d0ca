// SPDX-License-Identifier: Apache-2.0
// Orientation: how stored pixels must be turned to stand upright; the eight values of the EXIF tag
// 0x0112 (CIPA DC-008, section 4.6.4). Also the group in which user turns and flips are composed.
#pragma once

#include <cstdint>

#include "image/geometry.h"

namespace tintype {

// The number is the EXIF value. Names say what to do to the stored picture; turns are clockwise.
enum class Orientation : std::uint8_t {
  Upright = 1,
  FlipX = 2,  // mirror left-right
  Turn180 = 3,
  FlipY = 4,      // mirror top-bottom
  Transpose = 5,  // mirror over the main diagonal
  Turn90 = 6,
  Transverse = 7,  // mirror over the other diagonal
  Turn270 = 8,
};

// Whether width and height change places.
inline bool swaps_sides(Orientation o) {
  return static_cast<int>(o) >= 5;
}
inline Size oriented(Size stored, Orientation o) {
  return swaps_sides(o) ? stored.transposed() : stored;
}
// The one orientation that equals doing `first`, then `second`.
Orientation compose(Orientation first, Orientation second);

}  // namespace tintype
