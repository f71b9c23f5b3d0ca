// SPDX-License-Identifier: Apache-2.0
// The functions and constants of the edge function's sources, and which of them are needed: what no
// root reaches is dropped, so that a dialect nobody mounts costs nothing. Plain values.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "edge/script.h"

namespace tintype {

// "function name(…) {…}" or "const name = …;" at the top of a file.
struct ScriptItem {
  std::string file, name;
  int line = 0;
  bool is_function = false, is_async = false;
  std::size_t parameters = 0;  // of a function
  Script
      tokens;  // of a function from the '(' of its parameters to its '}', of a constant its value
  std::string text;  // as it was written, with the comment before it
};

// In the order of the files. Fails with BadRequest on whatever else stands at the top of a file,
// and on a name that is there twice.
Result<std::vector<ScriptItem>> read_items(std::span<const ScriptFile> files);

// The items that the roots need, themselves included; what an item names stands before it, because
// njs 0.7.9 takes a constant that is declared further down for one without a value. Fails with
// BadRequest when a root is not there.
Result<std::vector<ScriptItem>> reachable_items(std::vector<ScriptItem> items,
                                                std::span<const std::string> roots);

// The needed items as they were written, with their comments: for people, and for nginx.
Result<std::string> gather_script(std::span<const ScriptFile> files,
                                  std::span<const std::string> roots);

}  // namespace tintype
