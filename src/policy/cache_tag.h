// SPDX-License-Identifier: Apache-2.0
// Cache tags: words that group sources for a purge ("campaign:spring"). They come with the source,
// from its metadata, and from the site's rules; answers carry them, joined by spaces. A tag is 1 to
// 64 of A-Z a-z 0-9 - . _ ~ and ':', so that it needs no escape in a header, a URL or a key. Pure.
#pragma once

#include <string>
#include <string_view>

#include "policy/policy.h"

namespace tintype {

bool is_cache_tag(std::string_view word);

// The tags of a text that parts them by commas or spaces: what is none is left out, each once, in
// their order, at most 16; joined by spaces.
std::string read_cache_tags(std::string_view text);

// All tags of one source: those of the site's rules for its path, then its own (as read_cache_tags
// gives them); each once, at most 32, so that what an origin says crowds out no rule; joined by
// spaces.
std::string cache_tags_of(const SitePolicy& site, std::string_view source_path,
                          std::string_view source_tags);

// Whether `tag` stands among `tags`.
bool has_tag(std::string_view tags, std::string_view tag);

}  // namespace tintype
