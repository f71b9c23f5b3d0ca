// SPDX-License-Identifier: Apache-2.0
// What stands often in a script is said once: texts, regular expressions, null and undefined, the
// engine's functions (Math.floor) and names of properties (a.length as a[b]) become constants where
// that is shorter. A constant that is used once goes where it is used. Pure.
#pragma once

#include <vector>

#include "edge/script_items.h"

namespace tintype {

// Changes the items in place and puts the new constants in front of them; their names begin with
// '$' and a digit, which no source does.
void share_repeated(std::vector<ScriptItem>& items);

}  // namespace tintype
