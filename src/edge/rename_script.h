// SPDX-License-Identifier: Apache-2.0
// Short names for everything that is declared. A function or constant of a file's top has one name
// throughout; the names inside one function are chosen anew for each, so that most have one letter.
// Properties, keys of objects and what is not declared keep their names. Pure.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/script_items.h"

namespace tintype {

// The names that an item declares inside itself (parameters, let, catch), and how often each.
std::map<std::string, int> declared_names(const ScriptItem& item);

// Renames in place; `kept` are names of items that stay. Fails with BadRequest, "core.js:12: …",
// where a block inside a function declares the name of an item: which of the two a use means cannot
// be told then.
Result<> rename_items(std::vector<ScriptItem>& items, std::span<const std::string> kept);

}  // namespace tintype
