// SPDX-License-Identifier: Apache-2.0
// The header reader of each format, behind sniff(). Each takes the whole source, whose magic bytes
// have been recognised, and returns its ImageInfo or Corrupt/Unsupported with a sentence the client
// may read. Pure, reentrant, allocation-free on success, and bounded: each file names its bounds.
// Private to image/: other folders call sniff().
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "image/image_info.h"

namespace tintype {

// Frames, pages and animation chunks are counted up to here: far above any limit that lets a source
// through (256 frames, 1024 pages), so a larger number would change no decision.
inline constexpr std::uint32_t kMaxCountedFrames = 10'000;

Result<ImageInfo> sniff_jpeg(ByteView source);
Result<ImageInfo> sniff_png(ByteView source);
Result<ImageInfo> sniff_webp(ByteView source);
Result<ImageInfo> sniff_gif(ByteView source);
Result<ImageInfo> sniff_tiff(ByteView source);
// The format that the `ftyp` brands of an ISO base media file announce; nothing for films and
// others.
std::optional<Format> format_of_brands(ByteView source);
// AVIF and HEIC; the codec of the primary item decides which of the two.
Result<ImageInfo> sniff_bmff(ByteView source);

[[nodiscard]] inline Failure corrupt(std::string detail) {
  return fail_public(ErrorCode::Corrupt, std::move(detail));
}
[[nodiscard]] inline Failure unsupported(std::string detail) {
  return fail_public(ErrorCode::Unsupported, std::move(detail));
}

}  // namespace tintype
