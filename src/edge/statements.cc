// SPDX-License-Identifier: Apache-2.0
#include "edge/statements.h"

#include <algorithm>
#include <array>

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;

constexpr auto kBeginners =
    std::to_array<std::string_view>({"break", "catch", "const", "continue", "do", "else", "finally",
                                     "for", "if", "let", "return", "throw", "try", "while"});

class StatementReader {
 public:
  StatementReader(std::span<const ScriptToken> script, const std::string& file)
      : script_(script), file_(file) {}

  Result<std::vector<Statement>> read() {
    std::vector<Statement> all;
    while (at_ < script_.size()) {
      if (is(";")) {
        ++at_;
        continue;
      }
      TRY(Statement one, read_one());
      all.push_back(std::move(one));
    }
    return all;
  }

 private:
  Failure fault(std::string_view what) const {
    std::size_t at = std::min(at_, script_.size() - 1);
    return script_fault(file_, script_[at].line, what);
  }
  bool is(std::string_view word) const { return at_ < script_.size() && script_[at_].is(word); }
  std::size_t mate() const { return mate_of(script_, at_); }
  Script slice(std::size_t begin, std::size_t end) const {
    return {script_.begin() + static_cast<std::ptrdiff_t>(begin),
            script_.begin() + static_cast<std::ptrdiff_t>(end)};
  }

  Result<Statement> read_one() {
    if (is("{")) return read_block();
    if (is("if")) return read_if();
    if (is("for") || is("while")) return read_loop();
    if (is("try") || is("function") || is("do") ||
        (is("async") && at_ + 1 < script_.size() && script_[at_ + 1].is("function"))) {
      return read_plain();
    }
    if (is("break") || is("continue")) return read_simple(Statement::Kind::Plain);
    auto behind = [&](Statement::Kind kind) {
      ++at_;
      return read_simple(kind);
    };
    if (is("return")) return behind(Statement::Kind::Return);
    if (is("throw")) return behind(Statement::Kind::Throw);
    if (is("let") || is("const")) return behind(Statement::Kind::Let);
    return read_simple(Statement::Kind::Expression);
  }

  // Up to its ';'.
  Result<Statement> read_simple(Statement::Kind kind) {
    std::size_t begin = at_;
    while (at_ < script_.size() && !is(";")) {
      bool begins =
          script_[at_].kind == Kind::Keyword &&
          std::find(kBeginners.begin(), kBeginners.end(), script_[at_].text) != kBeginners.end();
      if (begins && (at_ > begin || kind != Statement::Kind::Plain)) {
        return fault("a ';' is missing before '" + script_[at_].text + "'");
      }
      at_ = is("(") || is("[") || is("{") ? mate() + 1 : at_ + 1;
    }
    if (at_ >= script_.size()) return fault("a statement does not end with ';'");
    Statement out{.kind = kind, .head = slice(begin, at_)};
    if (kind == Statement::Kind::Plain) out.head.push_back(script_[at_]);
    ++at_;
    return out;
  }

  Result<Statement> read_block() {
    std::size_t end = mate();
    Statement out{.kind = Statement::Kind::Block};
    TRY(out.body, StatementReader(script_.subspan(at_ + 1, end - at_ - 1), file_).read());
    at_ = end + 1;
    return out;
  }

  Result<std::vector<Statement>> read_body() {
    if (at_ >= script_.size()) return fault("a statement is missing");
    if (is(";")) {
      ++at_;
      return std::vector<Statement>{};
    }
    TRY(Statement one, read_one());
    if (one.kind == Statement::Kind::Block) return std::move(one.body);
    std::vector<Statement> out;
    out.push_back(std::move(one));
    return out;
  }

  Result<Statement> read_if() {
    ++at_;
    if (!is("(")) return fault("'(' is missing behind 'if'");
    Statement out{.kind = Statement::Kind::If, .head = slice(at_ + 1, mate())};
    at_ = mate() + 1;
    TRY(out.body, read_body());
    if (is("else")) {
      ++at_;
      TRY(out.other, read_body());
    }
    return out;
  }

  Result<Statement> read_loop() {
    std::size_t begin = at_++;
    if (!is("(")) return fault("'(' is missing behind '" + script_[begin].text + "'");
    at_ = mate() + 1;
    Statement out{.kind = Statement::Kind::Loop, .head = slice(begin, at_)};
    TRY(out.body, read_body());
    return out;
  }

