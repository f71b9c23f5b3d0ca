// SPDX-License-Identifier: Apache-2.0
#include "edge/script.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace tintype {
namespace {

using Kind = ScriptToken::Kind;

constexpr auto kKeywords = std::to_array<std::string_view>(
    {"async", "await",      "break", "catch",   "const",     "continue", "delete",
     "do",    "else",       "false", "finally", "for",       "function", "if",
     "in",    "instanceof", "let",   "new",     "null",      "return",   "this",
     "throw", "true",       "try",   "typeof",  "undefined", "void",     "while"});

// Words that JavaScript has and the contract has not.
constexpr auto kForbidden = std::to_array<std::string_view>(
    {"case", "class", "debugger", "default", "enum", "eval", "export", "extends", "import", "of",
     "super", "switch", "var", "with", "yield"});

// Behind them a value begins, so that '/' there begins a regular expression.
constexpr auto kBeforeValue = std::to_array<std::string_view>(
    {"await", "delete", "else", "in", "instanceof", "new", "return", "throw", "typeof", "void"});

// Longest first: the first that matches is taken.
constexpr auto kSigns = std::to_array<std::string_view>(
    {">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "=>", "==", "!=", "<=", ">=", "&&",
     "||",   "??",  "++",  "--",  "+=",  "-=",  "*=",  "/=",  "%=", "&=", "|=", "^=", "<<", ">>",
     "**",   "{",   "}",   "(",   ")",   "[",   "]",   ";",   ",",  "<",  ">",  "+",  "-",  "*",
     "/",    "%",   "&",   "|",   "^",   "!",   "~",   "?",   ":",  "=",  "."});

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '_' || c == '$';
}

bool is_opening(const ScriptToken& token) {
  return token.is("(") || token.is("[") || token.is("{");
}

bool is_closing(const ScriptToken& token) {
  return token.is(")") || token.is("]") || token.is("}");
}

// Whether an expression may end with this token.
bool ends_value(const ScriptToken& token) {
  switch (token.kind) {
    case Kind::Keyword:
      return token.text == "this" || token.text == "null" || token.text == "true" ||
             token.text == "false" || token.text == "undefined";
    case Kind::Sign:
      return token.is("]") || (token.is(")") && !token.is_condition) ||
             (token.is("}") && token.is_object);
    default:
      return true;
  }
}

class ScriptReader {
 public:
  explicit ScriptReader(const ScriptFile& file) : file_(file), text_(file.text) {}

  Result<Script> read() {
    while (true) {
      TRY(skip_space());
      if (at_ == text_.size()) break;
      TRY(take_token());
    }
    if (!open_.empty()) {
      const ScriptToken& token = script_[open_.back()];
      return script_fault(file_.name, token.line, "'" + token.text + "' is never closed");
    }
    return std::move(script_);
  }

