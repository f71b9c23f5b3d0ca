// SPDX-License-Identifier: Apache-2.0
// Transformation: everything asked of a picture that changes its pixels or its encoding, in one
// plain value. Trivially copyable and comparable; it crosses into render workers as it is.
//
// An empty optional means "not asked". Two states exist: as parsed (dpr, auto format and aspect
// ratio may stand in it) and settled (settle.h: dpr folded into width and height, format decided,
// whatever has no effect removed, so that equal values mean equal bytes).
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

#include "image/color.h"
#include "image/format.h"
#include "image/orientation.h"

namespace tintype {

// How the box of width and height is met. The field's words "fill" and "contain" mean three
// different things among vendors, so neither is used.
enum class Fit : std::uint8_t {
  Inside,   // fits within the box, nothing cut, no padding
  Pad,      // like Inside, then padded to exactly the box with the background
  Cover,    // fills the box, the rest is cut off by gravity
  Stretch,  // exactly the box, the aspect ratio is given up
  Outside,  // covers the box, nothing is cut
  Cut,      // the box is cut out of the picture by gravity, nothing is scaled
};

// What Cover comes to without upscaling, where the picture is smaller than the box in a side. The
// vendors differ (docs/dialects.md).
enum class Small : std::uint8_t {
  Ratio,  // cut to the box's ratio, as large as it is
  Cut,    // only the side that exceeds the box is cut
  Keep,   // shrunk until it fits within the box, if need be, and not cut
  Pad,    // like Cut, then padded to exactly the box with the background
};

// The anchor of a crop or of the picture in its padding.
struct Gravity {
  enum class Kind : std::uint8_t {
    Center,
    North,
    NorthEast,
    East,
    SouthEast,
    South,
    SouthWest,
    West,
    NorthWest,
    FocalPoint,  // x, y in 0..1 of the upright picture
    Smart,       // found by content (attention)
  };
  Kind kind = Kind::Center;
  // In ten-thousandths (0..10000), so that values compare and print exactly. FocalPoint only.
  std::int16_t x_e4 = 5000, y_e4 = 5000;
  bool operator==(const Gravity&) const = default;
};

// width : height, reduced; both 1..10000.
struct AspectRatio {
  std::int32_t width = 1, height = 1;
  bool operator==(const AspectRatio&) const = default;
};

// A rectangle of the upright source taken before anything else; clipped to the picture.
struct CropBox {
  enum class Unit : std::uint8_t { Pixels, Percent };  // Percent: hundredths of a percent, 0..10000
  std::int32_t x = 0, y = 0, width = 0, height = 0;
  Unit unit = Unit::Pixels;
  bool operator==(const CropBox&) const = default;
};

enum class Flip : std::uint8_t { None, Horizontal, Vertical, Both };
// What of the source's metadata survives. Copyright keeps EXIF's Copyright and Artist tags.
enum class KeepMetadata : std::uint8_t { None, Copyright };

struct Transformation {
  std::optional<std::int32_t> width_px, height_px;  // 1..kMaxSide
  std::optional<Fit> fit;                           // absent: Inside, or Cover when aspect is given
  bool upscale = false;                             // may be enlarged beyond the source
  Small small = Small::Ratio;                       // with Cover and without upscale only
  std::optional<Gravity> gravity;
  std::optional<AspectRatio> aspect;
  std::optional<CropBox> crop;
  std::optional<std::int32_t> dpr_e2;       // hundredths, 10..800; folded by settle
  std::optional<std::int32_t> quality_pct;  // 1..100
  // Settled from what the client says of its screen and its network; the number is then unset.
  bool width_auto = false, dpr_auto = false, quality_auto = false;
  bool format_auto = true;       // settled from Accept
  Format format = Format::Jpeg;  // meaningful when !format_auto
  std::optional<Color> background;
  std::int16_t rotate_deg = 0;             // 0, 90, 180, 270 clockwise, after EXIF orientation
  Flip flip = Flip::None;                  // after rotation
  std::optional<std::int32_t> blur_e2;     // sigma in hundredths of an output pixel, 30..10000
  std::optional<std::int32_t> sharpen_e2;  // sigma in hundredths of an output pixel, 10..1000
  std::optional<std::int32_t>
      trim_threshold;  // 1..100: colour distance that still counts as border
  KeepMetadata keep_metadata = KeepMetadata::None;

  bool operator==(const Transformation&) const = default;
};
static_assert(std::is_trivially_copyable_v<Transformation>);

// The largest side that may be asked; WebP's own limit is 16383 (RFC 9649 section 2.6).
inline constexpr std::int32_t kMaxSide = 16383;

// Quality used where none is asked, chosen to look alike: JPEG and WebP of q80 score 1 to 4 points
// of SSIMULACRA2 apart; AVIF's 60 is set by judgement (docs/internals/figures.md F-quality).
int default_quality_pct(Format format);

}  // namespace tintype
