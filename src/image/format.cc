// SPDX-License-Identifier: Apache-2.0
#include "image/format.h"

#include "base/text.h"

namespace tintype {

std::string_view name_of(Format format) {
  switch (format) {
    case Format::Jpeg:
      return "jpeg";
    case Format::Png:
      return "png";
    case Format::Webp:
      return "webp";
    case Format::Avif:
      return "avif";
    case Format::Gif:
      return "gif";
    case Format::Heic:
      return "heic";
    case Format::Tiff:
      return "tiff";
    case Format::Svg:
      return "svg";
    case Format::JpegOrPng:
      return "jpng";
  }
  return "";
}

std::optional<Format> format_named(std::string_view name) {
  for (Format format : {Format::Jpeg, Format::Png, Format::Webp, Format::Avif, Format::Gif,
                        Format::Heic, Format::Tiff, Format::Svg, Format::JpegOrPng}) {
    if (equals_ignoring_case(name, name_of(format))) return format;
  }
  if (equals_ignoring_case(name, "jpg") || equals_ignoring_case(name, "jpe")) return Format::Jpeg;
  if (equals_ignoring_case(name, "tif")) return Format::Tiff;
  if (equals_ignoring_case(name, "heif")) return Format::Heic;
  return std::nullopt;
}

std::string_view media_type_of(Format format) {
  switch (format) {
    case Format::Jpeg:
      return "image/jpeg";
    case Format::Png:
      return "image/png";
    case Format::Webp:
      return "image/webp";
    case Format::Avif:
      return "image/avif";
    case Format::Gif:
      return "image/gif";
    case Format::Heic:
      return "image/heic";
    case Format::Tiff:
      return "image/tiff";
    case Format::Svg:
      return "image/svg+xml";
    case Format::JpegOrPng:
      break;  // no picture is in it
  }
  return "application/octet-stream";
}

bool is_encodable(Format format) {
  return format == Format::Jpeg || format == Format::Png || format == Format::Webp ||
         format == Format::Avif;
}

bool is_answerable(Format format) {
  return is_encodable(format) || format == Format::JpegOrPng;
}

bool can_hold_alpha(Format format) {
  return format != Format::Jpeg;
}

}  // namespace tintype
