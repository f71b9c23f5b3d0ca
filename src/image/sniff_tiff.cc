// SPDX-License-Identifier: Apache-2.0
// TIFF (TIFF 6.0, both byte orders): the tags of the first directory, and the number of
// directories, counted up to kMaxCountedFrames. A chain of directories that bites its tail is
// Corrupt (Brent's cycle search: no memory). BigTIFF and Canon's raw files are named and refused.
#include "image/byte_reader.h"
#include "image/exif.h"
#include "image/sniffers.h"
#include "image/tiff_directory.h"

namespace tintype {
namespace {

// TIFF 6.0, sections 3 to 8 and 18; the ICC tag from ICC.1:2010, annex B.4.
enum TiffTag : std::uint16_t {
  ImageWidth = 256,
  ImageLength = 257,
  BitsPerSample = 258,
  Photometric = 262,
  OrientationTag = 274,
  SamplesPerPixel = 277,
  ExtraSamples = 338,
  IccProfile = 34675,
};

constexpr std::uint32_t kColorFilterArray = 32803;  // TIFF/EP: raw sensor data

struct Color {
  ColorModel model;
  std::uint32_t samples;  // that the model needs; more are extra samples
};

Color color_of(std::uint32_t photometric) {
  switch (photometric) {
    case 0:  // white is zero
    case 1:  // black is zero
    case 4:  // transparency mask
      return {ColorModel::Grey, 1};
    case 2:
      return {ColorModel::Rgb, 3};
    case 3:
      return {ColorModel::Palette, 1};
    case 5:
      return {ColorModel::Cmyk, 4};
    case 6:
      return {ColorModel::YCbCr, 3};
    default:
      return {ColorModel::Other, 3};  // CIELab, ICCLab, LogLuv …
  }
}

Result<ImageInfo> read_first(const TiffDirectory& directory) {
  if (!directory.complete()) return corrupt("TIFF directory is cut off or too long");
  const std::uint32_t width = directory.value(TiffTag::ImageWidth).value_or(0);
  const std::uint32_t height = directory.value(TiffTag::ImageLength).value_or(0);
  if (width == 0 || height == 0) return corrupt("TIFF has no pixels");
  // libtiff counts rows and columns in signed 32-bit numbers.
  if (width > 0x7FFF'FFFF || height > 0x7FFF'FFFF) return corrupt("TIFF size is out of range");
  const std::uint32_t photometric = directory.value(TiffTag::Photometric).value_or(1);
  if (photometric == kColorFilterArray) return unsupported("camera raw files are not supported");
  const Color color = color_of(photometric);
  // Defaults of TIFF 6.0, section 8: one sample of one bit.
  const std::uint32_t samples = directory.value(TiffTag::SamplesPerPixel).value_or(1);
  const std::uint32_t bits = directory.value(TiffTag::BitsPerSample).value_or(1);
  if (bits == 0 || bits > 64) return corrupt("TIFF bit depth is out of range");
  if (samples == 0) return corrupt("TIFF has no samples");
  ImageInfo info;
  info.format = Format::Tiff;
  info.stored = {static_cast<int>(width), static_cast<int>(height)};
  info.orientation = orientation_numbered(directory.value(TiffTag::OrientationTag).value_or(1));
  info.color_model = color.model;
  info.bits = color.model == ColorModel::Palette ? 8 : static_cast<std::uint8_t>(bits);
  // Decoders take a sample too many for alpha whether ExtraSamples says so or not.
  info.has_alpha = directory.count(TiffTag::ExtraSamples) > 0 || samples > color.samples;
  info.has_icc = directory.count(TiffTag::IccProfile) > 0;
  return info;
}

Result<std::uint32_t> count_directories(ByteView source, Endian endian, std::uint32_t first) {
  std::uint32_t count = 1, remembered = first, steps = 0, next_lap = 1;
  std::uint32_t at = TiffDirectory(source, endian, first).next();
  while (at != 0 && count < kMaxCountedFrames) {
    if (at == remembered) return corrupt("TIFF directories form a loop");
    const TiffDirectory directory(source, endian, at);
    if (!directory.complete()) break;
    ++count;
    if (++steps == next_lap) {
      remembered = at;
      steps = 0;
      next_lap *= 2;
    }
    at = directory.next();
  }
  return count;
}

}  // namespace

Result<ImageInfo> sniff_tiff(ByteView source) {
  const auto endian = tiff_endian(source);
  if (!endian) return unsupported("BigTIFF is not supported");
  ByteReader reader(source, *endian);
  reader.skip(4);
  const std::uint32_t first = reader.u32();
  if (!reader.ok()) return corrupt("TIFF header is cut off");
  if (text_of(reader.peek(2)) == "CR") return unsupported("camera raw files are not supported");
  TRY(ImageInfo info, read_first(TiffDirectory(source, *endian, first)));
  TRY(info.frames, count_directories(source, *endian, first));
  return info;
}

}  // namespace tintype
