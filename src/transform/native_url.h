// SPDX-License-Identifier: Apache-2.0
// native_url: an Ask in the native dialect, whatever language it was asked in. For `tintype
// translate` and for redirects.
#pragma once

#include <string>

#include "transform/ask.h"

namespace tintype {

// "/shop/p/front.jpg?fit=cover&h=600&w=800": the options that do not stand at their defaults, in
// alphabetical order; the preset and the version by name. Parsed again it gives an equal
// Transformation, preset and version. What it does not carry: that an option was named at its
// default, which matters on a site with other defaults, and Ask::yielding.
std::string native_url(const Ask& ask);

}  // namespace tintype
