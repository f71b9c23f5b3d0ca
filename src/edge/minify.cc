// SPDX-License-Identifier: Apache-2.0
#include "edge/minify.h"

#include <algorithm>
#include <utility>

#include "edge/inline_functions.h"
#include "edge/rename_script.h"
#include "edge/script_items.h"
#include "edge/share_script.h"
#include "edge/simplify_script.h"

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;

bool is_root(const ScriptItem& item, std::span<const std::string> roots) {
  return std::find(roots.begin(), roots.end(), item.name) != roots.end();
}

// Whether it can be a constant that holds an arrow function. CloudFront looks for `function
// handler`.
bool can_be_arrow(const ScriptItem& item, std::span<const std::string> roots) {
  return !is_root(item, roots) && !item.is_async &&
         std::none_of(item.tokens.begin(), item.tokens.end(), [](const ScriptToken& token) {
           return token.is("this") || (token.kind == Kind::Name && token.text == "arguments");
         });
}

Result<> simplify_items(std::vector<ScriptItem>& items, std::span<const std::string> roots) {
  for (ScriptItem& item : items) {
    if (item.is_async) continue;  // njs reads `await` in few places only
    if (item.is_function) {
      bool is_arrow = can_be_arrow(item, roots);
      TRY(item.tokens, simplify_function(item.tokens, is_arrow, item.file));
    } else {
      TRY(item.tokens, simplify_expression(item.tokens, item.file));
    }
  }
  return {};
}

bool is_word(std::string_view text) {
  auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$';
  };
  return !text.empty() && is_letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9');
  });
}

// {"w":1} as {w:1}.
void unquote_keys(std::vector<ScriptItem>& items) {
  for (ScriptItem& item : items) {
    for (ScriptToken& token : item.tokens) {
      if (token.kind != Kind::Key || token.text.size() < 3) continue;
      std::string_view inner = std::string_view(token.text).substr(1, token.text.size() - 2);
      bool is_quoted = token.text[0] == '\'' || token.text[0] == '"';
      if (is_quoted && is_word(inner)) token.text = std::string(inner);
    }
  }
}

// "const a=…,b=…;".
std::string print_constants(const std::vector<ScriptItem>& items,
                            std::span<const std::string> roots) {
  std::string out;
  for (const ScriptItem& item : items) {
    if (item.is_function && !can_be_arrow(item, roots)) continue;
    out += out.empty() ? "const " : ",";
    out += item.name + "=" + print_script(item.tokens);
  }
  return out.empty() ? out : out + ";";
}

}  // namespace

Result<std::string> minify(std::span<const ScriptFile> files, std::span<const std::string> roots) {
  TRY(std::vector<ScriptItem> items, read_items(files));
  TRY(items, reachable_items(std::move(items), roots));
  TRY(simplify_items(items, roots));
  inline_functions(items, roots);
  unquote_keys(items);
  share_repeated(items);
  TRY(rename_items(items, roots));
  std::string out = print_constants(items, roots);
  for (const ScriptItem& item : items) {
    if (!item.is_function || can_be_arrow(item, roots)) continue;
    out += (item.is_async ? "async function " : "function ") + item.name;
    out += print_script(item.tokens);
  }
  return out;
}

}  // namespace tintype
