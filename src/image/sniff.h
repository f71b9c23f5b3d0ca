// SPDX-License-Identifier: Apache-2.0
// sniff: decides by its bytes what a source is and reads its header. Our own code, bounds-checked and
// fuzzed (sniff_fuzz.cc), because it is the only reader of untrusted bytes outside the sandboxed
// workers. Never decodes pixels, never allocates in proportion to what a header claims, and visits a
// bounded number of boxes, chunks and segments. Neither name nor Content-Type is consulted.
// Walk: between store (source bytes arrive) and plan.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "image/image_info.h"

namespace tintype {

// The whole source. Fails with Unsupported when the bytes are no format we know (SVG is recognised
// and named, and refused as Unsupported too), and with Corrupt when the format is known but its
// header is cut off, contradicts itself or has no pixels. Costs microseconds; for JPEG it walks
// the segments up to the first scan, for GIF it counts frames up to 10,000.
Result<ImageInfo> sniff(ByteView source);

// The format by magic bytes only.
Result<Format> sniff_format(ByteView source);

}  // namespace tintype
