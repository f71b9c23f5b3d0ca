// SPDX-License-Identifier: Apache-2.0
#include "store/s3_xml.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace tintype {
namespace {

constexpr int kMaxDepth = 16;
constexpr int kMaxElements = 100'000;  // a page of 1,000 keys has about 10,000

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == ':';
}

void append_utf8(std::string& out, std::uint32_t code) {
  auto put = [&](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xc0 | code >> 6);
  } else {
    if (code < 0x10000) {
      put(0xe0 | code >> 12);
    } else {
      put(0xf0 | code >> 18);
      put(0x80 | (code >> 12 & 0x3f));
    }
    put(0x80 | (code >> 6 & 0x3f));
  }
  put(0x80 | (code & 0x3f));
}

// "#38" or "#x26".
std::optional<std::uint32_t> parse_reference(std::string_view name) {
  bool is_hex = name.starts_with("#x");
  std::string_view digits = name.substr(is_hex ? 2 : 1);
  if (digits.empty() || digits.size() > 7) return std::nullopt;
  std::uint32_t code = 0;
  for (char c : digits) {
    char small = lower(c);
    bool is_digit = small >= '0' && small <= '9';
    bool is_letter = is_hex && small >= 'a' && small <= 'f';
    if (!is_digit && !is_letter) return std::nullopt;
    code = code * (is_hex ? 16 : 10) +
           static_cast<std::uint32_t>(is_digit ? small - '0' : small - 'a' + 10);
  }
  bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code == 0 || code > 0x10ffff || is_surrogate) return std::nullopt;
  return code;
}

bool append_entity(std::string& out, std::string_view name) {
  static constexpr std::pair<std::string_view, char> kNamed[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kNamed) {
    if (name != known) continue;
    out += c;
    return true;
  }
  if (!name.starts_with('#')) return false;
  auto code = parse_reference(name);
  if (code) append_utf8(out, *code);
  return code.has_value();
}

class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<XmlElement> document() {
    skip_spaces();
    if (take("<?xml")) {
      auto end = rest_.find("?>");
      if (end == std::string_view::npos) return std::nullopt;
      rest_.remove_prefix(end + 2);
    }
    skip_spaces();
    XmlElement root;
    if (!element(root, 1)) return std::nullopt;
    skip_spaces();
    if (!rest_.empty()) return std::nullopt;
    return root;
  }

 private:
  bool element(XmlElement& into, int depth) {
    if (depth > kMaxDepth || ++elements_ > kMaxElements || !take("<")) return false;
    into.name = name();
    if (into.name.empty() || !attributes()) return false;
    if (take("/>")) return true;
    return take(">") && content(into, depth) && take("</") && take(into.name) && end_of_tag();
  }

  // Up to the end tag of `into`.
  bool content(XmlElement& into, int depth) {
    for (;;) {
      if (!text(into.text)) return false;
      if (rest_.starts_with("</")) break;
      if (!element(into.children.emplace_back(), depth + 1)) return false;
    }
    // Between elements there is only their layout.
    if (!into.children.empty()) into.text.clear();
    return true;
  }

  // Up to the next tag.
  bool text(std::string& out) {
    while (!rest_.empty()) {
      auto plain = std::min(rest_.find_first_of("<&"), rest_.size());
      out += rest_.substr(0, plain);
      rest_.remove_prefix(plain);
      if (rest_.empty() || rest_.front() == '<') break;
      auto end = rest_.find(';');
      if (end == std::string_view::npos || !append_entity(out, rest_.substr(1, end - 1))) {
        return false;
      }
      rest_.remove_prefix(end + 1);
    }
    return !rest_.empty();
  }

  bool attributes() {
    for (;;) {
      skip_spaces();
      if (rest_.starts_with(">") || rest_.starts_with("/>")) return true;
      if (name().empty() || !take("=") || rest_.empty()) return false;
      char quote = rest_.front();
      if (quote != '"' && quote != '\'') return false;
      auto end = rest_.find(quote, 1);
      if (end == std::string_view::npos) return false;
      if (rest_.substr(0, end).find('<') != std::string_view::npos) return false;
      rest_.remove_prefix(end + 1);
    }
  }

  bool end_of_tag() {
    skip_spaces();
    return take(">");
  }
  std::string name() {
    auto end = std::find_if_not(rest_.begin(), rest_.end(), is_name_char);
    std::string found(rest_.begin(), end);
    rest_.remove_prefix(found.size());
    return found;
  }
  void skip_spaces() {
    while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
  }
  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  std::string_view rest_;
  int elements_ = 0;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view child_name) const {
  auto found = std::find_if(children.begin(), children.end(),
                            [&](const XmlElement& c) { return c.name == child_name; });
  return found == children.end() ? nullptr : &*found;
}

std::string_view XmlElement::text_of(std::string_view child_name) const {
  const XmlElement* found = child(child_name);
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

std::optional<XmlElement> parse_xml(std::string_view text) {
  return Parser(text).document();
}

std::string escape_xml(std::string_view text) {
  std::string out;
  for (char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool is_xml_text(std::string_view text) {
  bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  bool has_noncharacter = text.find("\xef\xbf\xbe") != std::string_view::npos ||
                          text.find("\xef\xbf\xbf") != std::string_view::npos;
  return !has_control && !has_noncharacter && is_utf8(text);
}

}  // namespace tintype
