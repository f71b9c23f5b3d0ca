// SPDX-License-Identifier: Apache-2.0
// PNG (third edition): IHDR strictly, then the chunks before the first IDAT for palette,
// transparency, profile and animation, and the ones after it for eXIf and frame controls, which may
// stand there. A source cut off after its first IDAT has a whole header. Visits at most kMaxChunks
// chunks; checksums are the decoder's business.
#include "image/byte_reader.h"
#include "image/exif.h"
#include "image/sniffers.h"

namespace tintype {
namespace {

// Writers cut pixel data into chunks of 8 KiB or more, so half a gigabyte of picture fits.
constexpr int kMaxChunks = 65'536;
constexpr std::uint32_t kMaxPngNumber = 0x7FFF'FFFF;  // section 7.1: 2^31 - 1

enum PngColor : std::uint8_t { Grey = 0, Truecolor = 2, Indexed = 3, GreyAlpha = 4, Rgba = 6 };

struct Chunk {
  std::string_view type;
  ByteView body;
};

// Fails the reader when the chunk is cut off; its checksum may be missing.
Chunk next_chunk(ByteReader& reader) {
  const std::uint32_t length = reader.u32();
  Chunk chunk;
  chunk.type = reader.text(4);
  chunk.body = reader.take(length);
  if (reader.ok()) reader.skip(std::min<std::size_t>(4, reader.remaining()));
  return chunk;
}

// Section 11.2.1, table 11.1: the allowed bit depths of each colour type.
bool may_combine(std::uint8_t color, std::uint8_t bits) {
  const bool small = bits == 1 || bits == 2 || bits == 4;
  switch (color) {
    case PngColor::Grey:
      return small || bits == 8 || bits == 16;
    case PngColor::Indexed:
      return small || bits == 8;
    case PngColor::Truecolor:
    case PngColor::GreyAlpha:
    case PngColor::Rgba:
      return bits == 8 || bits == 16;
    default:
      return false;
  }
}

ColorModel color_model_of(std::uint8_t color) {
  switch (color) {
    case PngColor::Grey:
    case PngColor::GreyAlpha:
      return ColorModel::Grey;
    case PngColor::Indexed:
      return ColorModel::Palette;
    default:
      return ColorModel::Rgb;
  }
}

Result<ImageInfo> read_ihdr(const Chunk& chunk) {
  if (chunk.type != "IHDR" || chunk.body.size() != 13) {
    return corrupt("PNG does not start with its header");
  }
  ByteReader reader(chunk.body);
  const std::uint32_t width = reader.u32(), height = reader.u32();
  const std::uint8_t bits = reader.u8(), color = reader.u8();
  const std::uint8_t compression = reader.u8(), filter = reader.u8(), interlace = reader.u8();
  if (width == 0 || height == 0) return corrupt("PNG has no pixels");
  if (width > kMaxPngNumber || height > kMaxPngNumber) return corrupt("PNG size is out of range");
  if (!may_combine(color, bits)) return corrupt("PNG bit depth and colour type do not match");
  if (compression != 0 || filter != 0 || interlace > 1) {
    return corrupt("PNG uses an undefined compression, filter or interlace method");
  }
  ImageInfo info;
  info.format = Format::Png;
  info.stored = {static_cast<int>(width), static_cast<int>(height)};
  info.color_model = color_model_of(color);
  // The depth of an index is not the depth of its colours, which are always of 8 bits.
  info.bits = color == PngColor::Indexed ? 8 : bits;
  info.has_alpha = color == PngColor::GreyAlpha || color == PngColor::Rgba;
  info.is_progressive = interlace == 1;
  return info;
}

// What the walk over the chunks has met.
struct Walk {
  bool has_palette = false, has_exif = false;
  std::uint32_t claimed_frames = 0, frame_controls = 0;
};

void note_anywhere(const Chunk& chunk, Walk& walk, ImageInfo& info) {
  if (chunk.type == "eXIf" && !walk.has_exif) {
    walk.has_exif = true;
    info.orientation = orientation_in_exif(chunk.body);
  } else if (chunk.type == "fcTL" && walk.frame_controls < kMaxCountedFrames) {
    ++walk.frame_controls;
  }
}

void note_before_pixels(const Chunk& chunk, Walk& walk, ImageInfo& info) {
  if (chunk.type == "PLTE") {
    walk.has_palette = !chunk.body.empty();
  } else if (chunk.type == "tRNS" && !chunk.body.empty()) {
    info.has_alpha = true;
  } else if (chunk.type == "iCCP") {
    info.has_icc = true;
  } else if (chunk.type == "acTL" && walk.claimed_frames == 0) {
    walk.claimed_frames = ByteReader(chunk.body).u32();
  }
}

}  // namespace

Result<ImageInfo> sniff_png(ByteView source) {
  ByteReader reader(source);
  if (reader.text(8) != std::string_view("\x89PNG\r\n\x1A\n", 8)) {
    return corrupt("PNG signature is damaged");
  }
  const Chunk first = next_chunk(reader);
  if (!reader.ok()) return corrupt("PNG header is cut off");
  TRY(ImageInfo info, read_ihdr(first));

  Walk walk;
  int chunks = 0;
  for (bool has_pixels = false; !has_pixels; ++chunks) {
    const Chunk chunk = next_chunk(reader);
    has_pixels = chunk.type == "IDAT";
    // The header is whole as soon as pixels begin, even when they are cut off.
    if (!reader.ok() && !has_pixels) return corrupt("PNG header is cut off");
    if (chunk.type == "IHDR") return corrupt("PNG has two headers");
    if (chunk.type == "IEND") return corrupt("PNG ends before its pixels");
    if (chunks == kMaxChunks) return corrupt("PNG has too many chunks before its pixels");
    note_before_pixels(chunk, walk, info);
    note_anywhere(chunk, walk, info);
  }
  if (info.color_model == ColorModel::Palette && !walk.has_palette) {
    return corrupt("PNG has no palette");
  }
  for (; chunks < kMaxChunks && !reader.at_end(); ++chunks) {
    const Chunk chunk = next_chunk(reader);
    if (!reader.ok() || chunk.type == "IEND") break;
    note_anywhere(chunk, walk, info);
  }
  // The claim is bounded by the frames that are there, so no header can invent millions.
  info.frames = std::max(1u, std::min(walk.claimed_frames, walk.frame_controls));
  return info;
}

}  // namespace tintype
