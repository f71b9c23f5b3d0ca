// SPDX-License-Identifier: Apache-2.0
#include "cli/sitemap.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"

namespace tintype {
namespace {

// XML's own five, and numbers below 128: URLs are ASCII.
std::optional<char> entity(std::string_view name) {
  if (name == "amp") return '&';
  if (name == "lt") return '<';
  if (name == "gt") return '>';
  if (name == "quot") return '"';
  if (name == "apos") return '\'';
  if (!name.starts_with('#')) return std::nullopt;
  int base = name.starts_with("#x") ? 16 : 10;
  int value = 0;
  for (char c : name.substr(base == 16 ? 2 : 1)) {
    std::size_t digit = std::string_view("0123456789abcdef").find(lower(c));
    if (digit >= static_cast<std::size_t>(base)) return std::nullopt;
    value = value * base + static_cast<int>(digit);
    if (value > 127) return std::nullopt;
  }
  return value > 0 ? std::optional<char>(static_cast<char>(value)) : std::nullopt;
}

void append_decoded(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t mark = std::min(text.find('&'), text.size());
    out += text.substr(0, mark);
    text.remove_prefix(mark);
    if (text.empty()) return;
    std::size_t end = text.find(';');
    auto c = end == std::string_view::npos ? std::nullopt : entity(text.substr(1, end - 1));
    out += c.value_or('&');
    text.remove_prefix(c ? end + 1 : 1);
  }
}

std::string_view trim_all(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// "image:loc" -> "loc": prefixes are the writer's choice.
std::string_view local_name(std::string_view tag) {
  tag = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  std::size_t colon = tag.find(':');
  return colon == std::string_view::npos ? tag : tag.substr(colon + 1);
}

class Reader {
 public:
  explicit Reader(std::string_view xml) : rest_(xml) {}

  Sitemap read() {
    while (!rest_.empty()) {
      std::size_t open = std::min(rest_.find('<'), rest_.size());
      append_decoded(text_, rest_.substr(0, open));
      rest_.remove_prefix(open);
      if (!rest_.empty()) read_markup();
    }
    return std::move(found_);
  }

 private:
  // What stands between two marks; the rest is what follows.
  std::string_view take(std::string_view begin, std::string_view end) {
    rest_.remove_prefix(begin.size());
    std::size_t stop = rest_.find(end);
    std::string_view inside = rest_.substr(0, stop);
    rest_.remove_prefix(stop == std::string_view::npos ? rest_.size() : stop + end.size());
    return inside;
  }

  void read_markup() {
    if (rest_.starts_with("<!--")) {
      take("<!--", "-->");
    } else if (rest_.starts_with("<![CDATA[")) {
      text_ += take("<![CDATA[", "]]>");
    } else if (rest_.starts_with("<?") || rest_.starts_with("<!")) {
      take("<", ">");
    } else if (rest_.starts_with("</")) {
      close(local_name(take("</", ">")));
    } else {
      std::string_view tag = take("<", ">");
      text_.clear();
      if (!tag.ends_with('/')) parents_.emplace_back(local_name(tag));
    }
  }

  void close(std::string_view name) {
    // Elements that were never closed end here too.
    while (!parents_.empty() && parents_.back() != name) parents_.pop_back();
    if (parents_.empty()) return;
    parents_.pop_back();
    std::string_view url = trim_all(text_);
    if (name == "loc" && !parents_.empty() && !url.empty()) add(parents_.back(), url);
    text_.clear();
  }

  void add(std::string_view parent, std::string_view url) {
    if (parent == "url") found_.pages.emplace_back(url);
    if (parent == "image") found_.pictures.emplace_back(url);
    if (parent == "sitemap") found_.sitemaps.emplace_back(url);
  }

  std::string_view rest_;
  std::string text_;
  std::vector<std::string_view> parents_;
  Sitemap found_;
};

}  // namespace

Sitemap parse_sitemap(std::string_view xml) {
  return Reader(xml).read();
}

}  // namespace tintype
