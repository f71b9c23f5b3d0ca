// SPDX-License-Identifier: Apache-2.0
// A part of a policy as a tree: maps, lists, nulls and texts. A YAML scalar is a text, whatever it
// looks like, because that is how parse_policy reads it; so 100 and "100" are equal here, and a
// comparison of YAML with the table finds no difference that makes none. Keys are sorted. Pure;
// only store/ uses it.
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/result.h"
#include "policy/yaml_reader.h"

namespace tintype {

using PolicyTree = nlohmann::json;

PolicyTree tree_of(const YamlReader& at);
// Fails with BadRequest when the text is not JSON, or is nested deeper than parse_policy takes.
Result<PolicyTree> tree_of_json(std::string_view text);

// One line of JSON. Texts that are whole numbers of up to 15 digits, true or false stand without
// quotes, as a person would write them; reading them back gives the same texts.
std::string json_of(const PolicyTree& tree);
bool is_bare(std::string_view text);

}  // namespace tintype
