// SPDX-License-Identifier: Apache-2.0
// Sample headers for the tests of image/: the smallest bytes of each format that sniff() accepts,
// made field by field, so that a test can say which field it changes. They hold no pixels that a
// decoder could show. Test code only; no product file includes it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace tintype::samples {

// Appends numbers in either byte order, text and blocks.
class Writer {
 public:
  Writer& u8(std::uint64_t value) { return big(value, 1); }
  Writer& be16(std::uint64_t value) { return big(value, 2); }
  Writer& be32(std::uint64_t value) { return big(value, 4); }
  Writer& be64(std::uint64_t value) { return big(value, 8); }
  Writer& le16(std::uint64_t value) { return little(value, 2); }
  Writer& le24(std::uint64_t value) { return little(value, 3); }
  Writer& le32(std::uint64_t value) { return little(value, 4); }
  Writer& text(std::string_view text) { return bytes(view_of(text)); }
  Writer& bytes(ByteView more) {
    out_.insert(out_.end(), more.begin(), more.end());
    return *this;
  }
  Writer& zeros(std::size_t count) {
    out_.resize(out_.size() + count);
    return *this;
  }
  Bytes done() const { return out_; }

 private:
  Writer& big(std::uint64_t value, int size_bytes) {
    for (int shift = 8 * (size_bytes - 1); shift >= 0; shift -= 8) {
      out_.push_back(static_cast<std::uint8_t>(value >> shift));
    }
    return *this;
  }
  Writer& little(std::uint64_t value, int size_bytes) {
    for (int i = 0; i < size_bytes; ++i, value >>= 8) {
      out_.push_back(static_cast<std::uint8_t>(value));
    }
    return *this;
  }

  Bytes out_;
};

inline Bytes join(std::initializer_list<Bytes> parts) {
  Writer out;
  for (const Bytes& part : parts) out.bytes(part);
  return out.done();
}

// --- EXIF and TIFF

struct Tag {
  std::uint16_t tag = 0, type = 3;  // SHORT
  std::uint32_t count = 1, value = 0;
};

// One little-endian directory; values stand in the entries.
inline Bytes directory(const std::vector<Tag>& tags, std::uint32_t next = 0) {
  Writer out;
  out.le16(tags.size());
  for (const Tag& t : tags) out.le16(t.tag).le16(t.type).le32(t.count).le32(t.value);
  return out.le32(next).done();
}

inline Bytes tiff(const std::vector<Tag>& tags, std::uint32_t next = 0) {
  return join({Writer().text("II").le16(42).le32(8).done(), directory(tags, next)});
}

inline std::vector<Tag> tiff_tags(std::uint32_t width_px, std::uint32_t height_px) {
  return {{.tag = 256, .value = width_px},
          {.tag = 257, .value = height_px},
          {.tag = 258, .value = 8},
          {.tag = 262, .value = 2},
          {.tag = 277, .value = 3}};
}

inline Bytes exif(std::uint16_t orientation) {
  return tiff({{.tag = 0x0112, .value = orientation}});
}

// --- JPEG

inline Bytes jpeg_segment(std::uint8_t marker, const Bytes& body) {
  return Writer().u8(0xFF).u8(marker).be16(body.size() + 2).bytes(body).done();
}

struct JpegFrame {
  std::uint8_t marker = 0xC0, bits = 8;
  std::uint16_t width_px = 40, height_px = 30;
  std::vector<std::uint8_t> ids = {1, 2, 3};
  std::vector<std::uint8_t> sampling = {0x22, 0x11, 0x11};
};

inline Bytes jpeg_frame(const JpegFrame& f) {
  Writer body;
  body.u8(f.bits).be16(f.height_px).be16(f.width_px).u8(f.ids.size());
  for (std::size_t i = 0; i < f.ids.size(); ++i) body.u8(f.ids[i]).u8(f.sampling[i]).u8(0);
  return jpeg_segment(f.marker, body.done());
}

inline Bytes jpeg_exif(std::uint16_t orientation) {
  return jpeg_segment(
      0xE1,
      Writer().text(std::string_view("Exif\0\0", 6)).bytes(samples::exif(orientation)).done());
}

