// SPDX-License-Identifier: Apache-2.0
#include "image/bmff.h"

#include "image/sniffers.h"

namespace tintype {
namespace {

// ISO/IEC 14496-12, 8.11.6: one `infe` box. Versions 0 and 1 know no item types.
struct ItemInfo {
  std::uint32_t id = 0;
  std::string_view type;
};

ItemInfo read_item_info(ByteView body) {
  ByteReader reader(body);
  const FullBox head = read_full_box(reader);
  ItemInfo info;
  if (head.version < 2) return info;
  info.id = head.version == 2 ? reader.u16() : reader.u32();
  reader.skip(2);  // protection
  info.type = reader.text(4);
  return info;
}

// ISO/IEC 14496-12, 8.11.12: the `iref` box holds one box for each item that refers to others.
class References {
 public:
  explicit References(ByteView iref) : reader_(iref), boxes_({}) {
    has_long_ids_ = read_full_box(reader_).version > 0;
    boxes_ = Boxes(reader_.peek(reader_.remaining()));
  }

  struct Reference {
    std::string_view type;
    std::uint32_t from = 0;
    std::uint16_t count = 0;
    ByteReader targets;
  };

  std::optional<Reference> next() {
    const auto box = boxes_.next();
    if (!box) return std::nullopt;
    Reference reference{box->type, 0, 0, ByteReader(box->body)};
    reference.from = read_id(reference.targets);
    reference.count = reference.targets.u16();
    return reference;
  }

  std::uint32_t read_id(ByteReader& reader) const {
    return has_long_ids_ ? reader.u32() : reader.u16();
  }

 private:
  ByteReader reader_;
  Boxes boxes_;
  bool has_long_ids_ = false;
};

}  // namespace

std::optional<Box> Boxes::next() {
  if (reader_.at_end() || ++visited_ > kMaxBoxes) return std::nullopt;
  std::uint64_t size = reader_.u32();
  std::uint64_t header = 8;
  Box box;
  box.type = reader_.text(4);
  if (size == 1) {
    size = reader_.u64();
    header = 16;
  } else if (size == 0) {
    size = header + reader_.remaining();  // to the end of what encloses it
  }
  if (!reader_.ok() || size < header) return std::nullopt;
  box.is_whole = size - header <= reader_.remaining();
  box.body = reader_.take(std::min<std::uint64_t>(size - header, reader_.remaining()));
  return box;
}

Box find_box(ByteView bytes, std::string_view type) {
  Boxes boxes(bytes);
  while (const auto box = boxes.next()) {
    if (box->type == type) return *box;
  }
  return {};
}

FullBox read_full_box(ByteReader& reader) {
  FullBox head;
  head.version = reader.u8();
  head.flags = reader.u24();
  return head;
}

Box Properties::find(std::string_view type) const {
  for (std::size_t i = 0; i < count; ++i) {
    if (boxes[i].type == type) return boxes[i];
  }
  return {};
}

Result<HeifItems> HeifItems::open(ByteView meta) {
  if (meta.size() < 4) return corrupt("HEIF catalogue is cut off");
  HeifItems items;
  bool has_primary = false;
  Boxes boxes(meta.subspan(4));
  while (const auto box = boxes.next()) {
    if (!box->is_whole) return corrupt("HEIF catalogue is cut off");
    if (box->type == "pitm") {
      ByteReader reader(box->body);
      const FullBox head = read_full_box(reader);
      items.primary_ = head.version == 0 ? reader.u16() : reader.u32();
      has_primary = reader.ok();
    } else if (box->type == "iinf") {
      items.item_infos_ = box->body;
    } else if (box->type == "iref") {
      items.references_ = box->body;
    } else if (box->type == "iprp") {
      items.properties_ = box->body;
    }
  }
  if (!has_primary) return corrupt("HEIF names no primary picture");
  return items;
}

std::string_view HeifItems::type_of(std::uint32_t id) const {
  ByteReader reader(item_infos_);
  const FullBox head = read_full_box(reader);
  reader.skip(head.version == 0 ? 2 : 4);  // the count; the boxes themselves say where they end
  Boxes boxes(reader.peek(reader.remaining()));
  while (const auto box = boxes.next()) {
    if (box->type != "infe") continue;
    const ItemInfo info = read_item_info(box->body);
    if (info.id == id && !info.type.empty()) return info.type;
  }
  return {};
}

Result<Properties> HeifItems::resolve(const Indices& wanted) const {
  Properties found;
  found.count = wanted.count;
  // One walk for all of an item's properties, so that hostile indices cannot multiply its cost.
  Boxes boxes(find_box(properties_, "ipco").body);
  for (int index = 1; index <= kMaxProperties; ++index) {
    const auto box = boxes.next();
    if (!box) break;
    for (std::size_t i = 0; i < wanted.count; ++i) {
      if (wanted.indices[i] == index) found.boxes[i] = *box;
    }
  }
  for (std::size_t i = 0; i < found.count; ++i) {
    if (found.boxes[i].type.empty()) return corrupt("HEIF item has a property that is not there");
  }
  return found;
}

// ISO/IEC 23008-12, 9.3: one `ipma` box. Nothing when it does not speak of the item.
Result<std::optional<HeifItems::Indices>> HeifItems::find_indices(ByteView ipma, std::uint32_t id) {
  ByteReader reader(ipma);
  const FullBox head = read_full_box(reader);
  const bool has_long_indices = (head.flags & 1) != 0;
  const std::uint32_t items = reader.u32();
  if (items > kMaxBoxes) return corrupt("HEIF catalogue speaks of too many items");
  for (std::uint32_t left = items; left > 0 && !reader.at_end(); --left) {
    const std::uint32_t item = head.version == 0 ? reader.u16() : reader.u32();
    const std::uint8_t count = reader.u8();
    if (item != id) {
      reader.skip(std::size_t{count} * (has_long_indices ? 2 : 1));
      continue;
    }
    if (count > kMaxPropertiesPerItem) return corrupt("HEIF item has too many properties");
    Indices found;
    for (std::uint8_t i = 0; i < count; ++i) {
      // The highest bit says that the property is essential.
      const int index = has_long_indices ? reader.u16() & 0x7FFF : reader.u8() & 0x7F;
      if (index != 0) found.indices[found.count++] = index;
    }
    if (!reader.ok()) return corrupt("HEIF catalogue is cut off");
    return found;
  }
  return std::nullopt;
}

Result<Properties> HeifItems::properties_of(std::uint32_t id) const {
  Boxes boxes(properties_);
  while (const auto box = boxes.next()) {
    if (box->type != "ipma") continue;
    TRY(const auto indices, find_indices(box->body, id));
    if (indices) return resolve(*indices);
  }
  return Properties{};
}

std::optional<std::uint32_t> HeifItems::first_part_of(std::uint32_t id) const {
  References references(references_);
  while (auto reference = references.next()) {
    if (reference->type != "dimg" || reference->from != id || reference->count == 0) continue;
    const std::uint32_t part = references.read_id(reference->targets);
    if (reference->targets.ok()) return part;
  }
  return std::nullopt;
}

ItemIds HeifItems::auxiliaries_of(std::uint32_t id) const {
  ItemIds found;
  References references(references_);
  auto reference = references.next();
  for (; reference && found.count < kMaxAuxiliaries; reference = references.next()) {
    if (reference->type != "auxl") continue;
    for (std::uint16_t i = 0; i < reference->count && !reference->targets.at_end(); ++i) {
      if (references.read_id(reference->targets) != id) continue;
      found.ids[found.count++] = reference->from;
      break;
    }
  }
  return found;
}

}  // namespace tintype
