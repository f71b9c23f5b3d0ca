// SPDX-License-Identifier: Apache-2.0
// Plan: what a render will do, decided before any pixel is decoded. Pure, immutable, printable,
// costed; trivially copyable, because it crosses the arena into a render worker as it is.
//
// Coordinates: "stored" is the coded frame; "upright" is after EXIF orientation; "turned" is after
// the user's crop, rotation and flip. All steps below happen in the order of the fields. Walk:
// after the source has arrived (its header is sniffed), before admission to the worker pool.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>

#include "base/result.h"
#include "image/image_info.h"
#include "transform/transformation.h"

namespace tintype {

// What a plan may never exceed. Sources above fail with TooLarge.
//
// Pixels are of one frame: of an animated source only the first frame is decoded.
struct PlanLimits {
  std::int64_t max_source_pixels = 50'000'000;
  std::int64_t max_progressive_pixels = 25'000'000;  // progressive JPEG, interlaced PNG: held whole
  std::int64_t max_variant_pixels = 40'000'000;
  std::int32_t max_side_px = kMaxSide;
};

// What admission counts with. `weight` is in megapixel-weights: about one millisecond of CPU on one
// 2020s server core each; `peak_bytes` is an upper estimate of the worker's memory for pixels.
struct Cost {
  double weight = 0;
  std::int64_t peak_bytes = 0;
};

struct Encode {
  Format format = Format::Jpeg;
  std::int32_t quality_pct = 80;
  KeepMetadata keep_metadata = KeepMetadata::None;
};

struct Plan {
  Transformation asked;  // settled
  ImageInfo source;
  // --- steps
  int shrink = 1;  // decode at 1/shrink: 1, 2, 4, 8 (JPEG); 1 for others
  Rect crop;       // of the upright frame at full resolution; the whole frame if not asked
  // When set, the border of `crop` is taken off and all that follows planned again.
  std::optional<std::int32_t> trim_threshold;
  Orientation turn = Orientation::Upright;  // user's rotation and flip as one orientation
  Size resized;  // size after resampling; equals the turned size when no resize is needed
  bool crop_smart = false;  // the position of `result_crop` is found by content
  Rect result_crop;         // of the resized frame; whole frame if nothing is cut
  std::optional<std::int32_t> sharpen_e2, blur_e2;
  std::optional<Color> flatten;  // alpha, if the pixels have any, is composed over this; opaque
  Size canvas;                   // final size; larger than result_crop only when padding
  Point placed_at;               // top-left of the picture on the canvas
  Color canvas_color;            // of the padding
  Encode encode;
  // --- known before
  bool is_size_exact = true;  // false only with trim: then no side exceeds that of `canvas`
  Cost cost;

  Size variant_size() const { return canvas; }
};
static_assert(std::is_trivially_copyable_v<Plan>);

// Fails with TooLarge (source or variant above the limits, or above what the format can hold),
// BadRequest (a crop that lies outside the picture), Unsupported (a format we do not write or
// read). Requires: no `auto` left in `settled`. Costs O(1).
Result<Plan> plan(const Transformation& settled, const ImageInfo& source, const PlanLimits& limits);

// Plans again for a picture whose border has been trimmed: `trimmed`, of the upright frame, lies in
// p.crop and becomes the new crop. What the worker does once it has seen the pixels. Fails with
// TooLarge like plan(). Requires: p.trim_threshold.
Result<Plan> plan_trimmed(const Plan& p, Rect trimmed, const PlanLimits& limits);

// One step a line, steps that do nothing left out:
//   decode jpeg 4288x2848 at 1/2 / crop 600x600 at 10,0 / resize to 300x300 / encode webp q80 /
//   cost 14.2 ms, 12.1 MB
std::string describe(const Plan& plan);

}  // namespace tintype
