// SPDX-License-Identifier: Apache-2.0
// The one thing we believe of EXIF before decoding: the orientation. Junk never fails a picture
//, because cameras and editors write broken EXIF; it only counts as upright.
// Bounded by TiffDirectory; pure and reentrant. Called by the sniffers of JPEG, PNG and WebP.
#pragma once

#include "base/bytes.h"
#include "image/orientation.h"

namespace tintype {

// An EXIF block, with or without the "Exif\0\0" that JPEG puts before its TIFF header (some writers
// put it into PNG and WebP too). Upright when there is no valid tag 0x0112 in the first directory.
Orientation orientation_in_exif(ByteView exif);

// The EXIF number 1…8 as an Orientation; anything else is Upright.
Orientation orientation_numbered(std::uint32_t number);

}  // namespace tintype
