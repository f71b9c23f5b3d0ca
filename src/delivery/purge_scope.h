// SPDX-License-Identifier: Apache-2.0
// PurgeScope: a purge order made into what the caches can be searched for: prefixes of canonical
// paths, a tag, the shapes of a preset. It names too much rather than too little where a cache does
// not know better: that costs a render, the other way round serves what was to go. Immutable.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cache/entry.h"
#include "delivery/preset_shape.h"
#include "delivery/purge_order.h"
#include "policy/policy.h"

namespace tintype {

struct PurgeScope {
  PurgeOrder order;
  // "/shop/p/a.jpg/_/", "/shop/p/": every variant whose path begins so.
  std::vector<std::string> prefixes;
  // "source:/shop/p/a.jpg?v=": failures remembered of sources (naming.h).
  std::vector<std::string> failure_prefixes;
  std::string tag;                      // and every variant of the site with this tag; empty: none
  std::vector<PresetShape> shapes;      // and every variant of the site with one of these shapes
  std::vector<std::string> sources;     // paths of sources begin so, for caches of sources
  std::vector<std::string> edge_paths;  // of the edge's cache; "*" at the end of each
  bool is_tag_at_edge = false;          // and those of each source that the tag is found on

  // "/shop/": nothing outside is ever named.
  std::string site_prefix() const { return "/" + order.site + "/"; }
  // Variants and remembered failures. Reads key, tags and error_code only.
  bool covers(const EntryMeta& meta) const;
  // The same of a variant whose tags are not known: a tag is then no reason.
  bool covers_path(std::string_view canonical_path) const;
};

// `policy` gives the site's tags, presets and mounts. Fails with BadRequest when there is no such
// site or preset.
Result<PurgeScope> scope_of(const PurgeOrder& order, const Policy& policy);

// The prefixes of canonical paths that stand for a prefix of a source's path: one, or two where
// canonical paths write its last segment in two ways ("_" alone is %5F).
std::vector<std::string> path_prefixes(std::string_view site, std::string_view prefix);

// How variants are found by tag in a store that lists keys only: beside a source's variants stand
// empty objects, one a tag, "/_tags/<site>/<tag>/<source>". They are written anew with each variant
// (replacing what is there), so that they live as long as the variants do.
std::vector<std::string> tag_markers(std::string_view canonical_path, std::string_view tags);
// "/_tags/shop/sale/": markers of one tag; without a tag of a site.
std::string marker_prefix(std::string_view site, std::string_view tag = {});
// "/shop/p/a.jpg/_/" of "/_tags/shop/sale/p/a.jpg"; of a marker that stands for a prefix of
// sources (its path was too long for a key) that prefix. Empty when it is no such marker.
std::string prefix_of_marker(std::string_view marker);

}  // namespace tintype
