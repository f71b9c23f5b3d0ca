// SPDX-License-Identifier: Apache-2.0
// WebP (RFC 9649): the RIFF chunks, the key frame header of VP8 (RFC 6386, section 9.1), the header
// of VP8L and the extended header VP8X with its flags. Walks all chunks, because EXIF stands behind
// the pixels and frames are counted; at most kMaxChunks of them. Flags count as libwebp counts
// them: a profile or EXIF chunk that VP8X does not announce is ignored, as browsers do.
#include <optional>

#include "image/byte_reader.h"
#include "image/exif.h"
#include "image/sniffers.h"

namespace tintype {
namespace {

// Ten thousand frames and a handful of metadata chunks.
constexpr int kMaxChunks = kMaxCountedFrames + 64;

// RFC 9649, section 2.7.1: the flag bits of VP8X.
constexpr std::uint8_t kIccFlag = 0x20, kAlphaFlag = 0x10, kExifFlag = 0x08, kAnimationFlag = 0x02;

struct Chunk {
  std::string_view type;
  ByteView body;  // shorter than claimed when the source is cut off
  bool is_whole = true;
};

struct Bitstream {
  Size size;
  bool has_alpha = false;
  bool is_lossless = false;
};

struct Extended {
  Size canvas;
  std::uint8_t flags = 0;
};

Chunk next_chunk(ByteReader& reader) {
  Chunk chunk;
  chunk.type = reader.text(4);
  const std::uint32_t size = reader.u32();
  if (!reader.ok()) return chunk;
  chunk.is_whole = size <= reader.remaining();
  chunk.body = reader.take(std::min<std::size_t>(size, reader.remaining()));
  if (size % 2 == 1 && reader.remaining() > 0) reader.skip(1);
  return chunk;
}

Result<Bitstream> read_vp8(ByteView body) {
  ByteReader reader(body, Endian::Little);
  const std::uint32_t tag = reader.u24();
  const std::string_view start_code = reader.text(3);
  const std::uint16_t width = reader.u16(), height = reader.u16();
  if (!reader.ok()) return corrupt("WebP header is cut off");
  if ((tag & 1) != 0 || start_code != "\x9D\x01\x2A") {
    return corrupt("WebP does not start with a key frame");
  }
  // The two high bits of each are an upscaling hint that no decoder follows.
  Bitstream stream;
  stream.size = {width & 0x3FFF, height & 0x3FFF};
  if (stream.size.empty()) return corrupt("WebP has no pixels");
  return stream;
}

Result<Bitstream> read_vp8l(ByteView body) {
  ByteReader reader(body, Endian::Little);
  const std::uint8_t signature = reader.u8();
  const std::uint32_t packed = reader.u32();
  if (!reader.ok()) return corrupt("WebP header is cut off");
  // RFC 9649, section 3.4: signature, 14 bits of each side less one, alpha, three bits of version.
  if (signature != 0x2F || packed >> 29 != 0) return corrupt("WebP lossless header is damaged");
  Bitstream stream;
  stream.size = {static_cast<int>(packed & 0x3FFF) + 1,
                 static_cast<int>(packed >> 14 & 0x3FFF) + 1};
  stream.has_alpha = (packed >> 28 & 1) != 0;
  stream.is_lossless = true;
  return stream;
}

Result<Extended> read_vp8x(ByteView body) {
  ByteReader reader(body, Endian::Little);
  Extended extended;
  extended.flags = reader.u8();
  reader.skip(3);
  const std::uint32_t width = reader.u24() + 1, height = reader.u24() + 1;
  if (!reader.ok()) return corrupt("WebP header is cut off");
  // RFC 9649, section 2.7.1: the product of the sides fits into 32 bits.
  if (std::uint64_t{width} * height > 0xFFFF'FFFF) return corrupt("WebP canvas is out of range");
  extended.canvas = {static_cast<int>(width), static_cast<int>(height)};
  return extended;
}

bool is_bitstream(std::string_view type) {
  return type == "VP8 " || type == "VP8L";
}

Result<Bitstream> read_bitstream(const Chunk& chunk) {
  return chunk.type == "VP8L" ? read_vp8l(chunk.body) : read_vp8(chunk.body);
}

// The picture inside an ANMF chunk: 16 bytes of frame header, then its own chunks.
Result<Bitstream> read_animation_frame(ByteView body) {
  ByteReader reader(body, Endian::Little);
  reader.skip(16);
  Chunk chunk = next_chunk(reader);
  if (reader.ok() && chunk.type == "ALPH") chunk = next_chunk(reader);
  if (!reader.ok()) return corrupt("WebP frame is cut off");
  if (!is_bitstream(chunk.type)) return corrupt("WebP frame has no picture");
  return read_bitstream(chunk);
}

struct Walk {
  std::optional<Bitstream> picture;
  std::uint32_t frames = 0;
  bool has_alpha_chunk = false, has_icc = false;
  Orientation orientation = Orientation::Upright;
};

Result<Walk> walk_chunks(ByteReader reader, bool is_animated) {
  Walk walk;
  for (int i = 0; i < kMaxChunks && !reader.at_end(); ++i) {
    const Chunk chunk = next_chunk(reader);
    if (!reader.ok()) break;
    if (is_bitstream(chunk.type) && !is_animated && !walk.picture) {
      TRY(walk.picture, read_bitstream(chunk));
    } else if (chunk.type == "ANMF" && is_animated && walk.frames < kMaxCountedFrames) {
      if (walk.frames == 0) {
        TRY(walk.picture, read_animation_frame(chunk.body));
      }
      if (chunk.is_whole || walk.frames == 0) ++walk.frames;
    } else if (chunk.type == "ALPH") {
      walk.has_alpha_chunk = true;
    } else if (chunk.type == "ICCP") {
      walk.has_icc = true;
    } else if (chunk.type == "EXIF") {
      walk.orientation = orientation_in_exif(chunk.body);
    }
  }
  if (!walk.picture) return corrupt("WebP has no picture");
  return walk;
}

Result<ImageInfo> sniff_extended(const Chunk& first, ByteReader rest) {
  TRY(const Extended extended, read_vp8x(first.body));
  const bool is_animated = (extended.flags & kAnimationFlag) != 0;
  TRY(const Walk walk, walk_chunks(rest, is_animated));
  if (!is_animated && walk.picture->size != extended.canvas) {
    return corrupt("WebP canvas and picture differ in size");
  }
  ImageInfo info;
  info.format = Format::Webp;
  info.stored = extended.canvas;
  info.color_model = walk.picture->is_lossless ? ColorModel::Rgb : ColorModel::YCbCr;
  info.is_lossless = walk.picture->is_lossless;
  info.has_alpha = (extended.flags & kAlphaFlag) != 0 || walk.has_alpha_chunk ||
                   (!is_animated && walk.picture->has_alpha);
  info.has_icc = (extended.flags & kIccFlag) != 0 && walk.has_icc;
  if ((extended.flags & kExifFlag) != 0) info.orientation = walk.orientation;
  info.frames = std::max(1u, walk.frames);
  return info;
}

Result<ImageInfo> sniff_simple(const Chunk& first) {
  TRY(const Bitstream stream, read_bitstream(first));
  ImageInfo info;
  info.format = Format::Webp;
  info.stored = stream.size;
  info.color_model = stream.is_lossless ? ColorModel::Rgb : ColorModel::YCbCr;
  info.is_lossless = stream.is_lossless;
  info.has_alpha = stream.has_alpha;
  return info;
}

Result<ImageInfo> sniff_after(const Chunk& first, ByteReader rest) {
  if (first.type == "VP8X") return sniff_extended(first, rest);
  if (is_bitstream(first.type)) return sniff_simple(first);
  return corrupt("WebP does not start with its header");
}

}  // namespace

Result<ImageInfo> sniff_webp(ByteView source) {
  ByteReader riff(source, Endian::Little);
  riff.skip(4);
  const std::uint64_t end = std::uint64_t{riff.u32()} + 8;
  ByteReader reader(
      source.first(static_cast<std::size_t>(std::min<std::uint64_t>(end, source.size()))),
      Endian::Little);
  reader.skip(12);
  const Chunk first = next_chunk(reader);
  if (!reader.ok()) return corrupt("WebP header is cut off");
  TRY(ImageInfo info, sniff_after(first, reader));
  // A VP8 picture always is 4:2:0 (RFC 6386, section 2).
  if (!info.is_lossless) info.chroma_x = info.chroma_y = 2;
  return info;
}

}  // namespace tintype
