// SPDX-License-Identifier: Apache-2.0
// settle: the pure step after which no `auto` is left and equal pictures have equal
// Transformations. Walk: after policy (presets and site defaults are in), before the canonical
// path.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"
#include "transform/ask.h"

namespace tintype {

// What of the request's headers may change the bytes. Everything else is never read.
struct Hints {
  std::string_view accept;  // the Accept field, several lines joined by ", "; empty: absent
};

// Chooses among `order` (a site's preference) the format with the highest q that `accept` names
// explicitly (RFC 9110 section 12.5.1); AVIF and WebP are never chosen by "image/*" or "*/*", which
// every old client sends. Falls back to PNG for sources named .png or .gif, else JPEG.
Format negotiate_format(std::string_view accept, std::span<const Format> order,
                        std::string_view source);

// Folds dpr into width and height and aspect into the missing side, decides the format, reduces
// turns and flips to one spelling, and drops what has no effect (docs/url-reference.md lists the
// rules). Idempotent. Fails with BadRequest when a folded side exceeds kMaxSide.
Result<Transformation> settle(const Ask& ask, const Hints& hints, std::span<const Format> order);

}  // namespace tintype
