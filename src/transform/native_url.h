// SPDX-License-Identifier: Apache-2.0
// native_url: an Ask in the native dialect, whatever language it was asked in. For `tintype
// translate` and for redirects.
#pragma once

#include <cstdint>
#include <string>

#include "transform/ask.h"

namespace tintype {

// "/shop/p/front.jpg?fit=cover&h=600&w=800": the options that do not stand at their defaults, in
// alphabetical order; the preset and the version by name. Parsed again it gives an equal
// Transformation, preset and version. Of the options in `filled`, a bit per OptionId, those that
// the ask names stand in it at their defaults too, as far as the default has a spelling: a site
// that has a default of its own would fill them. What it does not carry is Ask::yielding.
std::string native_url(const Ask& ask, std::uint32_t filled = 0);

}  // namespace tintype
