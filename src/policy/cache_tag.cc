// SPDX-License-Identifier: Apache-2.0
#include "policy/cache_tag.h"

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxTagBytes = 64;
constexpr std::size_t kMaxSourceTags = 16;
// 32 of 64 bytes are a header of 2 kB, a tenth of what CloudFront passes (20,480 B in all).
constexpr std::size_t kMaxTags = 32;

// Tags in their order, each once.
class TagList {
 public:
  explicit TagList(std::size_t max) : max_(max) {}
  void add(std::string_view tag) {
    bool is_known = std::find(tags_.begin(), tags_.end(), tag) != tags_.end();
    if (is_cache_tag(tag) && !is_known && tags_.size() < max_) tags_.push_back(tag);
  }
  std::string joined() const {
    std::string text;
    for (std::string_view tag : tags_) {
      if (!text.empty()) text += ' ';
      text += tag;
    }
    return text;
  }

 private:
  std::size_t max_;
  std::vector<std::string_view> tags_;
};

void add_each(TagList& list, std::string_view text) {
  for (std::string_view part : split(text, ',')) {
    for (std::string_view word : split(part, ' ')) list.add(trim(word));
  }
}

}  // namespace

bool is_cache_tag(std::string_view word) {
  return !word.empty() && word.size() <= kMaxTagBytes &&
         std::all_of(word.begin(), word.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  std::string_view("-._~:").find(c) != std::string_view::npos;
         });
}

std::string read_cache_tags(std::string_view text) {
  TagList list(kMaxSourceTags);
  add_each(list, text);
  return list.joined();
}

std::string cache_tags_of(const SitePolicy& site, std::string_view source_path,
                          std::string_view source_tags) {
  TagList list(kMaxTags);
  for (const TagRule& rule : site.tags) {
    if (!source_path.starts_with(rule.prefix)) continue;
    for (const std::string& tag : rule.tags) list.add(tag);
  }
  add_each(list, source_tags);
  return list.joined();
}

bool has_tag(std::string_view tags, std::string_view tag) {
  auto words = split(tags, ' ');
  return !tag.empty() && std::find(words.begin(), words.end(), tag) != words.end();
}

}  // namespace tintype
