// SPDX-License-Identifier: Apache-2.0
// Sitemaps (sitemaps.org, with Google's image extension): which URLs one names. Reads what the
// protocol says and no more of XML: elements and their text, entities, CDATA and comments. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tintype {

// The protocol's limit of one file, unpacked.
inline constexpr std::size_t kMaxSitemapBytes = 52'428'800;

struct Sitemap {
  std::vector<std::string> pages;     // loc of url
  std::vector<std::string> pictures;  // loc of image
  std::vector<std::string> sitemaps;  // loc of sitemap: this is an index
};

// In the order of the text. Of what is no sitemap nothing is found.
Sitemap parse_sitemap(std::string_view xml);

}  // namespace tintype
