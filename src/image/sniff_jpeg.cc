// SPDX-License-Identifier: Apache-2.0
// JPEG (ITU-T T.81, annex B): walks the marker segments from SOI to the first SOS and keeps the
// frame header, the Adobe and JFIF markers, the EXIF orientation and whether there is an ICC
// profile. Bounded by the source: each step moves forward. What libjpeg-turbo 2.1.5 cannot decode
// (lossless, hierarchical, 12 bits: tried) is refused here; arithmetic coding it can.
#include <array>

#include "image/byte_reader.h"
#include "image/exif.h"
#include "image/sniffers.h"

namespace tintype {
namespace {

// T.81, table B.1.
constexpr std::uint8_t kSoi = 0xD8, kEoi = 0xD9, kSos = 0xDA, kTem = 0x01, kRst0 = 0xD0;
constexpr std::uint8_t kApp0 = 0xE0, kApp1 = 0xE1, kApp2 = 0xE2, kApp14 = 0xEE, kJpegLs = 0xF7;
constexpr std::uint8_t kSof0 = 0xC0, kSof15 = 0xCF, kDht = 0xC4, kJpg = 0xC8, kDac = 0xCC;

// JPEG_MAX_DIMENSION of libjpeg's jmorecfg.h.
constexpr int kMaxJpegSidePx = 65'500;
// A segment holds 64 KiB, so profiles and metadata of 256 MiB fit.
constexpr int kMaxSegments = 4096;
// libjpeg passes over any amount; the damaged files of our corpora have less than 300 bytes.
constexpr int kMaxJunkBytes = 65'536;

struct Component {
  std::uint8_t id = 0, horizontal = 0, vertical = 0;
};

struct Frame {
  std::uint8_t marker = 0;
  std::uint8_t bits = 0;
  int width_px = 0, height_px = 0;
  std::uint8_t count = 0;
  std::array<Component, 4> components;
};

struct Segments {
  Frame frame;
  bool has_frame = false, has_jfif = false, has_adobe = false, has_icc = false, has_exif = false;
  std::uint8_t adobe_transform = 0;
  Orientation orientation = Orientation::Upright;
};

bool is_frame_marker(std::uint8_t marker) {
  return marker >= kSof0 && marker <= kSof15 && marker != kDht && marker != kJpg && marker != kDac;
}

// T.81, table B.1: SOF0-2 Huffman, SOF9-10 arithmetic; the others are lossless or hierarchical.
bool is_decodable(std::uint8_t marker) {
  return marker <= 0xC2 || marker == 0xC9 || marker == 0xCA;
}

// The next marker's code, as libjpeg finds it: bytes before an 0xFF are passed over. 0 when there
// is none, or only after too many such bytes.
std::uint8_t next_marker(ByteReader& reader) {
  for (int junk = 0; junk < kMaxJunkBytes && !reader.at_end(); ++junk) {
    if (reader.u8() != 0xFF) continue;
    std::uint8_t code = reader.u8();
    for (; code == 0xFF && junk < kMaxJunkBytes; ++junk) code = reader.u8();  // fill bytes
    if (code != 0 && code != 0xFF) return code;
  }
  return 0;
}

bool stands_alone(std::uint8_t marker) {
  return marker == kTem || (marker >= kRst0 && marker < kSoi);
}

Result<Frame> read_frame(std::uint8_t marker, ByteView segment) {
  if (!is_decodable(marker)) return unsupported("lossless and hierarchical JPEG are not supported");
  ByteReader reader(segment);
  Frame frame;
  frame.marker = marker;
  frame.bits = reader.u8();
  frame.height_px = reader.u16();
  frame.width_px = reader.u16();
  frame.count = reader.u8();
  if (!reader.ok()) return corrupt("JPEG frame header is cut off");
  if (frame.bits != 8) {
    return unsupported("JPEG with " + std::to_string(frame.bits) + " bits is not supported");
  }
  if (frame.width_px == 0) return corrupt("JPEG has no width");
  if (frame.height_px == 0) return corrupt("JPEG has no height in its header");
  if (frame.width_px > kMaxJpegSidePx || frame.height_px > kMaxJpegSidePx) {
    return unsupported("JPEG sides above 65500 pixels are not supported");
  }
  if (frame.count == 0) return corrupt("JPEG has no components");
  if (frame.count == 2 || frame.count > frame.components.size()) {
    return unsupported("JPEG with " + std::to_string(frame.count) + " components is not supported");
  }
  if (reader.remaining() != frame.count * 3u)
    return corrupt("JPEG frame header has a wrong length");
  for (std::uint8_t i = 0; i < frame.count; ++i) {
    Component& component = frame.components[i];
    component.id = reader.u8();
    const std::uint8_t sampling = reader.u8();
    component.horizontal = sampling >> 4;
    component.vertical = sampling & 15;
    reader.skip(1);
    if (component.horizontal < 1 || component.horizontal > 4 || component.vertical < 1 ||
        component.vertical > 4) {
      return corrupt("JPEG sampling factors are out of range");
    }
  }
  return frame;
}

void note_application_data(std::uint8_t marker, ByteView segment, Segments& found) {
  if (marker == kApp0 && starts_with(segment, std::string_view("JFIF\0", 5))) {
    found.has_jfif = true;
  } else if (marker == kApp1 && !found.has_exif &&
             starts_with(segment, std::string_view("Exif\0\0", 6))) {
    found.has_exif = true;
    found.orientation = orientation_in_exif(segment);
  } else if (marker == kApp2 && starts_with(segment, std::string_view("ICC_PROFILE\0", 12))) {
    found.has_icc = true;
  } else if (marker == kApp14 && segment.size() >= 12 && starts_with(segment, "Adobe")) {
    // Adobe technical note 5116: version, two flag words, then the transform in the twelfth byte.
    found.has_adobe = true;
    found.adobe_transform = segment[11];
  }
}

Result<Segments> walk_to_first_scan(ByteReader reader) {
  Segments found;
  for (int i = 0; i < kMaxSegments; ++i) {
    const std::uint8_t marker = next_marker(reader);
    if (reader.at_end()) return corrupt("JPEG header is cut off");
    if (marker == 0) return corrupt("JPEG has too much junk between its segments");
    if (stands_alone(marker)) continue;
    if (marker == kSoi) return corrupt("JPEG starts twice");
    if (marker == kEoi) return corrupt("JPEG ends before its picture");
    const std::uint16_t length = reader.u16();
    if (reader.ok() && length < 2) return corrupt("JPEG segment has a wrong length");
    const ByteView segment = reader.take(length - 2u);
    if (!reader.ok()) return corrupt("JPEG header is cut off");
    if (marker == kSos) return found;
    if (marker == kJpegLs) return unsupported("JPEG-LS is not supported");
    if (is_frame_marker(marker)) {
      if (found.has_frame) return corrupt("JPEG has two frame headers");
      TRY(found.frame, read_frame(marker, segment));
      found.has_frame = true;
    }
    note_application_data(marker, segment, found);
  }
  return corrupt("JPEG has too many segments before its picture");
}

// How libjpeg decides (default_decompress_parms in jdapimin.c), so that we name what it will
// deliver.
ColorModel color_model_of(const Segments& found) {
  const Frame& frame = found.frame;
  if (frame.count == 1) return ColorModel::Grey;
  if (frame.count == 4) return ColorModel::Cmyk;
  if (found.has_jfif) return ColorModel::YCbCr;
  if (found.has_adobe) return found.adobe_transform == 0 ? ColorModel::Rgb : ColorModel::YCbCr;
  const auto& c = frame.components;
  const bool named_rgb = c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B';
  return named_rgb ? ColorModel::Rgb : ColorModel::YCbCr;
}

// Full-resolution samples for each chroma sample, when both chroma planes agree and the ratio is a
// whole number; 1 otherwise, which is the dearest case.
std::uint8_t chroma_ratio(std::uint8_t luma, std::uint8_t blue, std::uint8_t red) {
  if (blue != red || luma % blue != 0) return 1;
  return static_cast<std::uint8_t>(luma / blue);
}

}  // namespace

Result<ImageInfo> sniff_jpeg(ByteView source) {
  ByteReader reader(source);
  reader.skip(2);
  TRY(const Segments found, walk_to_first_scan(reader));
  if (!found.has_frame) return corrupt("JPEG has no frame header");
  const Frame& frame = found.frame;
  ImageInfo info;
  info.format = Format::Jpeg;
  info.stored = {frame.width_px, frame.height_px};
  info.orientation = found.orientation;
  info.color_model = color_model_of(found);
  info.bits = frame.bits;
  info.is_progressive = frame.marker == 0xC2 || frame.marker == 0xCA;
  info.has_icc = found.has_icc;
  if (info.color_model == ColorModel::YCbCr) {
    const auto& c = frame.components;
    info.chroma_x = chroma_ratio(c[0].horizontal, c[1].horizontal, c[2].horizontal);
    info.chroma_y = chroma_ratio(c[0].vertical, c[1].vertical, c[2].vertical);
  }
  return info;
}

}  // namespace tintype
