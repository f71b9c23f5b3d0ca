// SPDX-License-Identifier: Apache-2.0
// Reads a site's hooks: how the DAM tells us of changed pictures. Part of parse_policy.
//
//   hooks:
//     dam: { recipe: generic, secrets: [<secret>], source: /asset/path, warm: [card] }
#pragma once

#include "base/result.h"
#include "policy/policy.h"
#include "policy/yaml_reader.h"

namespace tintype {

// `at`: the site's map; its presets are in `site` already. Fails as parse_policy does; no error
// shows a secret.
Result<> read_hooks(const YamlReader& at, SitePolicy& site);

// The word that `recipe` has for it: "generic".
std::string_view name_of(HookRule::Recipe recipe);

}  // namespace tintype
