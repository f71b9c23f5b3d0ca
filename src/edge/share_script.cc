// SPDX-License-Identifier: Apache-2.0
#include "edge/share_script.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;

// Objects of the engine whose functions need no `this`.
constexpr auto kEngineObjects =
    std::to_array<std::string_view>({"Math", "Number", "Object", "String"});
// What may be called by another name.
constexpr auto kEngineFunctions = std::to_array<std::string_view>(
    {"Number", "Object", "String", "decodeURIComponent", "encodeURIComponent", "parseInt"});

// The names of the constants have one or two letters; most that are used often, one.
constexpr std::size_t kNameBytes = 2;

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// A part of a script that can be a constant.
struct Unit {
  std::size_t tokens = 0;  // 0: none
  Script value;
  bool is_property = false;
};

Unit unit_at(const Script& script, std::size_t i, bool with_properties) {
  auto at = [&](std::size_t ahead) -> const ScriptToken& {
    static const ScriptToken kEnd{};
    return i + ahead < script.size() ? script[i + ahead] : kEnd;
  };
  if (at(0).kind == Kind::Text) return {1, {at(0)}};
  if (at(0).kind == Kind::Regex && at(0).text.back() == '/') return {1, {at(0)}};
  if (at(0).is("null")) return {1, {at(0)}};
  if (at(0).is("void") && at(1).text == "0") return {2, {at(0), at(1)}};
  if (at(0).kind == Kind::Name && is_among(kEngineObjects, at(0).text) && at(1).is(".")) {
    bool is_method = at(2).text == "prototype";
    if (!is_method) return {3, {at(0), at(1), at(2)}};
  }
  if (at(0).kind == Kind::Name && is_among(kEngineFunctions, at(0).text)) return {1, {at(0)}};
  if (with_properties && at(0).is(".") && at(1).kind == Kind::Property) {
    return {2, {made_token(Kind::Text, "'" + at(1).text + "'")}, true};
  }
  return {};
}

struct Count {
  Script value;
  std::size_t plain = 0, properties = 0;

  bool pays() const {
    std::size_t size = print_script(value).size();
    std::size_t now = plain * size + properties * (size - 1);
    std::size_t then = plain * kNameBytes + properties * (kNameBytes + 2) + size + kNameBytes + 2;
    return then < now;
  }
};

std::map<std::string, Count> count_units(const std::vector<ScriptItem>& items) {
  std::map<std::string, Count> counts;
  for (const ScriptItem& item : items) {
    for (std::size_t i = 0; i < item.tokens.size();) {
      Unit unit = unit_at(item.tokens, i, true);
      if (unit.tokens > 0) {
        Count& count = counts[print_script(unit.value)];
        count.value = unit.value;
        ++(unit.is_property ? count.properties : count.plain);
      }
      i += std::max<std::size_t>(unit.tokens, 1);
    }
  }
  return counts;
}

Script with_shared(const Script& script, const std::map<std::string, std::string>& names) {
  Script out;
  for (std::size_t i = 0; i < script.size();) {
    Unit unit = unit_at(script, i, true);
    auto name = names.find(print_script(unit.value));
    if (unit.tokens == 0 || name == names.end()) {
      out.push_back(script[i++]);
      continue;
    }
    if (unit.is_property) out.push_back(made_token(Kind::Sign, "["));
    out.push_back(made_token(Kind::Name, name->second));
    if (unit.is_property) out.push_back(made_token(Kind::Sign, "]"));
    i += unit.tokens;
  }
  return out;
}

// Constants of one token that are used once go there.
void inline_single_uses(std::vector<ScriptItem>& items) {
  std::map<std::string, ScriptToken> values;
  for (const ScriptItem& item : items) {
    bool is_literal = !item.is_function && item.tokens.size() == 1 &&
                      (item.tokens[0].kind == Kind::Text || item.tokens[0].kind == Kind::Number ||
                       item.tokens[0].kind == Kind::Regex);
    if (is_literal) values.emplace(item.name, item.tokens[0]);
  }
  std::map<std::string, int> uses;
  for (const ScriptItem& item : items) {
    for (const ScriptToken& token : item.tokens) {
      if (token.kind == Kind::Name) ++uses[token.text];
    }
  }
  std::erase_if(values, [&](const auto& entry) { return uses[entry.first] != 1; });
  for (ScriptItem& item : items) {
    for (ScriptToken& token : item.tokens) {
      auto value = values.find(token.text);
      if (token.kind == Kind::Name && value != values.end()) token = value->second;
    }
  }
  std::erase_if(items, [&](const ScriptItem& item) { return values.contains(item.name); });
}

// 'a ' + 'b' as 'a b'.
void join_texts(Script& script) {
  for (std::size_t i = 0; i + 2 < script.size();) {
    ScriptToken& left = script[i];
    const ScriptToken& right = script[i + 2];
    bool is_sum = left.kind == Kind::Text && script[i + 1].is("+") && right.kind == Kind::Text &&
                  left.text[0] == right.text[0];
    bool binds_more = (i > 0 && (script[i - 1].is("*") || script[i - 1].is("-") ||
                                 script[i - 1].is("/") || script[i - 1].is("%"))) ||
                      (i + 3 < script.size() && (script[i + 3].is(".") || script[i + 3].is("[")));
    if (!is_sum || binds_more) {
      ++i;
      continue;
    }
    left.text.pop_back();
    left.text += right.text.substr(1);
    script.erase(script.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                 script.begin() + static_cast<std::ptrdiff_t>(i) + 3);
  }
}

}  // namespace

void share_repeated(std::vector<ScriptItem>& items) {
  for (ScriptItem& item : items) join_texts(item.tokens);
  inline_single_uses(items);
  std::map<std::string, std::string> names;
  std::vector<ScriptItem> shared;
  for (const auto& [text, count] : count_units(items)) {
    if (!count.pays()) continue;
    ScriptItem item{.name = "$" + std::to_string(shared.size())};
    item.tokens = count.value;
    names[text] = item.name;
    shared.push_back(std::move(item));
  }
  for (ScriptItem& item : items) item.tokens = with_shared(item.tokens, names);
  items.insert(items.begin(), std::move_iterator(shared.begin()), std::move_iterator(shared.end()));
}

}  // namespace tintype
