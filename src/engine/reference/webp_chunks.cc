// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "base/check.h"
#include "engine/reference/steps.h"

namespace tintype {
namespace {

constexpr std::size_t kRiffHeaderBytes = 12, kChunkHeaderBytes = 8;
// VP8X flags of RFC 9649 section 2.7.1.
constexpr std::uint8_t kIccFlag = 0x20, kExifFlag = 0x08, kXmpFlag = 0x04;

std::size_t read_size(ByteView bytes) {
  return bytes[0] | std::size_t{bytes[1]} << 8 | std::size_t{bytes[2]} << 16 |
         std::size_t{bytes[3]} << 24;
}

void write_size(Bytes& bytes, std::size_t at, std::size_t size) {
  for (int i = 0; i < 4; ++i) bytes[at + i] = static_cast<std::uint8_t>(size >> (8 * i));
}

// Appends what of a chunk is kept.
void keep_chunk(Bytes& out, ByteView chunk) {
  const std::string_view name = text_of(chunk.first(4));
  if (name == "EXIF" || name == "XMP " || name == "ICCP") return;
  const std::size_t at = out.size();
  out.insert(out.end(), chunk.begin(), chunk.end());
  if (name != "VP8X") return;
  std::uint8_t& flags = out[at + kChunkHeaderBytes];
  flags &= static_cast<std::uint8_t>(~(kIccFlag | kExifFlag | kXmpFlag));
  // Without a feature the simple format is enough, and 18 bytes shorter.
  if (flags == 0) out.resize(at);
}

}  // namespace

Bytes drop_webp_metadata(ByteView webp) {
  CHECK(webp.size() >= kRiffHeaderBytes && text_of(webp.subspan(8, 4)) == "WEBP");
  Bytes out(webp.begin(), webp.begin() + kRiffHeaderBytes);
  out.reserve(webp.size());
  std::size_t at = kRiffHeaderBytes;
  while (at + kChunkHeaderBytes <= webp.size()) {
    const std::size_t payload = read_size(webp.subspan(at + 4, 4));
    const std::size_t padded = kChunkHeaderBytes + payload + payload % 2;
    CHECK(padded <= webp.size() - at);
    keep_chunk(out, webp.subspan(at, padded));
    at += padded;
  }
  write_size(out, 4, out.size() - kChunkHeaderBytes);
  return out;
}

}  // namespace tintype
