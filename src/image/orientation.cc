// SPDX-License-Identifier: Apache-2.0
#include "image/orientation.h"

namespace tintype {
namespace {

// Every orientation is an optional left-right mirror followed by quarter turns clockwise.
struct Steps {
  bool mirrored;
  int quarters;
};

Steps steps_of(Orientation o) {
  switch (o) {
    case Orientation::Upright:
      return {false, 0};
    case Orientation::FlipX:
      return {true, 0};
    case Orientation::Turn180:
      return {false, 2};
    case Orientation::FlipY:
      return {true, 2};
    case Orientation::Transpose:
      return {true, 3};
    case Orientation::Turn90:
      return {false, 1};
    case Orientation::Transverse:
      return {true, 1};
    case Orientation::Turn270:
      return {false, 3};
  }
  return {false, 0};
}

Orientation orientation_of(Steps steps) {
  constexpr Orientation kPlain[] = {Orientation::Upright, Orientation::Turn90, Orientation::Turn180,
                                    Orientation::Turn270};
  constexpr Orientation kMirrored[] = {Orientation::FlipX, Orientation::Transverse,
                                       Orientation::FlipY, Orientation::Transpose};
  return steps.mirrored ? kMirrored[steps.quarters] : kPlain[steps.quarters];
}

}  // namespace

Orientation compose(Orientation first, Orientation second) {
  const Steps a = steps_of(first), b = steps_of(second);
  // A mirror after a turn equals the opposite turn after the mirror, so a mirror in `second`
  // reverses the turns that `first` has already made.
  const int turned = b.mirrored ? b.quarters - a.quarters : b.quarters + a.quarters;
  return orientation_of({a.mirrored != b.mirrored, (turned + 4) % 4});
}

}  // namespace tintype
