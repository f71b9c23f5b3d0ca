// SPDX-License-Identifier: Apache-2.0
#include "edge/expression_shape.h"

#include <algorithm>

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;

Binding binding_of(const ScriptToken& token) {
  if (token.kind != Kind::Sign) return Binding::Tight;
  const std::string& sign = token.text;
  if (sign == ",") return Binding::Comma;
  // "??" may not stand beside "||" and "&&" without brackets.
  if (sign == "?" || sign == "??") return Binding::Choice;
  if (sign == "||") return Binding::Or;
  if (sign == "&&") return Binding::And;
  bool is_comparison = sign == "==" || sign == "===" || sign == "!=" || sign == "!==" ||
                       sign == "<=" || sign == ">=";
  bool assigns = sign == "=>" || (sign.back() == '=' && !is_comparison);
  return assigns ? Binding::Assignment : Binding::Tight;
}

Binding loosest(const Script& expression) {
  Binding out = Binding::Tight;
  int depth = 0;
  for (const ScriptToken& token : expression) {
    if (token.is("(") || token.is("[") || token.is("{")) ++depth;
    if (token.is(")") || token.is("]") || token.is("}")) --depth;
    if (depth == 0) out = std::min(out, binding_of(token));
  }
  return out;
}

// Whether it is names, properties and calls only, so that a '!' before it belongs to all of it.
bool is_operand(std::span<const ScriptToken> expression) {
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const ScriptToken& token = expression[i];
    bool is_open = token.is("(") || token.is("[");
    if (token.kind != Kind::Name && token.kind != Kind::Property && !is_open && !token.is(".")) {
      return false;
    }
    if (is_open) i = mate_of(expression, i);
  }
  return true;
}

bool is_negated(const Script& condition) {
  return condition.size() > 1 && condition[0].is("!") &&
         is_operand(std::span(condition).subspan(1));
}

Script behind_first(const Script& script) {
  return {script.begin() + 1, script.end()};
}

}  // namespace

void add_sign(Script& out, std::string_view sign) {
  out.push_back(made_token(Kind::Sign, std::string(sign)));
}

void add_part(Script& out, const Script& part, Binding least) {
  bool is_loose = loosest(part) < least;
  if (is_loose) add_sign(out, "(");
  out.insert(out.end(), part.begin(), part.end());
  if (is_loose) add_sign(out, ")");
}

Script joined(const Script& left, std::string_view sign, const Script& right, Binding least) {
  Script out;
  add_part(out, left, least);
  add_sign(out, sign);
  add_part(out, right, least);
  return out;
}

Script choice(const Script& condition, const Script& yes, const Script& no) {
  if (is_negated(condition)) return choice(behind_first(condition), no, yes);
  Script out;
  add_part(out, condition, Binding::Or);
  add_sign(out, "?");
  add_part(out, yes, Binding::Assignment);
  add_sign(out, ":");
  add_part(out, no, Binding::Assignment);
  return out;
}

Script guarded(const Script& condition, const Script& then) {
  if (is_negated(condition)) return joined(behind_first(condition), "||", then, Binding::Or);
  return joined(condition, "&&", then, Binding::And);
}

Script guarded_not(const Script& condition, const Script& then) {
  if (is_negated(condition)) return joined(behind_first(condition), "&&", then, Binding::And);
  return joined(condition, "||", then, Binding::Or);
}

Script without_brackets(Script expression) {
  while (!expression.empty() && expression[0].is("(") &&
         mate_of(expression, 0) == expression.size() - 1) {
    expression.erase(expression.begin());
    expression.pop_back();
  }
  return expression;
}

std::size_t length_of(const Script& script) {
  std::size_t bytes = 0;
  for (const ScriptToken& token : script) {
    bytes += token.kind == Kind::Name ? 1 : token.text.size();
    if (token.is("return") || token.is("let") || token.is("throw")) ++bytes;
  }
  return bytes;
}

}  // namespace tintype
