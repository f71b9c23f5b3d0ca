// SPDX-License-Identifier: Apache-2.0
// The parts of thumbor's URL language that AWS' Dynamic Image Transformation speaks too (dit.cc):
// filters, crops and colours. What the two make of them differs: each dialect decides for itself
// which of them it takes. Views point into the request's text. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "transform/transformation.h"

namespace tintype {

struct ThumborFilter {
  std::string_view name;
  std::vector<std::string_view> args;  // without spaces around them and without quotes
  std::string_view text;               // the arguments as they stand
  std::string_view arg(std::size_t i) const { return i < args.size() ? args[i] : ""; }
};

// "quality(80):format(webp)", decoded; the views are of `text`. Whatever is no filter is one
// without arguments.
std::vector<ThumborFilter> split_thumbor_filters(std::string_view text);

// Whether a segment has the form "10x20:300x200".
bool is_thumbor_crop(std::string_view segment);
// The rectangle between the two corners; nothing for four zeros. Fails with BadRequest (crop) where
// the second corner does not lie right of and below the first.
Result<std::optional<CropBox>> parse_thumbor_crop(std::string_view segment);

// A colour for the option `name`: hexadecimal with or without '#', or a basic name. Other names are
// UnsupportedOption, anything else is BadRequest.
Result<Color> parse_thumbor_color(std::string_view name, std::string_view value);

// A number in hundredths, at most `max_e2`; else BadRequest for the option `name`.
Result<std::int32_t> parse_hundredths(std::string_view name, std::string_view value,
                                      std::int32_t max_e2);

}  // namespace tintype
