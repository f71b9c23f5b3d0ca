// SPDX-License-Identifier: Apache-2.0
// Script: the words and signs of the edge function's JavaScript, in the language of edge/README.md.
// Comments and white space are gone; what a word is (keyword, property, key of an object, name) is
// settled here once and travels with the word. Plain values; everything in src/edge works on them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tintype {

struct ScriptFile {
  std::string name;  // for messages: "core.js"
  std::string text;
};

struct ScriptToken {
  enum class Kind : std::uint8_t {
    Keyword,
    Name,      // may be renamed, if it is declared
    Property,  // behind a '.': never renamed
    Key,       // of an object, a word or a text in front of ':': never renamed
    Number,
    Text,   // with its quotes
    Regex,  // with its flags
    Sign,
  };
  Kind kind = Kind::Sign;
  std::string text;
  int line = 0;                          // 1-based, in its file
  std::size_t begin = 0, end = 0;        // bytes of its file
  bool is_object = false;                // '{' and '}': of an object, not of a block
  bool is_condition = false;             // ')': closes what stands behind if, for or while
  bool is(std::string_view sign) const;  // a sign or keyword of this spelling
};
using Script = std::vector<ScriptToken>;

inline constexpr std::size_t kNoToken = static_cast<std::size_t>(-1);

// Fails with BadRequest, "core.js:12: …", on what the language has not (template literals, switch,
// class, for..of, short keys and the like), on texts, regular expressions and comments without an
// end, on brackets that do not match and on statements that do not end with ';'.
Result<Script> read_script(const ScriptFile& file);

// The bracket that closes the one at `open`. Requires: brackets match, as in all of read_script's.
std::size_t mate_of(std::span<const ScriptToken> script, std::size_t open);

// On one line, with a space only where two tokens would become one.
std::string print_script(std::span<const ScriptToken> script);

// "core.js:12: what is wrong", BadRequest.
[[nodiscard]] Failure script_fault(const std::string& file, int line, std::string_view what);

// A token that the source does not have.
inline ScriptToken made_token(ScriptToken::Kind kind, std::string text, int line = 0) {
  return {.kind = kind, .text = std::move(text), .line = line};
}

}  // namespace tintype
