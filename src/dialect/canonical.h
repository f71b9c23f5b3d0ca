// SPDX-License-Identifier: Apache-2.0
// Canonical paths as they arrive; printed by transform/canonical_path.h.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"
#include "transform/ask.h"

namespace tintype {

inline constexpr std::string_view kCanonicalMarker = "/_/";

// `path` is "/<site>/<source path>/_/<options>", `marker` where its last marker stands. Strict:
// fails with BadRequest on whatever canonical_path would not print exactly so, with NotFound where
// there is no source. Of the query only a signature is read.
Result<Ask> parse_canonical(std::string_view path, std::size_t marker, std::string_view query);

}  // namespace tintype
