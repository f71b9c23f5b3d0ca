// SPDX-License-Identifier: Apache-2.0
#include "image/tiff_directory.h"

namespace tintype {
namespace {

constexpr std::size_t kEntryBytes = 12;  // TIFF 6.0, section 2: tag, type, count, value or offset

// TIFF 6.0, section 2: field types 1 BYTE, 3 SHORT, 4 LONG; the others are no whole numbers to us.
std::uint32_t bytes_per_value(std::uint16_t type) {
  switch (type) {
    case 1:
      return 1;
    case 3:
      return 2;
    case 4:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

std::optional<Endian> tiff_endian(ByteView tiff) {
  if (starts_with(tiff, std::string_view("II*\0", 4))) return Endian::Little;
  if (starts_with(tiff, std::string_view("MM\0*", 4))) return Endian::Big;
  return std::nullopt;
}

TiffDirectory::TiffDirectory(ByteView tiff, Endian endian, std::uint32_t offset_bytes)
    : tiff_(tiff), endian_(endian) {
  ByteReader reader(tiff, endian);
  reader.seek(offset_bytes);
  const std::uint16_t claimed = reader.u16();
  if (!reader.ok()) return;
  entries_bytes_ = reader.position();
  const std::size_t present = reader.remaining() / kEntryBytes;
  complete_ = claimed <= present && claimed <= kMaxTags;
  entries_ =
      static_cast<std::uint16_t>(std::min<std::size_t>({claimed, present, std::size_t{kMaxTags}}));
  reader.skip(std::size_t{claimed} * kEntryBytes);
  next_ = reader.u32();
}

std::optional<TiffDirectory::Entry> TiffDirectory::find(std::uint16_t tag) const {
  ByteReader reader(tiff_, endian_);
  for (std::uint16_t i = 0; i < entries_; ++i) {
    reader.seek(entries_bytes_ + i * kEntryBytes);
    if (reader.u16() != tag) continue;
    Entry entry{};
    entry.type = reader.u16();
    entry.count = reader.u32();
    entry.field_bytes = reader.position();
    return entry;
  }
  return std::nullopt;
}

std::uint32_t TiffDirectory::count(std::uint16_t tag) const {
  const auto entry = find(tag);
  return entry ? entry->count : 0;
}

std::optional<std::uint32_t> TiffDirectory::value(std::uint16_t tag, std::uint32_t index) const {
  const auto entry = find(tag);
  if (!entry || index >= entry->count) return std::nullopt;
  const std::uint64_t width = bytes_per_value(entry->type);
  if (width == 0) return std::nullopt;
  ByteReader reader(tiff_, endian_);
  reader.seek(entry->field_bytes);
  // Values that fit into four bytes stand in the entry itself; others where its offset points.
  if (width * entry->count > 4) reader.seek(reader.u32());
  reader.skip(width * index);
  const std::uint32_t value = width == 1 ? reader.u8() : width == 2 ? reader.u16() : reader.u32();
  if (!reader.ok()) return std::nullopt;
  return value;
}

}  // namespace tintype
