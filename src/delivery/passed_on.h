// SPDX-License-Identifier: Apache-2.0
// What the edge function passes on: a request in a language that it does not read itself, whole and
// in the path (a CDN's cache key is the path alone), with what of the client's headers may matter
// reduced to its classes:
//
//   /_/ask/<format>,<dpr>,<width>,<slow>/<target, percent-encoded>
//   /_/ask/webp,,,/%2Fis%2Fimage%2Fa%3Fwid%3D8
//
// format: the best that the site offers and the client takes, empty: none; dpr in hundredths, width
// in device pixels, slow: 1 on slow networks; each may be empty. It confers no trust: the inner
// target is judged as if its client had come itself. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "transform/client_hints.h"

namespace tintype {

struct PassedOn {
  std::string target;
  HintTexts headers;
};

// Nothing when the target is none of these; fails with BadRequest when it is, but malformed.
Result<std::optional<PassedOn>> read_passed_on(std::string_view target);

}  // namespace tintype
