// SPDX-License-Identifier: Apache-2.0
// sniff: decides by its bytes what a source is and reads its header. Our own code, bounds-checked
// and fuzzed (sniff_fuzz.cc), because it is the only reader of untrusted bytes outside the
// sandboxed workers. Never decodes pixels, never allocates in proportion to what a header claims,
// and visits a bounded number of boxes, chunks and segments. Neither name nor Content-Type is
// consulted. Walk: between store (source bytes arrive) and plan.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "image/image_info.h"

namespace tintype {

// The whole source. Fails with Unsupported when the bytes are no format we know (SVG is recognised
// and named, and refused as Unsupported too) or a kind of it that our decoders cannot read
// (lossless JPEG, BigTIFF, HEIF with other codecs …), and with Corrupt when the source is empty, or
// the format is known but its header is cut off, contradicts itself or has no pixels. Every failure
// carries a public sentence. Costs microseconds; for JPEG it walks the segments up to the first
// scan, for GIF it visits every block and counts frames up to 10,000.
//
// `stored` and `orientation` together give the upright size. For AVIF and HEIC, `stored` is already
// turned and cropped as the container says, because the decoder delivers it so, and `orientation`
// is Upright. The orientation of EXIF counts for JPEG, PNG and WebP, the tag itself for TIFF.
Result<ImageInfo> sniff(ByteView source);

// The format by magic bytes only; SVG is a format here. For HEIF the brands decide, while sniff()
// looks at the codec. Fails with Unsupported, or Corrupt when the source is empty.
Result<Format> sniff_format(ByteView source);

}  // namespace tintype
