// SPDX-License-Identifier: Apache-2.0
// Boxes of the ISO base media file format (ISO/IEC 14496-12) and the item catalogue of HEIF
// (ISO/IEC 23008-12) that AVIF and HEIC are built on: which item is the picture, which properties
// it has, what it is derived from, which items are its auxiliaries. Borrows the source, allocates
// nothing, looks everything up by walking; each walk visits at most kMaxBoxes boxes. Reentrant.
// Private to image/: read by sniff_bmff.cc.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "image/byte_reader.h"

namespace tintype {

// A picture of 65535 x 65535 in tiles of 512 pixels has 16,384 items; four times that is enough.
inline constexpr int kMaxBoxes = 65'536;
// libheif and libavif write about ten properties a file and four to six an item.
inline constexpr int kMaxProperties = 2048;
inline constexpr std::size_t kMaxPropertiesPerItem = 32;
inline constexpr std::size_t kMaxAuxiliaries = 16;

struct Box {
  std::string_view type;  // four characters; empty: no box
  ByteView body;          // after the box header; shorter than claimed when the source is cut off
  bool is_whole = true;
};

// Walks the boxes that lie one after the other in a view.
class Boxes {
 public:
  explicit Boxes(ByteView bytes) : reader_(bytes) {}
  // The next box; nothing at the end, after a damaged box header, or after kMaxBoxes.
  std::optional<Box> next();

 private:
  ByteReader reader_;
  int visited_ = 0;
};

// The first child of that type; an empty box when there is none.
Box find_box(ByteView bytes, std::string_view type);

// Version and flags, with which a FullBox body starts.
struct FullBox {
  std::uint8_t version = 0;
  std::uint32_t flags = 0;
};
FullBox read_full_box(ByteReader& reader);

// The properties of one item, in the order in which they apply.
struct Properties {
  std::array<Box, kMaxPropertiesPerItem> boxes;
  std::size_t count = 0;

  // The first property of that type; an empty box when there is none.
  Box find(std::string_view type) const;
};

struct ItemIds {
  std::array<std::uint32_t, kMaxAuxiliaries> ids{};
  std::size_t count = 0;
};

// The catalogue inside a `meta` box.
class HeifItems {
 public:
  // `meta` is the body of the box. Fails with Corrupt when there is no primary item.
  static Result<HeifItems> open(ByteView meta);

  std::uint32_t primary() const { return primary_; }
  // "av01", "hvc1", "grid" …; empty for an item that is not listed.
  std::string_view type_of(std::uint32_t id) const;
  // Fails with Corrupt when an association points nowhere or there are too many.
  Result<Properties> properties_of(std::uint32_t id) const;
  // The first item that a derived item (a grid, an overlay) is made of.
  std::optional<std::uint32_t> first_part_of(std::uint32_t id) const;
  // The items that call themselves auxiliaries of `id`; at most kMaxAuxiliaries.
  ItemIds auxiliaries_of(std::uint32_t id) const;

 private:
  // Places in the list of properties, counted from 1.
  struct Indices {
    std::array<int, kMaxPropertiesPerItem> indices{};
    std::size_t count = 0;
  };
  static Result<std::optional<Indices>> find_indices(ByteView ipma, std::uint32_t id);
  Result<Properties> resolve(const Indices& wanted) const;

  std::uint32_t primary_ = 0;
  ByteView item_infos_, references_, properties_;
};

}  // namespace tintype
