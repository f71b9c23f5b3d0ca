// SPDX-License-Identifier: Apache-2.0
// Reads what a site allows of its URLs: signing, allowed_options, quality_steps, snap_widths,
// spellings. Part of parse_policy.
#pragma once

#include "base/result.h"
#include "policy/policy.h"
#include "policy/yaml_reader.h"

namespace tintype {

// `at`: the site's map; its mounts are in `site` already. Fails as parse_policy does, also for
// rules that exclude each other.
Result<> read_url_rules(const YamlReader& at, SitePolicy& site);

}  // namespace tintype
