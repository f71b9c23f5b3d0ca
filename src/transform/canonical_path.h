// SPDX-License-Identifier: Apache-2.0
// The canonical path: the one name of a variant. CDN cache key, object key and service URL at once:
//
//   /<site>/<source path>/_/<options>.<extension>
//   /shop/p/4711/front.jpg/_/fit-cover_h-600_w-800.webp
//
// Options in alphabetical order, joined by '_', each name-value; defaults are left out; with no
// option left the word is "full". The source is percent-encoded in one spelling (upper-case hex; a
// segment that is exactly "_" becomes %5F). Property: two requests have the same path if and only
// if they ask for the same bytes; parsing a canonical path and printing it again gives the same
// text. But for "jpng", where the source decides: PNG of one that has alpha, else the bytes of
// "jpeg".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/result.h"
#include "transform/ask.h"

namespace tintype {

// Requires: `settled` is a result of settle().
std::string canonical_path(const Ask& ask, const Transformation& settled);
// The same of what was asked, before presets, site defaults and settling: the text that signatures
// cover. "/shop/a.jpg/_/dpr-2_p-card.auto" where the format is not decided. An option that is named
// at its default stands in it too, with nothing behind its dash ("up-"): it beats a preset's.
std::string asked_path(const Ask& ask);
// "fit-cover_h-600_w-800.webp": the part behind "/_/".
std::string canonical_options(const Transformation& settled, std::string_view version);

// "/shop/p/4711/front.jpg": the prefix of all variants of one source.
std::string source_path(std::string_view site, std::string_view source);

// Parses "<options>.<extension>" into a settled Transformation (format_auto = false) and a version.
// Fails with BadRequest on anything that canonical_options would not print exactly so.
struct CanonicalOptions {
  Transformation transformation;
  std::string version;
  std::uint32_t named = 0;  // a bit per OptionId that stands in the text, and Format
};
Result<CanonicalOptions> parse_canonical_options(std::string_view text);

// Cache key: SHA-256 of the canonical path, in hexadecimal. Names disk files and store objects.
std::string cache_key(std::string_view canonical_path);

}  // namespace tintype
