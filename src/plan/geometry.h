// SPDX-License-Identifier: Apache-2.0
// Geometry of a plan: where the crop lies, to which size it is resampled, what is cut off or
// padded. Whole numbers only, so that two machines lay the same request out alike. Pure.
//
// Frames: "stored" is the coded picture; "upright" is after EXIF orientation; "turned" is after the
// user's crop, rotation and flip. Width, height, fit and compass gravity speak of the turned frame;
// the crop rectangle and the focal point of the upright one.
// Sides are saturated at the largest int instead of overflowing; the limits of a plan refuse them.
#pragma once

#include "base/result.h"
#include "image/geometry.h"
#include "image/orientation.h"
#include "transform/transformation.h"

namespace tintype {

struct Layout {
  Orientation turn = Orientation::Upright;  // the user's rotation, then flip
  Size resized;                             // of the whole crop, after turning
  Rect result_crop;                         // of the resized frame
  bool crop_smart = false;                  // the position of result_crop is found by content
  Size canvas;
  Point placed_at;  // of result_crop's top-left corner on the canvas
};

// The user's rotation and flip as one orientation.
Orientation turn_of(const Transformation& t);

// What undoes `o`.
Orientation inverse(Orientation o);

// Where `rect` of a frame lies once that frame has been oriented by `o`.
Rect map_rect(Rect rect, Size frame, Orientation o);

// The asked crop clipped to the upright frame; the whole frame if none is asked. Percentages are
// rounded to the nearest pixel, one pixel at least. Fails with BadRequest (option crop) when
// nothing of the rectangle lies in the picture.
Result<Rect> settle_crop(const Transformation& t, Size upright);

// Lays out everything that follows the crop. `crop` must lie in `upright`.
//
// Without `upscale` nothing is enlarged: Inside, Outside and a single side stop at the natural
// size; Cover keeps the aspect ratio of the box at the largest size that needs no enlargement
// (800x600 of a 400x400 picture is 400x300); Stretch stops side by side; Pad keeps the picture
// small and its canvas exact. An aspect ratio alone cuts (or pads) the picture at its natural size.
Layout lay_out(const Transformation& t, Size upright, Rect crop);

}  // namespace tintype
