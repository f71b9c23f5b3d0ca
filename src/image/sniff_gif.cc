// SPDX-License-Identifier: Apache-2.0
// GIF (GIF89a specification): the logical screen, then all blocks, to count frames and to learn
// whether one is transparent. Visits every sub-block once (255 bytes each) and ends at
// kMaxCountedFrames, at the trailer, at the first byte that starts no block, and where the source
// is cut off.
//
// The size is the one that the decoder (libnsgif 0.2, inside libvips) delivers: the logical screen,
// except that screens of common monitor sizes, of no size and above 2048 pixels are not believed
// and shrink to the first frame; and the first frame may always enlarge the screen.
#include "image/byte_reader.h"
#include "image/sniffers.h"

namespace tintype {
namespace {

constexpr std::uint8_t kExtension = 0x21, kImage = 0x2C, kGraphicControl = 0xF9;

// Extensions, frames and their sub-blocks of up to 255 bytes: enough for 255 MB of pixels, and few
// enough that sub-blocks of one byte do not hold up an event loop.
constexpr int kMaxBlocks = 1'000'000;

struct Blocks {
  std::uint32_t frames = 0;
  int visited = 0;
  Size first_extent;  // right and lower edge of the first frame on the screen
  bool has_transparency = false;
  bool is_interlaced = false;  // the first frame
};

void skip_sub_blocks(ByteReader& reader, Blocks& blocks) {
  while (reader.ok() && ++blocks.visited < kMaxBlocks) {
    const std::uint8_t size = reader.u8();
    if (size == 0) return;
    reader.skip(size);
  }
}

void skip_color_table(ByteReader& reader, std::uint8_t flags) {
  if ((flags & 0x80) != 0) reader.skip(3u * (2u << (flags & 7)));
}

void read_extension(ByteReader& reader, Blocks& blocks) {
  if (reader.u8() == kGraphicControl) {
    const ByteView control = reader.peek(2);
    if (control.size() == 2 && control[0] >= 1 && (control[1] & 1) != 0) {
      blocks.has_transparency = true;
    }
  }
  skip_sub_blocks(reader, blocks);
}

// A frame counts as soon as its descriptor is whole: cut-off pixels still show something.
void read_image(ByteReader& reader, Blocks& blocks) {
  const int left = reader.u16(), top = reader.u16();
  const int width = reader.u16(), height = reader.u16();
  const std::uint8_t flags = reader.u8();
  skip_color_table(reader, flags);
  reader.skip(1);  // LZW code size
  if (!reader.ok()) return;
  if (blocks.frames++ == 0) {
    blocks.first_extent = {left + width, top + height};
    blocks.is_interlaced = (flags & 0x40) != 0;
  }
  skip_sub_blocks(reader, blocks);
}

Blocks read_blocks(ByteReader reader) {
  Blocks blocks;
  while (!reader.at_end() && blocks.frames < kMaxCountedFrames && blocks.visited < kMaxBlocks) {
    const std::uint8_t introducer = reader.u8();
    if (introducer == kExtension) {
      read_extension(reader, blocks);
    } else if (introducer == kImage) {
      read_image(reader, blocks);
    } else {
      break;
    }
  }
  // Pixels that are missing at the end stay transparent, and the decoder delivers alpha for them.
  if (!reader.ok()) blocks.has_transparency = true;
  return blocks;
}

// libnsgif's nsgif_data_scan: these screens are what the author's monitor had, not the picture.
bool is_believable(Size screen) {
  constexpr Size kMonitors[] = {{640, 480},  {640, 512},   {800, 600},
                                {1024, 768}, {1280, 1024}, {1600, 1200}};
  if (screen.empty() || screen.width_px > 2048 || screen.height_px > 2048) return false;
  return std::find(std::begin(kMonitors), std::end(kMonitors), screen) == std::end(kMonitors);
}

}  // namespace

Result<ImageInfo> sniff_gif(ByteView source) {
  ByteReader reader(source, Endian::Little);
  reader.skip(6);
  Size screen;
  screen.width_px = reader.u16();
  screen.height_px = reader.u16();
  const std::uint8_t flags = reader.u8();
  reader.skip(2);
  skip_color_table(reader, flags);
  if (!reader.ok()) return corrupt("GIF header is cut off");
  const Blocks blocks = read_blocks(reader);
  if (blocks.frames == 0) return corrupt("GIF has no frame");

  if (!is_believable(screen)) screen = {1, 1};
  ImageInfo info;
  info.format = Format::Gif;
  info.stored = {std::max(screen.width_px, blocks.first_extent.width_px),
                 std::max(screen.height_px, blocks.first_extent.height_px)};
  info.color_model = ColorModel::Palette;
  info.has_alpha = blocks.has_transparency;
  info.is_progressive = blocks.is_interlaced;
  info.frames = blocks.frames;
  return info;
}

}  // namespace tintype
