// SPDX-License-Identifier: Apache-2.0
#include "dialect/json_reader.h"

#include <algorithm>

#include "base/text.h"

namespace tintype {
namespace {

using Kind = JsonValue::Kind;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void append_utf8(std::string& out, std::uint32_t point) {
  auto tail = [&](int shift) { out += static_cast<char>(0x80 | (point >> shift & 0x3F)); };
  if (point < 0x80) {
    out += static_cast<char>(point);
  } else if (point < 0x800) {
    out += static_cast<char>(0xC0 | point >> 6);
    tail(0);
  } else if (point < 0x10000) {
    out += static_cast<char>(0xE0 | point >> 12);
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0 | point >> 18);
    tail(12);
    tail(6);
    tail(0);
  }
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<JsonValue> read_document() {
    if (text_.size() > kMaxJsonBytes) return refuse("more than 8 KB");
    if (!is_utf8(text_)) return refuse("not valid UTF-8");
    TRY(auto value, read_value(0));
    if (at_ < text_.size()) return refuse("nothing may follow the value");
    return value;
  }

 private:
  [[nodiscard]] Failure refuse(std::string_view reason) const {
    return fail_public(ErrorCode::BadRequest, "the JSON is malformed at byte " +
                                                  std::to_string(at_) + ": " + std::string(reason));
  }

  // NUL at the end, which no rule allows.
  char next() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(std::string_view expected) {
    if (!text_.substr(at_).starts_with(expected)) return false;
    at_ += expected.size();
    return true;
  }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  // `depth`: how many arrays and objects the value stands in.
  Result<JsonValue> read_value(int depth) {
    skip_space();
    JsonValue value;
    char c = next();
    if (c == '{' || c == '[') {
      if (depth == kMaxJsonDepth) return refuse("more than 8 levels");
      value.kind = c == '{' ? Kind::Object : Kind::Array;
      TRY(read_items(value, depth + 1));
    } else if (c == '"') {
      value.kind = Kind::String;
      TRY(value.text, read_string());
    } else if (c == '-' || is_digit(c)) {
      value.kind = Kind::Number;
      TRY(value.text, read_number());
    } else {
      TRY(read_word(value));
    }
    skip_space();
    return value;
  }

  Result<> read_word(JsonValue& value) {
    value.kind = next() == 'n' ? Kind::Null : Kind::Boolean;
    for (std::string_view word : {"null", "true", "false"}) {
      if (!take(word)) continue;
      value.text = word;
      return {};
    }
    return refuse("a value is expected");
  }

  Result<> read_items(JsonValue& value, int depth) {
    std::string_view close = value.is(Kind::Object) ? "}" : "]";
    ++at_;
    skip_space();
    if (take(close)) return {};
    while (true) {
      if (value.is(Kind::Object)) {
        TRY(value.names.emplace_back(), read_name());
      }
      TRY(value.items.emplace_back(), read_value(depth));
      if (take(close)) return {};
      if (!take(",")) return refuse("a comma or the end of the list is expected");
    }
  }

  Result<std::string> read_name() {
    skip_space();
    if (next() != '"') return refuse("a name in quotes is expected");
    TRY(auto name, read_string());
    skip_space();
    if (!take(":")) return refuse("a colon is expected");
    return name;
  }

  Result<std::string> read_string() {
    std::string out;
    for (++at_; at_ < text_.size(); ++at_) {
      char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (static_cast<unsigned char>(c) < 0x20) break;
      if (c == '\\') {
        TRY(read_escape(out));
      } else {
        out += c;
      }
    }
    return refuse(at_ < text_.size() ? "a control character in a string"
                                     : "a string without its end");
  }

  // Leaves at_ on the escape's last character.
  Result<> read_escape(std::string& out) {
    static constexpr std::string_view kEscapes = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    ++at_;
    if (next() == 'u') return read_unicode(out);
    std::size_t which = kEscapes.find(next());
    if (which == std::string_view::npos) return refuse("no such escape");
    out += kMeanings[which];
    return {};
  }

  Result<> read_unicode(std::string& out) {
    TRY(std::uint32_t point, read_hex());
    if (point >= 0xDC00 && point < 0xE000) return refuse("a surrogate without its pair");
    if (point >= 0xD800 && point < 0xDC00) {
      if (!text_.substr(at_ + 1).starts_with("\\u")) return refuse("a surrogate without its pair");
      at_ += 2;
      TRY(std::uint32_t low, read_hex());
      if (low < 0xDC00 || low >= 0xE000) return refuse("a surrogate without its pair");
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, point);
    return {};
  }

  // The four digits behind 'u', on which at_ stands; leaves it on the last of them.
  Result<std::uint32_t> read_hex() {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
      ++at_;
      int digit = hex_digit(next());
      if (digit < 0) return refuse("four hexadecimal digits are expected");
      value = value << 4 | static_cast<std::uint32_t>(digit);
    }
    return value;
  }

  bool take_digits() {
    std::size_t begin = at_;
    while (is_digit(next())) ++at_;
    return at_ > begin;
  }

  Result<std::string> read_number() {
    std::size_t begin = at_;
    take("-");
    bool has_leading_zero = take("0");
    if (!has_leading_zero && !take_digits()) return refuse("a digit is expected");
    if (has_leading_zero && is_digit(next())) return refuse("a number with a leading zero");
    if (take(".") && !take_digits()) return refuse("a digit is expected");
    if (take("e") || take("E")) {
      if (!take("+")) take("-");
      if (!take_digits()) return refuse("a digit is expected");
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view name) const {
  auto found = std::find(names.rbegin(), names.rend(), name);
  if (found == names.rend()) return nullptr;
  return &items[static_cast<std::size_t>(names.rend() - found) - 1];
}

Result<JsonValue> read_json(std::string_view text) {
  return Reader(text).read_document();
}

}  // namespace tintype
