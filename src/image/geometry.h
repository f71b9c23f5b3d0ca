// SPDX-License-Identifier: Apache-2.0
// Size, Point and Rect in whole pixels. Origin top-left, x to the right, y down; a Rect is
// half-open.
#pragma once

#include <cstdint>

namespace tintype {

struct Size {
  int width_px = 0, height_px = 0;
  bool operator==(const Size&) const = default;
  std::int64_t pixels() const { return std::int64_t{width_px} * height_px; }
  bool empty() const { return width_px <= 0 || height_px <= 0; }
  Size transposed() const { return {height_px, width_px}; }
};

struct Point {
  int x_px = 0, y_px = 0;
  bool operator==(const Point&) const = default;
};

struct Rect {
  int x_px = 0, y_px = 0, width_px = 0, height_px = 0;
  bool operator==(const Rect&) const = default;
  Size size() const { return {width_px, height_px}; }
  bool empty() const { return size().empty(); }
  bool covers(Size frame) const { return *this == Rect{0, 0, frame.width_px, frame.height_px}; }
};

}  // namespace tintype
