// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_scope.h"

#include <algorithm>

#include "base/text.h"
#include "delivery/naming.h"
#include "policy/cache_tag.h"
#include "transform/canonical_path.h"

namespace tintype {
namespace {

using What = PurgeOrder::What;

constexpr std::string_view kOptionsMarker = "/_/", kTagsFolder = "/_tags/";
constexpr std::string_view kFailureMarker = "source:";
// What the edge function passes on whole (passed_on.h) has its source inside an encoded target.
constexpr std::string_view kPassedOnPaths = "/_/ask/*";
// S3's limit of a key is 1,024 bytes, and a store may put a prefix of its own before.
constexpr std::size_t kMaxMarkerBytes = 900;

// The text that stands for a tag in keys. Not percent-encoded: stores list decoded keys, and a tag
// may have a '/'.
std::string word_of_tag(std::string_view tag) {
  std::string word = percent_encode(tag);
  std::string out;
  for (char c : word) out += c == '~' ? "~7E" : std::string(1, c == '%' ? '~' : c);
  return out;
}

bool begins_with_any(std::string_view text, const std::vector<std::string>& prefixes) {
  return std::ranges::any_of(prefixes,
                             [text](const std::string& one) { return text.starts_with(one); });
}

// The options of a canonical path: what stands behind its marker.
std::string_view options_in(std::string_view path) {
  std::size_t site_end = path.find('/', 1);
  if (site_end == std::string_view::npos) return {};
  std::size_t marker = path.find(kOptionsMarker, site_end);
  return marker == std::string_view::npos ? std::string_view()
                                          : path.substr(marker + kOptionsMarker.size());
}

// What cannot be read counts as covered.
bool has_shape(std::string_view path, const std::vector<PresetShape>& shapes) {
  auto options = parse_canonical_options(options_in(path));
  if (!options) return true;
  return std::ranges::any_of(
      shapes, [&](const PresetShape& shape) { return shape.covers(options->transformation); });
}

void add_prefix(PurgeScope& scope, std::string_view source_prefix) {
  for (std::string& prefix : path_prefixes(scope.order.site, source_prefix)) {
    scope.edge_paths.push_back(prefix + "*");
    scope.failure_prefixes.push_back(std::string(kFailureMarker) + prefix);
    scope.prefixes.push_back(std::move(prefix));
  }
  scope.sources.emplace_back(source_prefix);
}

void add_source(PurgeScope& scope, const std::string& source) {
  std::string path = source_path(scope.order.site, source);
  scope.prefixes.push_back(path + std::string(kOptionsMarker));
  scope.edge_paths.push_back(scope.prefixes.back() + "*");
  scope.failure_prefixes.push_back(std::string(kFailureMarker) + path + "?v=");
  scope.sources.push_back(source);
}

// Sources are in no cache by their tags, so all of the site's go: they are fetched again.
void add_tag(PurgeScope& scope, const SitePolicy& site) {
  scope.tag = scope.order.value;
  scope.is_tag_at_edge = true;
  for (const TagRule& rule : site.tags) {
    if (std::ranges::find(rule.tags, scope.tag) != rule.tags.end()) add_prefix(scope, rule.prefix);
  }
  scope.sources = {""};
  scope.failure_prefixes = {std::string(kFailureMarker) + scope.site_prefix()};
}

bool speaks_other_languages(const SitePolicy& site, const Policy& policy) {
  return std::ranges::any_of(policy.mounts, [&site](const Mount& mount) {
    return mount.site == site.name && mount.dialect != Dialect::Native;
  });
}

}  // namespace

std::vector<std::string> path_prefixes(std::string_view site, std::string_view prefix) {
  std::string path = source_path(site, prefix);
  std::vector<std::string> all{path};
  // "p/_" is also the beginning of "p/_x", which is written as it stands.
  if (path.ends_with("/%5F")) all.push_back(path.substr(0, path.size() - 3) + "_");
  // And "p/%5F" of "p/_", "p/_/x": nothing else is encoded differently behind a prefix.
  return all;
}

Result<PurgeScope> scope_of(const PurgeOrder& order, const Policy& policy) {
  const SitePolicy* site = policy.find(order.site);
  if (site == nullptr) {
    return fail_public(ErrorCode::BadRequest,
                       "site: there is no site named \"" + order.site + "\"");
  }
  PurgeScope scope;
  scope.order = order;
  switch (order.what) {
    case What::Source:
      add_source(scope, order.value);
      break;
    case What::Prefix:
      add_prefix(scope, order.value);
      break;
    case What::All:
      add_prefix(scope, "");
      break;
    case What::Tag:
      add_tag(scope, *site);
      break;
    case What::Preset: {
      TRY(scope.shapes, PresetShape::of(*site, order.value));
      // Wildcards stand at the end of an edge's paths, options too: the site's go all.
      scope.edge_paths.push_back(scope.site_prefix() + "*");
      break;
    }
  }
  // What the edge passes on whole is cached under what was passed on.
  bool is_passed_on = site->verify_at_service || speaks_other_languages(*site, policy);
  if (is_passed_on) scope.edge_paths.emplace_back(kPassedOnPaths);
  return scope;
}

bool PurgeScope::covers_path(std::string_view path) const {
  if (begins_with_any(path, prefixes)) return true;
  return !shapes.empty() && path.starts_with(site_prefix()) && has_shape(path, shapes);
}

bool PurgeScope::covers(const EntryMeta& meta) const {
  std::string_view key = meta.key;
  if (key.starts_with(kFailureMarker)) return begins_with_any(key, failure_prefixes);
  if (covers_path(key)) return true;
  if (tag.empty() || !key.starts_with(site_prefix())) return false;
  // A failure knows no tags: its source was not there to tell them.
  return has_tag(meta.tags, tag) || !meta.error_code.empty();
}

std::string marker_prefix(std::string_view site, std::string_view tag) {
  std::string prefix(kTagsFolder);
  prefix.append(site).append("/");
  if (!tag.empty()) prefix.append(word_of_tag(tag)).append("/");
  return prefix;
}

std::vector<std::string> tag_markers(std::string_view path, std::string_view tags) {
  std::size_t site_end = path.find('/', 1);
  std::size_t source_end =
      site_end == std::string_view::npos ? site_end : path.find(kOptionsMarker, site_end);
  if (tags.empty() || source_end == std::string_view::npos) return {};
  std::string_view site = path.substr(1, site_end - 1);
  std::string_view source = path.substr(site_end + 1, source_end - site_end - 1);
  std::vector<std::string> markers;
  for (std::string_view tag : split(tags, ' ')) {
    if (tag.empty()) continue;
    std::string marker = marker_prefix(site, tag);
    if (marker.size() + source.size() <= kMaxMarkerBytes) {
      marker += source;
    } else {
      // The beginning of the path, to the end of a segment, then the sign of a prefix.
      std::string_view begin = source.substr(0, kMaxMarkerBytes - 1 - marker.size());
      std::size_t slash = begin.rfind('/');
      marker.append(begin.substr(0, slash == std::string_view::npos ? 0 : slash + 1)).append("*");
    }
    markers.push_back(std::move(marker));
  }
  return markers;
}

// Decoded and encoded again: what stores list may be spelt in another way than it was put.
std::string prefix_of_marker(std::string_view marker) {
  if (!marker.starts_with(kTagsFolder)) return {};
  std::string_view rest = marker.substr(kTagsFolder.size());
  std::size_t site_end = rest.find('/');
  if (site_end == std::string_view::npos) return {};
  std::size_t tag_end = rest.find('/', site_end + 1);
  if (tag_end == std::string_view::npos) return {};
  std::string_view site = rest.substr(0, site_end);
  std::string_view place = rest.substr(tag_end + 1);
  // A source whose name ends in a star is taken for a prefix too.
  bool is_prefix = place.ends_with('*') || place.ends_with("%2A");
  if (is_prefix) place.remove_suffix(place.ends_with('*') ? 1 : 3);
  auto source = percent_decode(place);
  if (!source || (source->empty() && !is_prefix)) return {};
  std::string path = source_path(site, *source);
  return is_prefix ? path : path + std::string(kOptionsMarker);
}

}  // namespace tintype
