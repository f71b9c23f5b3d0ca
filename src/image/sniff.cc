// SPDX-License-Identifier: Apache-2.0
#include "image/sniff.h"

#include "base/text.h"
#include "image/byte_reader.h"
#include "image/sniffers.h"

namespace tintype {
namespace {

using std::string_view_literals::operator""sv;

// How far we look for the root element of XML: editors write long comments and entity lists first.
constexpr std::size_t kXmlWindowBytes = 16 * 1024;

struct Magic {
  std::string_view bytes;
  std::string_view name;
};

// Formats that people hand in and that we do not decode: named, so that the answer helps.
constexpr Magic kRefused[] = {
    {"\x1F\x8B"sv, "gzip (compressed svg)"},
    {"BM"sv, "BMP"},
    {"\0\0\1\0"sv, "ICO"},
    {"8BPS"sv, "Photoshop"},
    {"%PDF"sv, "PDF"},
    {"%!PS"sv, "PostScript"},
    {"\xFF\x0A"sv, "JPEG XL"},
    {"\0\0\0\x0CJXL \r\n\x87\n"sv, "JPEG XL"},
    {"\0\0\0\x0CjP  \r\n\x87\n"sv, "JPEG 2000"},
    {"\xFF\x4F\xFF\x51"sv, "JPEG 2000"},
    {"qoif"sv, "QOI"},
    {"\x76\x2F\x31\x01"sv, "OpenEXR"},
    {"#?RADIANCE"sv, "Radiance HDR"},
    {"PK\x03\x04"sv, "ZIP"},
    {"\x1A\x45\xDF\xA3"sv, "Matroska or WebM"},
};

// After a byte order mark and white space, as XML and HTML readers begin.
std::string_view markup_of(ByteView source) {
  std::string_view text = text_of(source).substr(0, kXmlWindowBytes);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] != '<') return {};
  return text.substr(start);
}

bool is_html(std::string_view markup) {
  return equals_ignoring_case(markup.substr(0, 14), "<!doctype html") ||
         equals_ignoring_case(markup.substr(0, 5), "<html");
}

bool is_svg(std::string_view markup) {
  return markup.find("<svg") != std::string_view::npos ||
         markup.find(":svg") != std::string_view::npos ||
         markup.find("<!DOCTYPE svg") != std::string_view::npos;
}

bool stands_at(std::size_t offset_bytes, std::string_view magic, ByteView source) {
  return source.size() >= offset_bytes + magic.size() &&
         text_of(source.subspan(offset_bytes, magic.size())) == magic;
}

std::optional<Format> known_format(ByteView source) {
  const std::string_view start = text_of(source);
  if (start.starts_with("\xFF\xD8\xFF")) return Format::Jpeg;
  if (start.starts_with("\x89PNG")) return Format::Png;
  if (start.starts_with("RIFF") && stands_at(8, "WEBP", source)) return Format::Webp;
  if (start.starts_with("GIF87a") || start.starts_with("GIF89a")) return Format::Gif;
  for (std::string_view tiff : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {
    if (start.starts_with(tiff)) return Format::Tiff;
  }
  if (stands_at(4, "ftyp", source)) return format_of_brands(source);
  return std::nullopt;
}

Failure refuse_unknown(ByteView source) {
  for (const Magic& magic : kRefused) {
    if (starts_with(source, magic.bytes)) {
      return unsupported(std::string(magic.name) + " is not a supported source format");
    }
  }
  if (stands_at(4, "ftyp", source)) {
    return unsupported("films are not a supported source format");
  }
  if (is_html(markup_of(source))) return unsupported("the source is an HTML page, not a picture");
  return unsupported("the source is not in a picture format we know");
}

}  // namespace

Result<Format> sniff_format(ByteView source) {
  if (source.empty()) return corrupt("the source is empty");
  if (const auto format = known_format(source)) return *format;
  const std::string_view markup = markup_of(source);
  if (!markup.empty() && !is_html(markup) && is_svg(markup)) return Format::Svg;
  return refuse_unknown(source);
}

Result<ImageInfo> sniff(ByteView source) {
  TRY(const Format format, sniff_format(source));
  switch (format) {
    case Format::Jpeg:
      return sniff_jpeg(source);
    case Format::Png:
      return sniff_png(source);
    case Format::Webp:
      return sniff_webp(source);
    case Format::Gif:
      return sniff_gif(source);
    case Format::Tiff:
      return sniff_tiff(source);
    case Format::Avif:
    case Format::Heic:
      return sniff_bmff(source);
    case Format::Svg:
    case Format::JpegOrPng:
      break;
  }
  return unsupported("svg is not a supported source format");
}

}  // namespace tintype
