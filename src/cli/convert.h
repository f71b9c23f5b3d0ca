// SPDX-License-Identifier: Apache-2.0
// convert: the engine without a server. One picture, or every picture below a folder on all cores,
// with the options of a URL. Sources are decoded in the same sandboxed workers as the server's.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/renderer.h"
#include "policy/policy.h"

namespace tintype {

struct ConvertOrder {
  std::string in, out;  // a file and a file, or a folder and a folder
  std::string options;  // "w=800&fit=cover&f=webp"
  SitePolicy site;      // presets, defaults and limits; a plain one when no settings are given
  int at_once = 4;      // pictures under way
  Milliseconds timeout_ms{60'000};
};

struct ConvertReport {
  std::size_t converted = 0, failed = 0;
  std::uint64_t source_bytes = 0, variant_bytes = 0;
  std::vector<std::string> faults;  // "path: why", one per failure
};

// Output files appear whole (temporary file + rename) or not at all. A folder keeps its tree; names
// change only their extension. Fails with BadRequest (options, or IN and OUT do not fit together)
// and NotFound (IN) before anything is written; the faults of single pictures are in the report.
Result<ConvertReport> convert(const ConvertOrder& order, Renderer& renderer, const Clock& clock);

}  // namespace tintype