  // As far as its last block: "try {…} catch (e) {…}", "function f(…) {…}", "do {…} while (…);".
  Result<Statement> read_plain() {
    std::size_t begin = at_;
    bool is_do = is("do");
    do {
      while (at_ < script_.size() && !is("{")) at_ = is("(") ? mate() + 1 : at_ + 1;
      if (at_ >= script_.size()) return fault("a block is missing");
      at_ = mate() + 1;
      if (is("catch") && !script_[std::min(at_ + 1, script_.size() - 1)].is("(")) {
        return fault("'catch' without a name is not in the edge function's language");
      }
    } while (is("catch") || is("finally"));
    while (is_do && at_ < script_.size() && !is(";")) at_ = is("(") ? mate() + 1 : at_ + 1;
    if (is_do) ++at_;
    return Statement{.kind = Statement::Kind::Plain,
                     .head = slice(begin, std::min(at_, script_.size()))};
  }

  std::span<const ScriptToken> script_;
  const std::string& file_;
  std::size_t at_ = 0;
};

void append(Script& out, const Script& more) {
  out.insert(out.end(), more.begin(), more.end());
}

void append(Script& out, Kind kind, std::string_view word) {
  out.push_back(made_token(kind, std::string(word)));
}

void write(const Statement& statement, Script& out);

// Whether an 'else' behind the statement would be taken for one of its own.
bool takes_else(const std::vector<Statement>& body) {
  if (body.size() != 1) return false;
  if (body[0].kind == Statement::Kind::Loop) return takes_else(body[0].body);
  if (body[0].kind != Statement::Kind::If) return false;
  return body[0].other.empty() || takes_else(body[0].other);
}

void write_body(const std::vector<Statement>& body, bool is_before_else, Script& out) {
  if (body.empty()) return append(out, Kind::Sign, ";");
  bool is_declaration = body[0].kind == Statement::Kind::Let ||
                        (body[0].kind == Statement::Kind::Plain && !body[0].head.back().is(";"));
  if (body.size() == 1 && !is_declaration && !(is_before_else && takes_else(body))) {
    return write(body[0], out);
  }
  append(out, Kind::Sign, "{");
  append(out, write_statements(body));
  append(out, Kind::Sign, "}");
}

void write_if(const Statement& statement, Script& out) {
  append(out, Kind::Keyword, "if");
  append(out, Kind::Sign, "(");
  append(out, statement.head);
  append(out, Kind::Sign, ")");
  write_body(statement.body, !statement.other.empty(), out);
  if (statement.other.empty()) return;
  append(out, Kind::Keyword, "else");
  write_body(statement.other, false, out);
}

void write(const Statement& statement, Script& out) {
  switch (statement.kind) {
    case Statement::Kind::If:
      return write_if(statement, out);
    case Statement::Kind::Loop:
      append(out, statement.head);
      return write_body(statement.body, false, out);
    case Statement::Kind::Block:
      append(out, Kind::Sign, "{");
      append(out, write_statements(statement.body));
      return append(out, Kind::Sign, "}");
    case Statement::Kind::Plain:
      return append(out, statement.head);
    case Statement::Kind::Return:
      append(out, Kind::Keyword, "return");
      break;
    case Statement::Kind::Throw:
      append(out, Kind::Keyword, "throw");
      break;
    case Statement::Kind::Let:
      append(out, Kind::Keyword, "let");
      break;
    case Statement::Kind::Expression:
      break;
  }
  append(out, statement.head);
  append(out, Kind::Sign, ";");
}

// Whether its last token is a ';' that only separates; that of "for(…);" is a statement.
bool ends_with_separator(const std::vector<Statement>& body) {
  if (body.empty()) return false;
  const Statement& last = body.back();
  if (last.kind == Statement::Kind::Loop) return ends_with_separator(last.body);
  if (last.kind == Statement::Kind::If) {
    return ends_with_separator(last.other.empty() ? last.body : last.other);
  }
  return true;
}

}  // namespace

Result<std::vector<Statement>> read_statements(std::span<const ScriptToken> script,
                                               const std::string& file) {
  return StatementReader(script, file).read();
}

Script write_statements(const std::vector<Statement>& statements) {
  Script out;
  for (const Statement& statement : statements) write(statement, out);
  if (!out.empty() && out.back().is(";") && ends_with_separator(statements)) out.pop_back();
  return out;
}

}  // namespace tintype
