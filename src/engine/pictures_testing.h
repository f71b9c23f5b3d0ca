// SPDX-License-Identifier: Apache-2.0
// Small pictures for the tests of the engine: raw pixels, the formats they are stored in, and what
// came out. Uses libvips directly and by name, like the engine, so that a test sees what the engine
// is given.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <vips/vips.h>

#include "base/bytes.h"
#include "engine/render.h"
#include "image/sniff.h"
#include "plan/geometry.h"

namespace tintype::testing {

struct Pixels {
  Size size;
  int bands = 3;
  Bytes data;  // interleaved rows

  Pixels(Size s, int b) : size(s), bands(b), data(std::size_t(s.pixels()) * b) {}
  std::uint8_t* at(int x, int y) {
    return data.data() + (std::size_t(y) * size.width_px + x) * bands;
  }
  const std::uint8_t* at(int x, int y) const { return const_cast<Pixels*>(this)->at(x, y); }
  void fill(Rect rect, std::initializer_list<int> color) {
    for (int y = rect.y_px; y < rect.y_px + rect.height_px; ++y) {
      for (int x = rect.x_px; x < rect.x_px + rect.width_px; ++x) {
        std::copy(color.begin(), color.end(), at(x, y));
      }
    }
  }
};

// Red and green above, blue and yellow below.
inline Pixels quadrants(Size size = {64, 48}) {
  Pixels p(size, 3);
  const int w = size.width_px / 2, h = size.height_px / 2;
  p.fill({0, 0, w, h}, {255, 0, 0});
  p.fill({w, 0, size.width_px - w, h}, {0, 255, 0});
  p.fill({0, h, w, size.height_px - h}, {0, 0, 255});
  p.fill({w, h, size.width_px - w, size.height_px - h}, {255, 255, 0});
  return p;
}

// The stored picture that stands upright as `upright` once it is oriented by `o`.
inline Pixels stored_for(const Pixels& upright, Orientation o) {
  Pixels stored(oriented(upright.size, inverse(o)), upright.bands);
  for (int y = 0; y < stored.size.height_px; ++y) {
    for (int x = 0; x < stored.size.width_px; ++x) {
      const Rect to = map_rect({x, y, 1, 1}, stored.size, o);
      std::copy_n(upright.at(to.x_px, to.y_px), upright.bands, stored.at(x, y));
    }
  }
  return stored;
}

using Change = std::function<void(VipsImage*)>;

inline VipsInterpretation space_of(int bands) {
  return bands < 3 ? VIPS_INTERPRETATION_B_W : VIPS_INTERPRETATION_sRGB;
}

inline int save(VipsImage* image, Format format, void** data, std::size_t* size) {
  switch (format) {
    case Format::Jpeg:
      return vips_jpegsave_buffer(image, data, size, "Q", 95, nullptr);
    case Format::Png:
      return vips_pngsave_buffer(image, data, size, nullptr);
    case Format::Webp:
      return vips_webpsave_buffer(image, data, size, "lossless", TRUE, nullptr);
    case Format::Avif:
      return vips_heifsave_buffer(image, data, size, "compression",
                                  VIPS_FOREIGN_HEIF_COMPRESSION_AV1, "Q", 95, "effort", 1, nullptr);
    case Format::Gif:
      return vips_gifsave_buffer(image, data, size, nullptr);
    case Format::Tiff:
      return vips_tiffsave_buffer(image, data, size, nullptr);
    default:
      return -1;
  }
}

// Encodes; `change` may set metadata or the colour space first.
inline Bytes stored_as(Format format, const Pixels& pixels, const Change& change = {}) {
  VipsImage* image =
      vips_image_new_from_memory(pixels.data.data(), pixels.data.size(), pixels.size.width_px,
                                 pixels.size.height_px, pixels.bands, VIPS_FORMAT_UCHAR);
  VipsImage* named = nullptr;
  vips_copy(image, &named, "interpretation", space_of(pixels.bands), nullptr);
  if (change) change(named);
  void* data = nullptr;
  std::size_t size = 0;
  EXPECT_EQ(save(named, format, &data, &size), 0) << vips_error_buffer();
  const auto* first = static_cast<const std::uint8_t*>(data);
  Bytes bytes(first, first + size);
  g_free(data);
  g_object_unref(named);
  g_object_unref(image);
  return bytes;
}

inline int load(ByteView bytes, VipsImage** image) {
  void* data = const_cast<std::uint8_t*>(bytes.data());
  switch (sniff_format(bytes).value()) {
    case Format::Jpeg:
      return vips_jpegload_buffer(data, bytes.size(), image, nullptr);
    case Format::Png:
      return vips_pngload_buffer(data, bytes.size(), image, nullptr);
    case Format::Webp:
      return vips_webpload_buffer(data, bytes.size(), image, nullptr);
    case Format::Avif:
      return vips_heifload_buffer(data, bytes.size(), image, nullptr);
    default:
      return -1;
  }
}

inline Pixels decoded(ByteView bytes) {
  VipsImage* image = nullptr;
  EXPECT_EQ(load(bytes, &image), 0) << vips_error_buffer();
  Pixels pixels({vips_image_get_width(image), vips_image_get_height(image)},
                vips_image_get_bands(image));
  EXPECT_EQ(vips_image_get_format(image), VIPS_FORMAT_UCHAR);
  std::size_t size = 0;
  void* data = vips_image_write_to_memory(image, &size);
  std::copy_n(static_cast<std::uint8_t*>(data), std::min(size, pixels.data.size()),
              pixels.data.begin());
  g_free(data);
  g_object_unref(image);
  return pixels;
}

inline Transformation to(Format format) {
  Transformation t;
  t.format_auto = false;
  t.format = format;
  return t;
}

inline Transformation to(Format format, int width_px, int height_px, Fit fit) {
  Transformation t = to(format);
  t.width_px = width_px;
  t.height_px = height_px;
  t.fit = fit;
  return t;
}

inline Result<Rendered> try_render(const Transformation& t, ByteView source) {
  TRY(const ImageInfo info, sniff(source));
  TRY(const Plan planned, plan(t, info, {}));
  return render(planned, source, {});
}

// Renders and decodes what came out, whose size must be the one reported.
inline Pixels rendered(const Transformation& t, ByteView source) {
  auto variant = try_render(t, source);
  if (!variant) {
    ADD_FAILURE() << variant.error().message;
    return Pixels({1, 1}, 4);
  }
  Pixels pixels = decoded(variant->bytes);
  EXPECT_EQ(pixels.size, variant->size);
  return pixels;
}

// Whether a pixel's first channels are `color`, give or take.
inline ::testing::AssertionResult is_near(const Pixels& pixels, Point at,
                                          std::initializer_list<int> color, int tolerance = 3) {
  const std::uint8_t* found = pixels.at(at.x_px, at.y_px);
  std::string text;
  bool near = static_cast<int>(color.size()) <= pixels.bands;
  int band = 0;
  for (int expected : color) {
    if (band >= pixels.bands) break;
    near = near && std::abs(found[band] - expected) <= tolerance;
    text += std::to_string(found[band++]) + " ";
  }
  if (near) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "pixel " << at.x_px << "," << at.y_px << " is " << text
                                       << "with " << pixels.bands << " bands";
}

}  // namespace tintype::testing
