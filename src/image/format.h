// SPDX-License-Identifier: Apache-2.0
// The picture formats we know by name: what the sniffer tells apart, and which we write.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tintype {

// JpegOrPng is asked for and stands in names, but no picture is in it: plan() makes it PNG for a
// source that has an alpha channel, else JPEG.
enum class Format : std::uint8_t { Jpeg, Png, Webp, Avif, Gif, Heic, Tiff, Svg, JpegOrPng };

// "jpeg", "png", "webp", "avif", "gif", "heic", "tiff", "svg", "jpng": the word of the `f` option
// and the extension of canonical paths (one spelling each).
std::string_view name_of(Format format);
// Also understands jpg, jpe, tif, heif; ASCII case does not matter.
std::optional<Format> format_named(std::string_view name);
// "image/jpeg" …
std::string_view media_type_of(Format format);
// We encode JPEG, PNG, WebP and AVIF.
bool is_encodable(Format format);
// The same and JpegOrPng: what a request may ask for.
bool is_answerable(Format format);
bool can_hold_alpha(Format format);

}  // namespace tintype
