// SPDX-License-Identifier: Apache-2.0
// ImageInfo: what the header of a source says, before any pixel is decoded. Trivially copyable: it
// crosses the shared arena into render workers as it is.
#pragma once

#include <cstdint>
#include <type_traits>

#include "image/format.h"
#include "image/geometry.h"
#include "image/orientation.h"

namespace tintype {

enum class ColorModel : std::uint8_t { Grey, Rgb, YCbCr, Cmyk, Palette, Other };

struct ImageInfo {
  Format format = Format::Jpeg;
  // The frame that the decoder delivers, before `orientation`; of an animation, the canvas.
  Size stored;
  Orientation orientation = Orientation::Upright;
  ColorModel color_model = ColorModel::Rgb;
  std::uint8_t bits = 8;        // a channel; 8 for palettes, whose colours have 8
  bool has_alpha = false;       // may have transparent pixels
  bool is_progressive = false;  // progressive JPEG, interlaced PNG or GIF
  bool has_icc = false;         // carries a colour profile
  bool is_lossless = false;     // WebP VP8L
  // Chroma subsampling of YCbCr pictures: 2,2 = 4:2:0; 1,1 also when it is no whole ratio.
  std::uint8_t chroma_x = 1, chroma_y = 1;
  std::uint32_t frames = 1;  // animation frames or pages, as far as cheaply known

  Size upright() const { return oriented(stored, orientation); }
};
static_assert(std::is_trivially_copyable_v<ImageInfo>);

}  // namespace tintype
