// SPDX-License-Identifier: Apache-2.0
// The part of a site's rules that says where which URL language is spoken. Used by parse_policy.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "dialect/mount.h"
#include "policy/yaml_reader.h"

namespace tintype {

// Reads a list of
//   { path: /is/image, dialect: scene7, keys: [...], sources: ["https://cdn.shop.example/"] }
// for `site`. A key is the vendor's secret as text, or for imgproxy { key: <hex>, salt: <hex> }.
Result<std::vector<Mount>> read_mounts(const YamlReader& at, const std::string& site);

}  // namespace tintype
