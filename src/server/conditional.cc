// SPDX-License-Identifier: Apache-2.0
#include "server/conditional.h"

#include <optional>

#include "base/text.h"

namespace tintype {
namespace {

// The next entity tag of a list, without "W/"; takes it and its comma off `list`. Nothing at the
// end and where the text is no list of entity tags. A tag may hold commas, so splitting will not
// do.
std::optional<std::string_view> take_tag(std::string_view& list) {
  while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ',')) {
    list.remove_prefix(1);
  }
  if (list.starts_with("W/")) list.remove_prefix(2);
  if (!list.starts_with('"')) return std::nullopt;
  std::size_t end = list.find('"', 1);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view tag = list.substr(0, end + 1);
  list.remove_prefix(end + 1);
  return tag;
}

// Weak comparison (RFC 9110 section 8.8.3.2): "W/" makes no difference.
bool names_tag(std::string_view list, std::string_view etag) {
  if (trim(list) == "*") return true;
  while (auto tag = take_tag(list)) {
    if (*tag == etag) return true;
  }
  return false;
}

bool is_not_modified(const Conditions& conditions, const Validators& validators) {
  // RFC 9110 section 13.2.2: If-Modified-Since counts only where there is no If-None-Match.
  if (!conditions.if_none_match.empty()) {
    return !validators.etag.empty() && names_tag(conditions.if_none_match, validators.etag);
  }
  if (conditions.if_modified_since.empty() || validators.modified_unix_seconds == 0) return false;
  auto since = parse_http_date(conditions.if_modified_since);
  return since && validators.modified_unix_seconds <= *since;
}

// If-Range (RFC 9110 section 13.1.5): our strong tag. A date is never exact enough (a variant may
// be made twice within its second), so with one the whole is sent, as with a tag of something else.
bool range_still_holds(std::string_view if_range, const Validators& validators) {
  return if_range.empty() || (if_range.starts_with('"') && if_range == validators.etag);
}

std::optional<std::uint64_t> parse_position(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  auto value = parse_int(text);
  if (!value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

Decision decide_range(std::string_view range, std::uint64_t size_bytes) {
  std::size_t equals = range.find('=');
  if (equals == std::string_view::npos || !equals_ignoring_case(range.substr(0, equals), "bytes")) {
    return {};
  }
  std::string_view spec = trim(range.substr(equals + 1));
  std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos || spec.find(',') != std::string_view::npos) return {};
  auto first = parse_position(spec.substr(0, dash));
  auto last = parse_position(spec.substr(dash + 1));
  if (dash == 0) {  // "-n": the last n bytes
    if (!last) return {};
    if (*last == 0 || size_bytes == 0) return {Verdict::Unsatisfiable};
    std::uint64_t from = *last >= size_bytes ? 0 : size_bytes - *last;
    return {Verdict::Partial, from, size_bytes - 1};
  }
  bool is_open = dash + 1 == spec.size();
  if (!first || (!is_open && (!last || *last < *first))) return {};
  if (*first >= size_bytes) return {Verdict::Unsatisfiable};
  std::uint64_t to = is_open || *last >= size_bytes ? size_bytes - 1 : *last;
  return {Verdict::Partial, *first, to};
}

}  // namespace

Decision decide(const Conditions& conditions, const Validators& validators, bool is_get) {
  if (is_not_modified(conditions, validators)) return {Verdict::NotModified};
  if (!is_get || conditions.range.empty()) return {};
  if (!range_still_holds(conditions.if_range, validators)) return {};
  return decide_range(conditions.range, validators.size_bytes);
}

}  // namespace tintype
