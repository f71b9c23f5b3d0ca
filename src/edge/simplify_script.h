// SPDX-License-Identifier: Apache-2.0
// The same function in fewer words: declarations in a row become one, braces around one statement
// go, choices between two values become "a?b:c", a function that only returns becomes an arrow with
// a value. What is evaluated, and in which order, stays as it was. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "edge/script.h"

namespace tintype {

// Of an expression, and of the functions inside it. Fails with BadRequest, "core.js:12: …", on
// statements that are not in the language of edge/README.md.
Result<Script> simplify_expression(const Script& expression, const std::string& file);

// Of a function without its name, "(a,b){…}": the same with a shorter body, or an arrow function,
// "(a,b)=>…". Requires for an arrow: it uses neither `this` nor `arguments`.
Result<Script> simplify_function(const Script& function, bool is_arrow, const std::string& file);

}  // namespace tintype
