// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "engine/reference/steps.h"
#include "plan/geometry.h"

namespace tintype {
namespace {

// Rows of 8-bit pixels in memory, interleaved.
struct Raster {
  const std::uint8_t* pixels = nullptr;
  Size size;
  int bands = 0;
  bool has_alpha = false;

  const std::uint8_t* at(int x, int y) const {
    return pixels + (std::size_t{1} * y * size.width_px + x) * bands;
  }
};

// Below this, of 255, a pixel is taken for transparent: its colour is not seen.
constexpr int kClearAlpha = 8;

struct Background {
  std::array<std::uint8_t, 4> channels{};
  bool is_clear = false;
};

template <class Visit>
void visit_outermost(const Raster& raster, const Visit& visit) {
  const int right = raster.size.width_px - 1, bottom = raster.size.height_px - 1;
  for (int x = 0; x <= right; ++x) {
    visit(raster.at(x, 0));
    visit(raster.at(x, bottom));
  }
  for (int y = 0; y <= bottom; ++y) {
    visit(raster.at(0, y));
    visit(raster.at(right, y));
  }
}

// The median of the outermost pixels, channel by channel: a shoe that touches the edge, a shadow or
// noise does not move it, where the top-left pixel alone fails on half of real product photos
// (docs/internals/figures.md F-trim).
Background find_background(const Raster& raster) {
  std::array<std::array<int, 256>, 4> counts{};
  int outermost = 0, clear = 0;
  visit_outermost(raster, [&](const std::uint8_t* pixel) {
    ++outermost;
    if (raster.has_alpha && pixel[raster.bands - 1] < kClearAlpha) {
      ++clear;
      return;
    }
    for (int band = 0; band < raster.bands; ++band) ++counts[band][pixel[band]];
  });
  Background background;
  background.is_clear = 2 * clear > outermost;
  for (int band = 0; band < raster.bands; ++band) {
    int seen = 0, value = 0;
    while (value < 255 && 2 * (seen += counts[band][value]) < outermost - clear) ++value;
    background.channels[band] = static_cast<std::uint8_t>(value);
  }
  return background;
}

// Compares a pixel with the background; channels may differ by `threshold` levels of 255.
class Comparison {
 public:
  Comparison(const Raster& raster, int threshold)
      : background_(find_background(raster)),
        bands_(raster.bands),
        has_alpha_(raster.has_alpha),
        threshold_(threshold) {}

  bool is_border(const std::uint8_t* pixel) const {
    if (background_.is_clear) return pixel[bands_ - 1] <= std::max(threshold_, kClearAlpha);
    if (has_alpha_ && pixel[bands_ - 1] < kClearAlpha) return true;
    for (int band = 0; band < bands_; ++band) {
      if (std::abs(pixel[band] - background_.channels[band]) > threshold_) return false;
    }
    return true;
  }

 private:
  Background background_;
  int bands_;
  bool has_alpha_;
  int threshold_;
};

// First and last index whose count is above the specks: dust, or ringing of the JPEG encoder.
struct Found {
  int first = -1, last = -1;
};

Found find_content(const std::vector<int>& counts, int across_px) {
  const int specks = across_px / 500;
  Found found;
  for (int i = 0; i < static_cast<int>(counts.size()); ++i) {
    if (counts[i] <= specks) continue;
    if (found.first < 0) found.first = i;
    found.last = i;
  }
  return found;
}

Rect find_content(const Raster& raster, int threshold) {
  const Comparison comparison(raster, threshold);
  std::vector<int> columns(raster.size.width_px), rows(raster.size.height_px);
  for (int y = 0; y < raster.size.height_px; ++y) {
    for (int x = 0; x < raster.size.width_px; ++x) {
      if (comparison.is_border(raster.at(x, y))) continue;
      ++columns[x];
      ++rows[y];
    }
  }
  const Found across = find_content(columns, raster.size.height_px);
  const Found down = find_content(rows, raster.size.width_px);
  if (across.first < 0 || down.first < 0)
    return {0, 0, raster.size.width_px, raster.size.height_px};
  return {across.first, down.first, across.last - across.first + 1, down.last - down.first + 1};
}

}  // namespace

Result<Rect> find_border(Opened& opened, const Plan& plan) {
  TRY(opened.picture, opened.picture.in_memory());
  const Rect crop = map_rect(plan.crop, plan.source.upright(), inverse(opened.to_upright));
  TRY(Picture cropped, apply([&](VipsImage** out) {
        return vips_extract_area(opened.picture.raw(), out, crop.x_px, crop.y_px, crop.width_px,
                                 crop.height_px, nullptr);
      }));
  TRY(Picture converted, to_srgb(cropped));
  TRY(Picture flat, converted.in_memory());
  const Raster raster{static_cast<const std::uint8_t*>(vips_image_get_data(flat.raw())),
                      flat.size(), flat.bands(), flat.has_alpha()};
  if (!raster.pixels) return fail_private(ErrorCode::Internal, take_vips_error());
  const Rect found = find_content(raster, *plan.trim_threshold);
  const Rect stored{crop.x_px + found.x_px, crop.y_px + found.y_px, found.width_px,
                    found.height_px};
  return map_rect(stored, oriented(plan.source.upright(), inverse(opened.to_upright)),
                  opened.to_upright);
}

}  // namespace tintype