 private:
  Failure fault(std::string_view what) const { return script_fault(file_.name, line_, what); }

  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  Result<> skip_space() {
    while (at_ < text_.size()) {
      if (peek() == '\n') {
        ++line_;
        ++at_;
      } else if (peek() == ' ' || peek() == '\t' || peek() == '\r') {
        ++at_;
      } else if (peek() == '/' && peek(1) == '/') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (peek() == '/' && peek(1) == '*') {
        std::size_t end = text_.find("*/", at_ + 2);
        if (end == std::string_view::npos) return fault("a comment is never closed");
        line_ +=
            static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(at_),
                                        text_.begin() + static_cast<std::ptrdiff_t>(end), '\n'));
        at_ = end + 2;
      } else {
        break;
      }
    }
    return {};
  }

  Result<> take_token() {
    char c = peek();
    if (c == '`') return fault("template literals are not in the edge function's language");
    if (c == '\'' || c == '"') return take_text(c);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return take_number();
    if (is_word_char(c)) return take_word();
    if (c == '/' && !is_division()) return take_regex();
    for (std::string_view sign : kSigns) {
      if (text_.substr(at_, sign.size()) == sign) return take_sign(sign);
    }
    return fault("this character is not in the edge function's language");
  }

  Result<> take_text(char quote) {
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != quote && text_[end] != '\n') {
      end += text_[end] == '\\' ? 2 : 1;
    }
    if (end >= text_.size() || text_[end] == '\n') return fault("a text is never closed");
    return push(Kind::Text, end + 1);
  }

  Result<> take_number() {
    std::size_t end = at_;
    while (end < text_.size()) {
      bool is_exponent_sign = (text_[end] == '+' || text_[end] == '-') && end > at_ &&
                              (text_[end - 1] == 'e' || text_[end - 1] == 'E') &&
                              text_.substr(at_, 2) != "0x";
      if (!is_word_char(text_[end]) && text_[end] != '.' && !is_exponent_sign) break;
      ++end;
    }
    return push(Kind::Number, end);
  }

  Result<> take_word() {
    std::size_t end = at_;
    while (end < text_.size() && is_word_char(text_[end])) ++end;
    std::string_view word = text_.substr(at_, end - at_);
    if (!script_.empty() && script_.back().is(".")) return push(Kind::Property, end);
    if (is_key(end)) return push(Kind::Key, end);
    if (is_among(kForbidden, word)) {
      return fault("'" + std::string(word) + "' is not in the edge function's language");
    }
    return push(is_among(kKeywords, word) ? Kind::Keyword : Kind::Name, end);
  }

  // Whether what ends at `end` is the key of an object: in an object, behind '{' or ',', before
  // ':'.
  bool is_key(std::size_t end) const {
    if (open_.empty() || !script_[open_.back()].is_object) return false;
    if (!script_.back().is(",") && script_.back().text != "{") return false;
    std::size_t next = text_.find_first_not_of(" \t\r\n", end);
    return next != std::string_view::npos && text_[next] == ':';
  }

  // Whether '/' here divides: behind a value it does. "x++ / 2" has a sign in between.
  bool is_division() const {
    if (script_.empty()) return false;
    const ScriptToken* last = &script_.back();
    if ((last->is("++") || last->is("--")) && script_.size() > 1) last = &script_.end()[-2];
    return ends_value(*last);
  }

  Result<> take_regex() {
    bool is_in_class = false;
    std::size_t end = at_ + 1;
    while (end < text_.size() && text_[end] != '\n' && (is_in_class || text_[end] != '/')) {
      if (text_[end] == '[') is_in_class = true;
      if (text_[end] == ']') is_in_class = false;
      end += text_[end] == '\\' ? 2 : 1;
    }
    if (end >= text_.size() || text_[end] == '\n') {
      return fault("a regular expression is never closed");
    }
    ++end;
    while (end < text_.size() && is_word_char(text_[end])) ++end;
    return push(Kind::Regex, end);
  }

  Result<> take_sign(std::string_view sign) {
    if (sign == "...") return fault("'...' is not in the edge function's language");
    if (sign == ":" || sign == "," || sign == "}" || sign == "(") TRY(check_short_key(sign));
    ScriptToken token{.kind = Kind::Sign, .text = std::string(sign)};
    if (sign == "{") token.is_object = begins_object();
    if (sign == "?" && peek(1) == '.' && !is_digit(peek(2))) {
      return fault("'?.' is not in the edge function's language");
    }
    if (is_closing(token)) TRY(close(token));
    TRY(push(std::move(token), at_ + sign.size()));
    if (is_opening(script_.back())) open_.push_back(script_.size() - 1);
    return {};
  }

  // A name that stands for itself in an object, or a method: only written-out keys are allowed, so
  // that renaming never touches a key.
  Result<> check_short_key(std::string_view sign) const {
    if (sign == ":" || script_.size() < 2 || open_.empty()) return {};
    if (script_[open_.back()].text != "{" || !script_[open_.back()].is_object) return {};
    const ScriptToken& before = script_.end()[-2];
    bool is_first = &before == &script_[open_.back()];
    if (script_.back().kind != Kind::Name || (!is_first && !before.is(","))) return {};
    return fault("a key without a value: write {" + script_.back().text + ": " +
                 script_.back().text + "}");
  }

  bool begins_object() const {
    if (script_.empty()) return false;
    const ScriptToken& last = script_.back();
    if (last.kind == Kind::Keyword) return is_among(kBeforeValue, last.text) && !last.is("else");
    return last.kind == Kind::Sign && !last.is(")") && !last.is("=>") && !last.is(";") &&
           !last.is("{") && !last.is("}");
  }

  Result<> close(ScriptToken& token) {
    std::string_view wanted = token.is(")") ? "(" : token.is("]") ? "[" : "{";
    if (open_.empty() || script_[open_.back()].text != wanted) {
      return fault("'" + token.text + "' closes nothing");
    }
    std::size_t open = open_.back();
    open_.pop_back();
    token.is_object = script_[open].is_object;
    if (open > 0) {
      const ScriptToken& before = script_[open - 1];
      token.is_condition = token.is(")") && before.kind == Kind::Keyword &&
                           (before.is("if") || before.is("for") || before.is("while"));
    }
    return {};
  }

  Result<> push(Kind kind, std::size_t end) {
    ScriptToken token{.kind = kind, .text = std::string(text_.substr(at_, end - at_))};
    if (kind == Kind::Text && is_key(end)) token.kind = Kind::Key;
    return push(std::move(token), end);
  }

  Result<> push(ScriptToken token, std::size_t end) {
    token.line = line_;
    token.begin = at_;
    token.end = end;
    TRY(check_end(token));
    at_ = end;
    script_.push_back(std::move(token));
    return {};
  }

  // JavaScript would put a ';' at the end of this line; the shortened text has no lines.
  Result<> check_end(const ScriptToken& next) const {
    if (script_.empty() || script_.back().line == next.line || !ends_value(script_.back())) {
      return {};
    }
    bool goes_on = next.kind == Kind::Sign ? !(next.is("{") || next.is("!") || next.is("~") ||
                                               next.is("++") || next.is("--"))
                                           : next.is("in") || next.is("instanceof");
    if (goes_on) return {};
    return script_fault(file_.name, script_.back().line, "a statement does not end with ';'");
  }

  const ScriptFile& file_;
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  Script script_;
  std::vector<std::size_t> open_;
};

