// SPDX-License-Identifier: Apache-2.0
// A function that is called in one place goes there, where that is shorter: its parameters and
// declarations become further parameters of the function around the call. Pure.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "edge/script_items.h"

namespace tintype {

// Requires: the items are simplified (simplify_script.h). Only arrow functions that are one
// expression are moved, and only into arrow functions; `roots` stay.
void inline_functions(std::vector<ScriptItem>& items, std::span<const std::string> roots);

}  // namespace tintype
