// SPDX-License-Identifier: Apache-2.0
// Statements that stand behind each other, or inside each other, as fewer statements: "if" becomes
// "&&" or "?:", expressions are joined by commas. What is evaluated, and in which order, stays.
// Pure.
#pragma once

#include <vector>

#include "edge/statements.h"

namespace tintype {

// Requires: what is in the bodies is combined already.
void combine_statements(std::vector<Statement>& list);

// Of the whole body of a function: leaving early without a value becomes a condition on the rest.
void combine_function_body(std::vector<Statement>& list);

// Whether `body` is one statement of this kind, with a head.
bool is_only(const std::vector<Statement>& body, Statement::Kind kind);

}  // namespace tintype
