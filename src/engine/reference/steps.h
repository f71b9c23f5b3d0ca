// SPDX-License-Identifier: Apache-2.0
// The steps of the reference runner, in the order in which render.cc takes them. Each takes a
// picture and gives a picture; each is one small file. Up to resample the source is to blame for a
// failure, from then on we are: resample leaves every pixel in memory.
//
// Walk: inside a render worker, between the arena's source bytes and its variant bytes.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "engine/reference/picture.h"
#include "plan/plan.h"

namespace tintype {

// A picture as its loader gives it. HEIF loaders turn it upright themselves; others leave it
// stored.
struct Opened {
  Picture picture;
  Orientation to_upright = Orientation::Upright;
};

// By the loader that the sniffed format names, first frame only, shrunk as planned. Fails with
// Corrupt, also when the pixels are not of the size that the header promised; with Unsupported.
// `source` must outlive the picture.
Result<Opened> open_source(const Plan& plan, ByteView source);

// The picture inside its border: a rectangle of the upright frame, within plan.crop. The border is
// what has the colour of most of the outermost pixels, give or take the threshold; a few specks in
// a row do not end it. A picture that is all border stays whole. Decodes the whole picture; after
// it `opened` holds the pixels in memory. Requires: plan.trim_threshold, plan.shrink == 1.
Result<Rect> find_border(Opened& opened, const Plan& plan);

// Crop, resize, result crop (unless it is to be found by content), then orientation and turn:
// resizing first, because the small picture is cheaper to turn. The result is in memory and
// straight in alpha.
Result<Picture> resample(const Opened& opened, const Plan& plan);

// 8-bit sRGB or grey, with or without alpha, from whatever the source was: through its profile if
// it has a usable one, through libvips' own CMYK profile where it has none. A broken profile is
// ignored.
Result<Picture> to_srgb(const Picture& picture);

// Cuts plan.result_crop's size out where most seems to be going on (libvips' "attention").
Result<Picture> crop_by_content(const Picture& picture, const Plan& plan);

// Both sigmas in pixels of the variant. Sharpening works on luminance.
Result<Picture> sharpen_and_blur(Picture picture, const Plan& plan);

// Alpha composed over plan.flatten, if there is any, or over white where the format holds none.
Result<Picture> flatten(Picture picture, const Plan& plan);

// Placed on plan.canvas.
Result<Picture> pad(Picture picture, const Plan& plan);

// To bytes, without metadata but what plan.encode keeps. Requires: pixels in memory or computed
// from such. Fails with Internal.
Result<Bytes> encode(const Picture& picture, const Encode& options);

// A WebP file without its EXIF, XMP and ICC chunks: libvips 8.14 writes an EXIF block even where
// nothing is to be kept, 150 bytes of a thumbnail. Requires: a file that our encoder wrote.
Bytes drop_webp_metadata(ByteView webp);

}  // namespace tintype
