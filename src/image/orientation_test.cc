// SPDX-License-Identifier: Apache-2.0
#include "image/orientation.h"

#include <vector>

#include <gtest/gtest.h>

namespace tintype {
namespace {

// A picture of distinct pixels, turned by the definition of each EXIF value: the oracle.
struct Picture {
  Size size;
  std::vector<int> pixels;
  bool operator==(const Picture&) const = default;
  int at(Point p) const {
    return pixels[static_cast<std::size_t>(p.y_px * size.width_px + p.x_px)];
  }
};

// Where the pixel at `p` of the turned picture stands in the stored one (CIPA DC-008, 4.6.4).
Point stored_point(Orientation o, Point p, Size stored) {
  const int right = stored.width_px - 1, bottom = stored.height_px - 1;
  switch (o) {
    case Orientation::Upright:
      return p;
    case Orientation::FlipX:
      return {right - p.x_px, p.y_px};
    case Orientation::Turn180:
      return {right - p.x_px, bottom - p.y_px};
    case Orientation::FlipY:
      return {p.x_px, bottom - p.y_px};
    case Orientation::Transpose:
      return {p.y_px, p.x_px};
    case Orientation::Turn90:
      return {p.y_px, bottom - p.x_px};
    case Orientation::Transverse:
      return {right - p.y_px, bottom - p.x_px};
    case Orientation::Turn270:
      return {right - p.y_px, p.x_px};
  }
  return p;
}

Picture turn(const Picture& stored, Orientation o) {
  Picture out{oriented(stored.size, o), {}};
  for (int y = 0; y < out.size.height_px; ++y) {
    for (int x = 0; x < out.size.width_px; ++x) {
      out.pixels.push_back(stored.at(stored_point(o, {x, y}, stored.size)));
    }
  }
  return out;
}

std::vector<Orientation> all() {
  std::vector<Orientation> out;
  for (int i = 1; i <= 8; ++i) out.push_back(static_cast<Orientation>(i));
  return out;
}

TEST(Orientation, ComposeEqualsDoingOneAfterTheOther) {
  const Picture picture{{3, 2}, {1, 2, 3, 4, 5, 6}};
  for (Orientation first : all()) {
    for (Orientation second : all()) {
      EXPECT_EQ(turn(picture, compose(first, second)), turn(turn(picture, first), second))
          << static_cast<int>(first) << " then " << static_cast<int>(second);
    }
  }
}

TEST(Orientation, ComposeIsAGroup) {
  for (Orientation a : all()) {
    EXPECT_EQ(compose(a, Orientation::Upright), a);
    EXPECT_EQ(compose(Orientation::Upright, a), a);
    int inverses = 0;
    for (Orientation b : all()) {
      inverses += compose(a, b) == Orientation::Upright;
      for (Orientation c : all()) {
        EXPECT_EQ(compose(compose(a, b), c), compose(a, compose(b, c)));
      }
    }
    EXPECT_EQ(inverses, 1);
  }
}

TEST(Orientation, FourQuarterTurnsAreNone) {
  Orientation o = Orientation::Upright;
  for (int i = 0; i < 4; ++i) o = compose(o, Orientation::Turn90);
  EXPECT_EQ(o, Orientation::Upright);
  EXPECT_EQ(compose(Orientation::Turn90, Orientation::Turn90), Orientation::Turn180);
}

TEST(Orientation, SidesChangePlacesFromFiveOn) {
  for (Orientation o : all()) {
    EXPECT_EQ(oriented({3, 2}, o), static_cast<int>(o) < 5 ? (Size{3, 2}) : (Size{2, 3}));
  }
}

}  // namespace
}  // namespace tintype
