// SPDX-License-Identifier: Apache-2.0
// JSON that arrives in a URL (RFC 8259), read strictly: nothing but whitespace around the value, no
// comments, no trailing commas, valid UTF-8, paired surrogates. Bounded in size and depth, so that
// no client can make it work or recurse for long. Pure; a value owns its text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tintype {

inline constexpr std::size_t kMaxJsonBytes = 8 * 1024;
// Arrays and objects within each other.
inline constexpr int kMaxJsonDepth = 8;

struct JsonValue {
  enum class Kind : std::uint8_t { Null, Boolean, Number, String, Array, Object };
  Kind kind = Kind::Null;
  // A string without its escapes, a number as it was written ("1e3", "0.50"), "true", "false", and
  // "null".
  std::string text;
  // Of an array or object, in the order of the text.
  std::vector<JsonValue> items;
  // Of an object only: names[i] is the name of items[i].
  std::vector<std::string> names;

  bool is(Kind other) const { return kind == other; }
  // The member of that name, the last one of several; null: there is none, or this is no object.
  const JsonValue* find(std::string_view name) const;
};

// Fails with BadRequest ("the JSON is malformed at byte 12: …") on anything that is not one JSON
// value within the limits above.
Result<JsonValue> read_json(std::string_view text);

}  // namespace tintype
