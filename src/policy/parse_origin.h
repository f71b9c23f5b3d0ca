// SPDX-License-Identifier: Apache-2.0
// Reads where a site's sources are (origin, or origins: a list that is asked in order) and the
// cache tags that it gives to them (tags). Part of parse_policy. Texts that may hold secrets are
// never shown in an error.
#pragma once

#include <string>

#include "base/result.h"
#include "policy/policy.h"
#include "policy/yaml_reader.h"

namespace tintype {

// `at`: the site's map. Fails as parse_policy does.
Result<> read_origins(const YamlReader& at, const std::string& base_folder, SitePolicy& site);
Result<> read_tags(const YamlReader& at, SitePolicy& site);

}  // namespace tintype
