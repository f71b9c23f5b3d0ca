// SPDX-License-Identifier: Apache-2.0
// The table of all settings: where each stands in tintype.yaml, its default in words, what it
// means, and how its value is taken. Reading (settings.cc), the environment's variables and the
// reference are made from it. A section with a dot, "cache.disk", is a map within a section.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "main/settings.h"
#include "policy/yaml_reader.h"

namespace tintype {

using ApplySetting = Result<> (*)(Settings&, const YamlReader&);

struct SettingField {
  std::string_view section, name;  // "server", "port"
  std::string_view fallback, doc;
  ApplySetting apply;
};

// In the order of the reference.
const std::vector<SettingField>& setting_fields();

}  // namespace tintype
