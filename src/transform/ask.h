// SPDX-License-Identifier: Apache-2.0
// Ask: what a request asks for, whatever its URL language: a site, a source, a Transformation as
// parsed, and what only the site's policy can resolve (preset names, unknown parameters).
// Made by dialect/, admitted by policy/, settled and printed by transform/.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "transform/transformation.h"

namespace tintype {

struct Ask {
  std::string site;
  std::string source;  // path under the site, decoded, no leading slash, no "." or ".."
  Transformation transformation;
  std::string preset;                // empty: none
  std::string version;               // of the source, an opaque token; empty: none
  std::vector<std::string> unknown;  // parameter names nobody knows, for sites that refuse them
  bool is_canonical = false;         // came as a canonical path: served as it stands

  // Our own signature and its end (policy/signature.h), as they stood beside the options.
  std::string signature;
  std::optional<std::int64_t> expires_unix_seconds;
  bool is_signed_by_vendor = false;  // the mount has keys, and its dialect found one to match

  // Which options the request named itself: a bit per OptionId (option_table.h). A preset or a site
  // default only fills options that are not named.
  std::uint32_t named = 0;

  // Those of them that yield to the preset all the same: in some languages the later word wins.
  std::uint32_t yielding = 0;

  bool operator==(const Ask&) const = default;
};

}  // namespace tintype