inline Bytes jpeg_jfif() {
  return jpeg_segment(0xE0, Writer().text("JFIF").zeros(10).done());
}

inline Bytes jpeg_adobe(std::uint8_t transform) {
  return jpeg_segment(0xEE, Writer().text("Adobe").zeros(6).u8(transform).done());
}

// SOI, the segments, SOS and a little scan data.
inline Bytes jpeg(std::initializer_list<Bytes> segments) {
  return join({Writer().be16(0xFFD8).done(), join(segments),
               jpeg_segment(0xDA, Writer().zeros(6).done()), Writer().be32(0x1234FFD9).done()});
}

// --- PNG

inline Bytes png_chunk(std::string_view type, const Bytes& body) {
  return Writer().be32(body.size()).text(type).bytes(body).be32(0).done();
}

struct PngHeader {
  std::uint32_t width_px = 40, height_px = 30;
  std::uint8_t bits = 8, color = 2, compression = 0, filter = 0, interlace = 0;
};

inline Bytes png_header(const PngHeader& h) {
  Writer body;
  body.be32(h.width_px).be32(h.height_px).u8(h.bits).u8(h.color);
  body.u8(h.compression).u8(h.filter).u8(h.interlace);
  return join({Writer().text(std::string_view("\x89PNG\r\n\x1A\n", 8)).done(),
               png_chunk("IHDR", body.done())});
}

// Header, the chunks, IDAT, more chunks, IEND.
inline Bytes png(const PngHeader& header, std::initializer_list<Bytes> before = {},
                 std::initializer_list<Bytes> after = {}) {
  return join({png_header(header), join(before), png_chunk("IDAT", Bytes(4)), join(after),
               png_chunk("IEND", {})});
}

// --- WebP

inline Bytes riff_chunk(std::string_view type, const Bytes& body) {
  return Writer().text(type).le32(body.size()).bytes(body).zeros(body.size() % 2).done();
}

inline Bytes webp(std::initializer_list<Bytes> chunks) {
  const Bytes body = join(chunks);
  return Writer().text("RIFF").le32(body.size() + 4).text("WEBP").bytes(body).done();
}

inline Bytes vp8(std::uint16_t width_px, std::uint16_t height_px) {
  return riff_chunk("VP8 ",
                    Writer().le24(0x10).text("\x9D\x01\x2A").le16(width_px).le16(height_px).done());
}

inline Bytes vp8l(std::uint32_t width_px, std::uint32_t height_px, bool has_alpha) {
  const std::uint32_t packed = (width_px - 1) | (height_px - 1) << 14 | (has_alpha ? 1u << 28 : 0u);
  return riff_chunk("VP8L", Writer().u8(0x2F).le32(packed).done());
}

inline Bytes vp8x(std::uint8_t flags, std::uint32_t width_px, std::uint32_t height_px) {
  return riff_chunk("VP8X",
                    Writer().u8(flags).zeros(3).le24(width_px - 1).le24(height_px - 1).done());
}

inline Bytes anmf(const Bytes& picture) {
  return riff_chunk("ANMF", join({Bytes(16), picture}));
}

// --- GIF

inline Bytes gif_screen(std::uint16_t width_px, std::uint16_t height_px) {
  return Writer().text("GIF89a").le16(width_px).le16(height_px).u8(0x80).zeros(2 + 6).done();
}

struct GifFrame {
  std::uint16_t left_px = 0, top_px = 0, width_px = 40, height_px = 30;
  std::uint8_t flags = 0;
};

inline Bytes gif_frame(const GifFrame& f) {
  Writer out;
  out.u8(0x2C).le16(f.left_px).le16(f.top_px).le16(f.width_px).le16(f.height_px).u8(f.flags);
  if ((f.flags & 0x80) != 0) out.zeros(3u * (2u << (f.flags & 7)));
  return out.u8(2).u8(2).be16(0x4401).u8(0).done();
}

inline Bytes gif_control(bool is_transparent) {
  return Writer().be16(0x21F9).u8(4).u8(is_transparent ? 1 : 0).zeros(4).done();
}

// --- AVIF and HEIC

inline Bytes box(std::string_view type, const Bytes& body) {
  return Writer().be32(body.size() + 8).text(type).bytes(body).done();
}

