// SPDX-License-Identifier: Apache-2.0
// Statement: the body of a function as a list of statements, read from a Script and written back to
// one; what stands between (simplify_script.h) makes it shorter. Plain values.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/script.h"

namespace tintype {

struct Statement {
  enum class Kind : std::uint8_t {
    Expression,  // head;
    Return,      // return head; (head may be empty)
    Throw,       // throw head;
    Let,         // let head;
    If,          // if(head) body else other
    Loop,        // head body, the head with its brackets: "for(…)", "while(…)"
    Block,       // { body }
    Plain,       // head, as it is: break, continue, do, try, functions inside functions
  };
  Kind kind = Kind::Expression;
  Script head;
  std::vector<Statement> body, other;
};

// Heads are left as they are, also functions inside them. Fails with BadRequest, "core.js:12: …",
// on what is no statement of the language and on a missing ';'.
Result<std::vector<Statement>> read_statements(std::span<const ScriptToken> script,
                                               const std::string& file);

// Braces only where they are needed; without the last ';', which the '}' behind stands for.
Script write_statements(const std::vector<Statement>& statements);

}  // namespace tintype
