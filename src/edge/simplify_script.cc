// SPDX-License-Identifier: Apache-2.0
#include "edge/simplify_script.h"

#include <utility>

#include "edge/combine_statements.h"
#include "edge/expression_shape.h"
#include "edge/statements.h"

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;
using Is = Statement::Kind;
using Statements = std::vector<Statement>;

Result<> simplify(Statements& list, const std::string& file) {
  for (Statement& one : list) {
    TRY(one.head, simplify_expression(one.head, file));
    if (one.kind == Is::Return || one.kind == Is::If || one.kind == Is::Throw) {
      one.head = without_brackets(std::move(one.head));
    }
    TRY(simplify(one.body, file));
    TRY(simplify(one.other, file));
  }
  combine_statements(list);
  return {};
}

// The names of "a=1,b=2"; none when one of them has no value.
std::vector<ScriptToken> declared_with_value(const Script& head) {
  std::vector<ScriptToken> names;
  int depth = 0;
  for (std::size_t i = 0; i < head.size(); ++i) {
    if (head[i].is("(") || head[i].is("[") || head[i].is("{")) ++depth;
    if (head[i].is(")") || head[i].is("]") || head[i].is("}")) --depth;
    if (depth > 0 || (i > 0 && !head[i].is(","))) continue;
    std::size_t at = i == 0 ? 0 : i + 1;
    if (at + 1 >= head.size() || !head[at + 1].is("=")) return {};
    names.push_back(head[at]);
  }
  return names;
}

// Declarations of a function's body as assignments to further parameters, whose names they are.
std::vector<ScriptToken> hoist(Statements& list) {
  std::vector<ScriptToken> all;
  for (Statement& one : list) {
    if (one.kind != Is::Let) continue;
    std::vector<ScriptToken> names = declared_with_value(one.head);
    if (names.empty()) continue;
    all.insert(all.end(), names.begin(), names.end());
    one.kind = Is::Expression;
  }
  return all;
}

// An arrow function: its parameters, and its body.
class Arrow {
 public:
  // Takes "(a,b)=>" or "a=>" off the end of `out`.
  explicit Arrow(Script& out) {
    out.pop_back();
    std::size_t at = out.size() - 1;
    if (out[at].is(")")) {
      while (!out[at].is("(")) --at;
    }
    for (std::size_t i = at; i < out.size(); ++i) {
      if (out[i].kind == Kind::Name) parameters_.push_back(out[i]);
    }
    is_async_ = at > 0 && out[at - 1].is("async");
    ignores_value_ = at > 1 && out[at - 1].is("(") && out[at - 2].text == "forEach";
    out.resize(at);
  }

  // The shorter of the body as it is and the body with its declarations as parameters.
  Script shortest(const Statements& body) {
    Statements plain = body, hoisted = body;
    combine_function_body(plain);
    Script as_it_is = print(parameters_, plain);
    std::vector<ScriptToken> parameters = parameters_, more = hoist(hoisted);
    if (more.empty()) return as_it_is;
    parameters.insert(parameters.end(), more.begin(), more.end());
    if (parameters.size() > kMaxParameters) return as_it_is;
    combine_function_body(hoisted);
    Script other = print(parameters, hoisted);
    return length_of(other) < length_of(as_it_is) ? other : as_it_is;
  }

 private:
  Script print(const std::vector<ScriptToken>& parameters, const Statements& body) const {
    Script out;
    bool has_brackets = parameters.size() != 1 || is_async_;
    if (has_brackets) add_sign(out, "(");
    for (const ScriptToken& name : parameters) {
      if (&name != &parameters.front()) add_sign(out, ",");
      out.push_back(name);
    }
    if (has_brackets) add_sign(out, ")");
    add_sign(out, "=>");
    bool is_value = is_only(body, Is::Return) || (ignores_value_ && is_only(body, Is::Expression));
    if (is_value) {
      const Script& value = body[0].head;
      bool is_object = value[0].is("{");
      if (is_object) add_sign(out, "(");
      add_part(out, value, is_object ? Binding::Comma : Binding::Assignment);
      if (is_object) add_sign(out, ")");
      return out;
    }
    add_sign(out, "{");
    Script inner = write_statements(body);
    out.insert(out.end(), inner.begin(), inner.end());
    add_sign(out, "}");
    return out;
  }

  std::vector<ScriptToken> parameters_;
  bool is_async_ = false;
  bool ignores_value_ = false;  // forEach
};

// Appends "{…}"; behind "=>" the value alone where the function only returns it.
Result<> add_block(Script& out, std::span<const ScriptToken> inner, const std::string& file) {
  TRY(Statements list, read_statements(inner, file));
  TRY(simplify(list, file));
  bool is_arrow = !out.empty() && out.back().is("=>");
  Script body = is_arrow ? Arrow(out).shortest(list) : write_statements(list);
  if (!is_arrow) add_sign(out, "{");
  out.insert(out.end(), body.begin(), body.end());
  if (!is_arrow) add_sign(out, "}");
  return {};
}

// Shorter words of the same meaning.
void add_word(Script& out, const ScriptToken& token) {
  if (token.is("true") || token.is("false")) {
    add_sign(out, "!");
    out.push_back(made_token(Kind::Number, token.is("true") ? "0" : "1", token.line));
  } else if (token.is("undefined")) {
    out.push_back(made_token(Kind::Keyword, "void", token.line));
    out.push_back(made_token(Kind::Number, "0", token.line));
  } else if (token.is("const")) {
    out.push_back(made_token(Kind::Keyword, "let", token.line));
  } else if (token.kind == Kind::Number) {
    std::size_t zeros = token.text.size() - token.text.find_last_not_of('0') - 1;
    bool is_whole = token.text.find_first_not_of("0123456789") == std::string::npos;
    bool is_round = is_whole && zeros > 2 && token.text[0] != '0';
    std::string text = token.text;
    if (is_round) text.resize(text.size() - zeros);
    if (is_round) text += "e" + std::to_string(zeros);
    out.push_back(made_token(Kind::Number, std::move(text), token.line));
  } else {
    out.push_back(token);
  }
}

// "(a)" of an arrow function with one parameter as "a".
void unbracket_parameter(Script& out) {
  std::size_t size = out.size();
  if (size < 3 || !out[size - 1].is(")") || out[size - 2].kind != Kind::Name ||
      !out[size - 3].is("(") || (size > 3 && out[size - 4].is("async"))) {
    return;
  }
  out.erase(out.begin() + static_cast<std::ptrdiff_t>(size) - 3);
  out.pop_back();
}

}  // namespace

Result<Script> simplify_expression(const Script& expression, const std::string& file) {
  Script out;
  for (std::size_t i = 0; i < expression.size(); ++i) {
    const ScriptToken& token = expression[i];
    if (token.is("=>")) unbracket_parameter(out);
    if (token.is("{") && !token.is_object) {
      std::size_t end = mate_of(expression, i);
      TRY(add_block(out, std::span(expression).subspan(i + 1, end - i - 1), file));
      i = end;
    } else {
      add_word(out, token);
    }
  }
  return out;
}

Result<Script> simplify_function(const Script& function, bool is_arrow, const std::string& file) {
  Script whole = function;
  if (is_arrow) {
    auto body = whole.begin() + static_cast<std::ptrdiff_t>(mate_of(whole, 0)) + 1;
    whole.insert(body, made_token(Kind::Sign, "=>"));
  }
  return simplify_expression(whole, file);
}

}  // namespace tintype