bool would_join(const ScriptToken& left, const ScriptToken& right) {
  char a = left.text.back(), b = right.text.front();
  bool is_wordlike = is_word_char(a) || left.kind == Kind::Regex;
  if (is_wordlike && is_word_char(b)) return true;
  if ((a == '+' || a == '-') && a == b) return true;
  if (a == '/' && b == '/') return true;
  if (a == '<' && b == '!') return true;  // "<!--" begins a comment
  return left.kind == Kind::Number && b == '.' && left.text.find('.') == std::string::npos;
}

}  // namespace

bool ScriptToken::is(std::string_view sign) const {
  return (kind == Kind::Sign || kind == Kind::Keyword) && text == sign;
}

Failure script_fault(const std::string& file, int line, std::string_view what) {
  return fail_public(ErrorCode::BadRequest,
                     file + ":" + std::to_string(line) + ": " + std::string(what));
}

Result<Script> read_script(const ScriptFile& file) {
  return ScriptReader(file).read();
}

std::size_t mate_of(std::span<const ScriptToken> script, std::size_t open) {
  int depth = 0;
  for (std::size_t i = open; i < script.size(); ++i) {
    if (is_opening(script[i])) ++depth;
    if (is_closing(script[i]) && --depth == 0) return i;
  }
  CHECK(!"a bracket without its mate");
  return kNoToken;
}

std::string print_script(std::span<const ScriptToken> script) {
  std::string out;
  const ScriptToken* last = nullptr;
  for (const ScriptToken& token : script) {
    if (last != nullptr && would_join(*last, token)) out += ' ';
    out += token.text;
    last = &token;
  }
  return out;
}

}  // namespace tintype
