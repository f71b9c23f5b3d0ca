// SPDX-License-Identifier: Apache-2.0
#include "image/exif.h"

#include "image/tiff_directory.h"

namespace tintype {
namespace {

constexpr std::string_view kExifPrefix("Exif\0\0", 6);
constexpr std::uint16_t kOrientationTag = 0x0112;  // CIPA DC-008, section 4.6.4

}  // namespace

Orientation orientation_numbered(std::uint32_t number) {
  return number >= 1 && number <= 8 ? static_cast<Orientation>(number) : Orientation::Upright;
}

Orientation orientation_in_exif(ByteView exif) {
  if (starts_with(exif, kExifPrefix)) exif = exif.subspan(kExifPrefix.size());
  const auto endian = tiff_endian(exif);
  if (!endian) return Orientation::Upright;
  ByteReader header(exif, *endian);
  header.skip(4);
  const std::uint32_t first = header.u32();
  if (!header.ok()) return Orientation::Upright;
  return orientation_numbered(
      TiffDirectory(exif, *endian, first).value(kOrientationTag).value_or(1));
}

}  // namespace tintype
