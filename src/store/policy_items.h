// SPDX-License-Identifier: Apache-2.0
// PolicyItem: a piece of a site's policy, as it stands in the table: the site's rules, one preset,
// its origins, its keys, one hook, one mount. Pieces are what a person changes, so they are what a
// diff shows, what a fault names and what no item's size limit (400 KB) is ever near to. Here they
// are made of the YAML that people write and put together to the text that parse_policy reads.
// Pure.
// A document is kept as JSON text, not as DynamoDB's own maps: one attribute, kept and compared to
// the letter, without DynamoDB's rules for numbers, empty texts and types in between.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tintype {

struct PolicyItem {
  std::string kind;  // site, preset, origin, key, hook or mount
  std::string name;  // "card"; of a list's element "@000", of a whole field its name
  std::string doc;   // JSON
  auto operator<=>(const PolicyItem&) const = default;
};
using SiteItems = std::vector<PolicyItem>;                          // sorted
using PolicyItems = std::map<std::string, SiteItems, std::less<>>;  // by site

// Takes the `sites:` section of a settings text apart. Fails as parse_policy when it is not YAML;
// whether the rules are right is parse_policy's to say.
Result<PolicyItems> split_policy(const std::string& yaml);

// "site shop, preset card"
std::string label_of(std::string_view site, const PolicyItem& item);

// Equal for equal pieces; hexadecimal.
std::string revision_of(const SiteItems& items);

// "00000012#preset#card", and back; nothing when it is not such a key.
std::string sort_key_of(std::int64_t version, const PolicyItem& item);
std::string sort_prefix_of(std::int64_t version);
struct SortKey {
  std::int64_t version = 0;
  std::string kind, name;
};
std::optional<SortKey> parse_sort_key(std::string_view sk);

// What parse_policy reads, and whose each of its lines is.
struct PolicyText {
  struct Line {
    std::string site, label;
  };
  std::string text;
  std::vector<Line> lines;  // [0] is line 1

  // "line 7: …" becomes "site shop, preset card: …".
  Error explain(Error error) const;
  // The site that a fault of parse_policy is in; empty: none.
  std::string site_of(const Error& error) const;
};
// Fails with BadRequest, naming the piece, for a document that is not JSON, a kind that is not
// known and pieces that do not fit together.
Result<PolicyText> assemble_policy(const PolicyItems& sites);

}  // namespace tintype