inline Bytes full_box(std::string_view type, const Bytes& body, std::uint8_t version = 0) {
  return box(type, Writer().u8(version).zeros(3).bytes(body).done());
}

inline Bytes ftyp(std::string_view major, std::string_view others = "mif1") {
  return box("ftyp", Writer().text(major).be32(0).text(major).text(others).done());
}

inline Bytes ispe(std::uint32_t width_px, std::uint32_t height_px) {
  return full_box("ispe", Writer().be32(width_px).be32(height_px).done());
}

inline Bytes av1c(std::uint8_t flags) {
  return box("av1C", Writer().u8(0x81).u8(0).u8(flags).u8(0).done());
}

inline Bytes hvcc(std::uint8_t chroma, std::uint8_t bits) {
  return box("hvcC", Writer().zeros(16).u8(0xFC | chroma).u8(0xF8 | (bits - 8)).zeros(5).done());
}

inline Bytes irot(std::uint8_t quarters) {
  return box("irot", {quarters});
}

struct HeifItem {
  std::uint16_t id = 1;
  std::string_view type = "av01";
  std::vector<std::uint8_t> properties;  // from 1, into `Heif::properties`
};

struct HeifReference {
  std::string_view type;
  std::uint16_t from = 0, to = 0;
};

struct Heif {
  std::uint16_t primary = 1;
  std::vector<HeifItem> items;
  std::vector<Bytes> properties;
  std::vector<HeifReference> references;
};

// The `meta` box.
inline Bytes heif_meta(const Heif& heif) {
  Writer infos, associations, references, properties;
  infos.be16(heif.items.size());
  associations.be32(heif.items.size());
  for (const HeifItem& item : heif.items) {
    infos.bytes(full_box("infe", Writer().be16(item.id).be16(0).text(item.type).u8(0).done(), 2));
    associations.be16(item.id).u8(item.properties.size()).bytes(item.properties);
  }
  for (const HeifReference& r : heif.references) {
    references.bytes(box(r.type, Writer().be16(r.from).be16(1).be16(r.to).done()));
  }
  for (const Bytes& property : heif.properties) properties.bytes(property);
  return full_box("meta", join({full_box("pitm", Writer().be16(heif.primary).done()),
                                full_box("iinf", infos.done()), full_box("iref", references.done()),
                                box("iprp", join({box("ipco", properties.done()),
                                                  full_box("ipma", associations.done())}))}));
}

inline Bytes avif(const Heif& heif) {
  return join({ftyp("avif"), heif_meta(heif)});
}
inline Bytes heic(const Heif& heif) {
  return join({ftyp("heic"), heif_meta(heif)});
}

// One picture with the given properties after its size and codec configuration.
inline Heif still(std::string_view codec, const std::vector<Bytes>& more = {}) {
  Heif heif;
  heif.properties = {ispe(40, 30), codec == "av01" ? av1c(0x0C) : hvcc(1, 8)};
  heif.properties.insert(heif.properties.end(), more.begin(), more.end());
  HeifItem item{.id = 1, .type = codec, .properties = {}};
  for (std::size_t i = 1; i <= heif.properties.size(); ++i) {
    item.properties.push_back(static_cast<std::uint8_t>(i));
  }
  heif.items = {item};
  return heif;
}

// One valid header of each format that sniff() accepts.
inline std::vector<Bytes> one_of_each() {
  return {jpeg({jpeg_exif(6), jpeg_frame({})}),
          png({}, {png_chunk("tRNS", Bytes(6)), png_chunk("acTL", Bytes(8))},
              {png_chunk("eXIf", exif(8))}),
          webp({vp8(40, 30)}),
          webp({vp8l(40, 30, true)}),
          webp({vp8x(0x1A, 40, 30), anmf(vp8(40, 30)), anmf(vp8l(4, 3, true)),
                riff_chunk("EXIF", exif(3))}),
          join({gif_screen(40, 30), gif_control(true), gif_frame({}), gif_frame({}), {0x3B}}),
          tiff(tiff_tags(40, 30)),
          avif(still("av01", {irot(1)})),
          heic(still("hvc1"))};
}

}  // namespace tintype::samples
