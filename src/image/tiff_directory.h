// SPDX-License-Identifier: Apache-2.0
// TiffDirectory: reads the tags of one image file directory (TIFF 6.0, section 2), which is how
// both TIFF files and EXIF blocks are laid out. Borrows the bytes; reads on demand, keeps nothing,
// and visits at most kMaxTags entries a look-up, so hostile counts cost little. Offsets are from
// the start of the TIFF header, which is the start of the view.
#pragma once

#include <cstdint>
#include <optional>

#include "image/byte_reader.h"

namespace tintype {

// TIFF 6.0 names about 70 tags and EXIF about as many; cameras write fewer than 200 in one
// directory.
inline constexpr std::uint16_t kMaxTags = 1024;

// "II*\0" or "MM\0*": the byte order. Nothing for anything else (BigTIFF too).
std::optional<Endian> tiff_endian(ByteView tiff);

class TiffDirectory {
 public:
  TiffDirectory(ByteView tiff, Endian endian, std::uint32_t offset_bytes);

  // Whether the directory's count and all its entries lie inside the view.
  bool complete() const { return complete_; }
  // Offset of the next directory; 0 after the last, and 0 when it is cut off.
  std::uint32_t next() const { return next_; }
  // How many values the tag holds; 0 when it is absent.
  std::uint32_t count(std::uint16_t tag) const;
  // The value at `index` as a whole number (BYTE, SHORT or LONG); nothing when the tag is absent,
  // shorter, of another type, or lies outside the view.
  std::optional<std::uint32_t> value(std::uint16_t tag, std::uint32_t index = 0) const;

 private:
  struct Entry {
    std::uint16_t type;
    std::uint32_t count;
    std::size_t field_bytes;  // where the four bytes of value or offset stand
  };
  std::optional<Entry> find(std::uint16_t tag) const;

  ByteView tiff_;
  Endian endian_;
  std::size_t entries_bytes_ = 0;
  std::uint16_t entries_ = 0;
  bool complete_ = false;
  std::uint32_t next_ = 0;
};

}  // namespace tintype
