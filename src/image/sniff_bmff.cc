// SPDX-License-Identifier: Apache-2.0
// AVIF and HEIC (ISO/IEC 23008-12, AV1 Image File Format 1.1): finds the primary item and reads its
// size, turns, codec configuration, profile and alpha. Bounded by bmff.h.
//
// `stored` is the size after clean aperture, rotation and mirror (`clap`, `irot`, `imir`), and
// `orientation` is always Upright: libheif applies them while it decodes, so this is the frame that
// arrives, and HEIF says that an EXIF orientation inside is not to be applied.
#include "image/bmff.h"
#include "image/sniffers.h"

namespace tintype {
namespace {

constexpr int kMaxDerivations = 4;  // a grid of overlays of identities is already absurd
constexpr int kMaxTracks = 16;      // picture, alpha, sound
constexpr int kMaxBrands = 64;
constexpr int kMaxTopBoxes = 4096;  // fragmented sequences have one pair a fragment

// ISO/IEC 23008-12, annex B; AV1 Image File Format, section 9.
Format format_of_brand(std::string_view brand, bool& is_known) {
  is_known = true;
  if (brand == "avif" || brand == "avis") return Format::Avif;
  for (std::string_view hevc : {"heic", "heix", "hevc", "hevx", "heim", "heis", "hevm", "hevs"}) {
    if (brand == hevc) return Format::Heic;
  }
  is_known = false;
  return Format::Heic;
}

// Says that it is HEIF, but not with which codec.
bool is_structural(std::string_view brand) {
  return brand == "mif1" || brand == "mif2" || brand == "mif3" || brand == "msf1";
}

struct Top {
  ByteView meta, moov;
  bool has_meta = false, has_mini = false;
};

Result<Top> find_top_boxes(ByteView source) {
  Top top;
  Boxes boxes(source);
  for (int i = 0; i < kMaxTopBoxes; ++i) {
    const auto box = boxes.next();
    if (!box) break;
    if (box->type == "meta" && !top.has_meta) {
      if (!box->is_whole) return corrupt("HEIF header is cut off");
      top.has_meta = true;
      top.meta = box->body;
    } else if (box->type == "moov") {
      top.moov = box->body;
    } else if (box->type == "mini") {
      top.has_mini = true;
    }
  }
  return top;
}

std::string printable(std::string_view four) {
  std::string out;
  for (char c : four) out += c >= ' ' && c <= '~' ? c : '?';
  return out;
}

// The item whose bytes a codec decodes: the primary itself, or the first tile of a grid.
Result<std::uint32_t> coded_item(const HeifItems& items) {
  std::uint32_t id = items.primary();
  for (int i = 0; i <= kMaxDerivations; ++i) {
    const std::string_view type = items.type_of(id);
    if (type.empty()) return corrupt("HEIF primary picture is not there");
    if (type != "grid" && type != "iovl" && type != "iden" && type != "tmap") return id;
    const auto part = items.first_part_of(id);
    if (!part) return corrupt("HEIF picture has no parts");
    id = *part;
  }
  return corrupt("HEIF picture is derived too often");
}

Result<Size> crop_to_aperture(ByteView clap, Size size) {
  ByteReader reader(clap);
  const std::uint64_t width = reader.u32(), width_by = reader.u32();
  const std::uint64_t height = reader.u32(), height_by = reader.u32();
  if (!reader.ok() || width_by == 0 || height_by == 0) return corrupt("HEIF crop is damaged");
  const std::uint64_t wide = (width + width_by / 2) / width_by;
  const std::uint64_t high = (height + height_by / 2) / height_by;
  if (wide < 1 || high < 1 || wide > static_cast<std::uint64_t>(size.width_px) ||
      high > static_cast<std::uint64_t>(size.height_px)) {
    return corrupt("HEIF crop lies outside its picture");
  }
  return Size{static_cast<int>(wide), static_cast<int>(high)};
}

Result<Size> upright_size(const Properties& properties) {
  ByteReader reader(properties.find("ispe").body);
  reader.skip(4);
  const std::uint32_t width = reader.u32(), height = reader.u32();
  if (!reader.ok()) return corrupt("HEIF picture has no size");
  if (width == 0 || height == 0) return corrupt("HEIF picture has no pixels");
  if (width > 0x7FFF'FFFF || height > 0x7FFF'FFFF) return corrupt("HEIF size is out of range");
  Size size{static_cast<int>(width), static_cast<int>(height)};
  for (std::size_t i = 0; i < properties.count; ++i) {
    const Box& property = properties.boxes[i];
    if (property.type == "irot") {
      // Quarter turns anticlockwise (6.5.10).
      if ((ByteReader(property.body).u8() & 1) != 0) size = size.transposed();
    } else if (property.type == "clap") {
      TRY(size, crop_to_aperture(property.body, size));
    }
  }
  return size;
}

// AV1 codec ISO media file format binding, section 2.3.3.
void read_av1_configuration(ByteView av1c, ImageInfo& info) {
  ByteReader reader(av1c);
  reader.skip(2);
  const std::uint8_t flags = reader.u8();
  if (!reader.ok()) return;
  const bool is_high = (flags & 0x40) != 0, is_twelve = (flags & 0x20) != 0;
  info.bits = is_high ? (is_twelve ? 12 : 10) : 8;
  info.color_model = (flags & 0x10) != 0 ? ColorModel::Grey : ColorModel::YCbCr;
  info.chroma_x = (flags & 0x08) != 0 ? 2 : 1;
  info.chroma_y = (flags & 0x04) != 0 ? 2 : 1;
}

// ISO/IEC 14496-15, 8.3.3.1.
void read_hevc_configuration(ByteView hvcc, ImageInfo& info) {
  ByteReader reader(hvcc);
  reader.skip(16);
  const int chroma = reader.u8() & 3;
  const int bits = 8 + (reader.u8() & 7);
  if (!reader.ok()) return;
  info.bits = static_cast<std::uint8_t>(bits);
  info.color_model = chroma == 0 ? ColorModel::Grey : ColorModel::YCbCr;
  info.chroma_x = chroma == 1 || chroma == 2 ? 2 : 1;
  info.chroma_y = chroma == 1 ? 2 : 1;
}

void read_colors(const Properties& properties, ImageInfo& info) {
  for (std::size_t i = 0; i < properties.count; ++i) {
    if (properties.boxes[i].type != "colr") continue;
    ByteReader reader(properties.boxes[i].body);
    const std::string_view kind = reader.text(4);
    if (kind == "prof" || kind == "rICC") info.has_icc = true;
    if (kind != "nclx" || info.color_model != ColorModel::YCbCr) continue;
    reader.skip(4);  // primaries, transfer
    // ITU-T H.273, table 4: matrix 0 is the identity, planes are then G, B, R.
    const std::uint16_t matrix = reader.u16();
    if (reader.ok() && matrix == 0) info.color_model = ColorModel::Rgb;
  }
}

// MIAF and HEVC spell the kind of auxiliary differently.
bool is_alpha(const Box& aux_c) {
  if (aux_c.body.size() < 4) return false;
  const ByteView kind = aux_c.body.subspan(4);
  return starts_with(kind, "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha") ||
         starts_with(kind, "urn:mpeg:hevc:2015:auxid:1");
}

Result<bool> has_alpha(const HeifItems& items) {
  const ItemIds auxiliaries = items.auxiliaries_of(items.primary());
  for (std::size_t i = 0; i < auxiliaries.count; ++i) {
    TRY(const Properties properties, items.properties_of(auxiliaries.ids[i]));
    if (is_alpha(properties.find("auxC"))) return true;
  }
  return false;
}

// The samples of the first picture track (ISO/IEC 14496-12, 8.4.3 and 8.7.3); 1 when there is none.
std::uint32_t count_sequence_frames(ByteView moov) {
  Boxes tracks(moov);
  for (int seen = 0; seen < kMaxTracks;) {
    const auto track = tracks.next();
    if (!track) break;
    if (track->type != "trak") continue;
    ++seen;
    const ByteView media = find_box(track->body, "mdia").body;
    ByteReader handler(find_box(media, "hdlr").body);
    handler.skip(8);
    if (handler.text(4) != "pict") continue;
    const ByteView table = find_box(find_box(media, "minf").body, "stbl").body;
    ByteReader sizes(find_box(table, "stsz").body);
    sizes.skip(8);
    return std::clamp(sizes.u32(), 1u, kMaxCountedFrames);
  }
  return 1;
}

Result<ImageInfo> read_primary(const HeifItems& items) {
  TRY(const std::uint32_t coded, coded_item(items));
  const std::string_view codec = items.type_of(coded);
  ImageInfo info;
  if (codec == "av01") {
    info.format = Format::Avif;
  } else if (codec == "hvc1" || codec == "hev1") {
    info.format = Format::Heic;
  } else {
    return unsupported("HEIF with codec '" + printable(codec) + "' is not supported");
  }
  TRY(const Properties properties, items.properties_of(items.primary()));
  TRY(const Properties coded_properties, items.properties_of(coded));
  TRY(info.stored, upright_size(properties));
  info.color_model = ColorModel::YCbCr;
  if (info.format == Format::Avif) {
    read_av1_configuration(coded_properties.find("av1C").body, info);
  } else {
    read_hevc_configuration(coded_properties.find("hvcC").body, info);
  }
  read_colors(properties.find("colr").type.empty() ? coded_properties : properties, info);
  if (info.color_model != ColorModel::YCbCr) info.chroma_x = info.chroma_y = 1;
  TRY(info.has_alpha, has_alpha(items));
  return info;
}

}  // namespace

std::optional<Format> format_of_brands(ByteView source) {
  const auto ftyp = Boxes(source).next();
  if (!ftyp || ftyp->type != "ftyp") return std::nullopt;
  ByteReader reader(ftyp->body);
  std::string_view brand = reader.text(4);
  reader.skip(4);  // minor version
  bool is_heif = false;
  for (int i = 0; i < kMaxBrands && reader.ok(); ++i, brand = reader.text(4)) {
    bool is_known = false;
    const Format format = format_of_brand(brand, is_known);
    if (is_known) return format;
    is_heif = is_heif || is_structural(brand);
  }
  if (is_heif) return Format::Heic;
  return std::nullopt;
}

Result<ImageInfo> sniff_bmff(ByteView source) {
  TRY(const Top top, find_top_boxes(source));
  if (top.has_mini) return unsupported("low-overhead HEIF is not supported");
  if (!top.has_meta && !top.moov.empty()) {
    return unsupported("HEIF sequences without a still picture are not supported");
  }
  if (!top.has_meta) return corrupt("HEIF header is cut off or has no catalogue");
  TRY(const HeifItems items, HeifItems::open(top.meta));
  TRY(ImageInfo info, read_primary(items));
  if (!top.moov.empty()) info.frames = count_sequence_frames(top.moov);
  return info;
}

}  // namespace tintype
