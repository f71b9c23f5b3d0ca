// SPDX-License-Identifier: Apache-2.0
// keep_source_format: what most vendors do where a request names no format. The source's bytes are
// not at hand when a URL is read, so the extension stands for them; GIF, which we do not write,
// becomes PNG, and whatever has no extension that we write becomes JPEG.
#pragma once

#include <string_view>

#include "image/format.h"
#include "transform/ask.h"
#include "transform/option_table.h"

namespace tintype {

// By the extension of the last segment of `source`, in any case.
inline Format format_of_source(std::string_view source) {
  std::string_view name = source.substr(source.rfind('/') + 1);
  std::size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return Format::Jpeg;
  auto format = format_named(name.substr(dot + 1));
  if (format == Format::Gif) return Format::Png;
  return format && is_encodable(*format) ? *format : Format::Jpeg;
}

// Sets the format that the source's extension names, as named by the request: a site's own default
// must not change what a vendor's URL means. Requires: ask.source is set.
inline void keep_source_format(Ask& ask) {
  ask.transformation.format_auto = false;
  ask.transformation.format = format_of_source(ask.source);
  ask.named |= bit_of(OptionId::Format);
}

}  // namespace tintype
