// SPDX-License-Identifier: Apache-2.0
#include "edge/combine_statements.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "edge/expression_shape.h"

namespace tintype {
namespace {

using Is = Statement::Kind;
using Statements = std::vector<Statement>;

bool begins_like_statement(const Script& head) {
  return head.empty() || head[0].is("{") || head[0].is("function") || head[0].is("async");
}

// An if without an else, whose condition may stand at the begin of a statement.
bool is_plain_if(const Statement& it) {
  return it.kind == Is::If && it.other.empty() && !begins_like_statement(it.head);
}

bool leaves(const Statements& body) {
  return body.size() == 1 && (body[0].kind == Is::Return || body[0].kind == Is::Throw);
}

bool leaves_without_value(const Statement& it) {
  return it.kind == Is::Return && it.head.empty();
}

std::optional<Statement> chosen(const Statement& it) {
  for (Is kind : {Is::Expression, Is::Return}) {
    if (!is_only(it.body, kind) || !is_only(it.other, kind)) continue;
    return Statement{.kind = kind, .head = choice(it.head, it.body[0].head, it.other[0].head)};
  }
  return std::nullopt;
}

// "if(a)b();" as "a&&b();", two ways as "a?b():c();" and the like; nothing where it stays an if.
std::optional<Statement> without_if(const Statement& it) {
  if (it.kind != Is::If || begins_like_statement(it.head)) return std::nullopt;
  if (!it.other.empty()) return chosen(it);
  if (is_only(it.body, Is::If) && it.body[0].other.empty()) {
    Statement out = it.body[0];
    out.head = joined(it.head, "&&", out.head, Binding::And);
    return out;
  }
  if (!is_only(it.body, Is::Expression)) return std::nullopt;
  Statement out{.kind = Is::Expression, .head = guarded(it.head, it.body[0].head)};
  bool is_shorter = length_of(out.head) <= length_of(write_statements({it}));
  return is_shorter ? std::optional(out) : std::nullopt;
}

bool is_same(const Statements& a, const Statements& b) {
  return print_script(write_statements(a)) == print_script(write_statements(b));
}

// Two statements as one, where that can be.
std::optional<Statement> combined(const Statement& a, const Statement& b) {
  auto both = [&](Is kind) {
    return Statement{.kind = kind, .head = joined(a.head, ",", b.head, Binding::Comma)};
  };
  if (a.kind == Is::Let && b.kind == Is::Let) return both(Is::Let);
  bool has_value = b.kind == Is::Return || b.kind == Is::Throw || b.kind == Is::Expression;
  if (a.kind == Is::Expression && has_value && !b.head.empty()) {
    return both(b.kind);
  }
  if (!is_plain_if(a)) return std::nullopt;
  if (is_only(a.body, Is::Return) && b.kind == Is::Return && !b.head.empty()) {
    return Statement{.kind = Is::Return, .head = choice(a.head, a.body[0].head, b.head)};
  }
  if (leaves(a.body) && is_plain_if(b) && is_same(a.body, b.body)) {
    return Statement{
        .kind = Is::If, .head = joined(a.head, "||", b.head, Binding::Or), .body = b.body};
  }
  return std::nullopt;
}

// The last two statements of a function that returns nothing.
std::optional<Statement> combined_at_end(const Statement& a, const Statement& b) {
  if (!is_plain_if(a) || b.kind != Is::Expression) return std::nullopt;
  if (a.body.size() == 1 && leaves_without_value(a.body[0])) {
    return Statement{.kind = Is::Expression, .head = guarded_not(a.head, b.head)};
  }
  if (a.body.size() == 2 && a.body[0].kind == Is::Expression && leaves_without_value(a.body[1])) {
    return Statement{.kind = Is::Expression, .head = choice(a.head, a.body[0].head, b.head)};
  }
  return std::nullopt;
}

// Blocks that declare nothing are no more than what is in them.
Statements without_blocks(Statements list) {
  Statements out;
  for (Statement& one : list) {
    bool declares = std::any_of(one.body.begin(), one.body.end(), [](const Statement& inner) {
      return inner.kind == Is::Let || inner.kind == Is::Plain;
    });
    if (one.kind != Is::Block || declares) {
      out.push_back(std::move(one));
    } else {
      std::move(one.body.begin(), one.body.end(), std::back_inserter(out));
    }
  }
  return out;
}

void replace_two(Statements& list, std::size_t at, Statement one) {
  list[at] = std::move(one);
  list.erase(list.begin() + static_cast<std::ptrdiff_t>(at) + 1);
}

bool combine_once(Statements& list) {
  bool changed = false;
  for (std::size_t i = list.size(); i-- > 0;) {
    while (auto one = without_if(list[i])) {
      list[i] = std::move(*one);
      changed = true;
    }
    if (i + 1 == list.size()) continue;
    if (auto one = combined(list[i], list[i + 1])) {
      replace_two(list, i, std::move(*one));
      changed = true;
    }
  }
  return changed;
}

}  // namespace

bool is_only(const Statements& body, Is kind) {
  return body.size() == 1 && body[0].kind == kind && !body[0].head.empty();
}

void combine_statements(Statements& list) {
  list = without_blocks(std::move(list));
  while (combine_once(list)) {
  }
}

void combine_function_body(Statements& list) {
  combine_statements(list);
  while (list.size() > 1) {
    auto one = combined_at_end(list[list.size() - 2], list.back());
    if (!one) return;
    replace_two(list, list.size() - 2, std::move(*one));
    combine_statements(list);
  }
}

}  // namespace tintype
