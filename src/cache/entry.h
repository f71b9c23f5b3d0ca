// SPDX-License-Identifier: Apache-2.0
// Entry: one finished answer as the memory tier keeps it: the variant's bytes, what must be said
// about them, and an HTTP head rendered once by server/ and opaque here. Immutable once shared; a
// writing connection holds it, so eviction never waits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/bytes.h"

namespace tintype {

struct EntryMeta {
  std::string key;  // the canonical path
  int status = 200;
  std::string media_type;    // "image/webp"
  std::string etag;          // strong, with quotes; empty for errors
  std::string site, source;  // for purge
  std::string tags;          // cache tags of the source, joined by spaces
  std::int64_t modified_unix_seconds = 0;
  std::int64_t stored_unix_seconds = 0;
  std::int64_t fresh_until_unix_seconds = 0;  // afterwards it may only be served stale
  std::int64_t max_age_seconds = 0;           // what viewers are told
  std::int64_t retry_after_seconds = 0;       // told to viewers when not 0
  std::string location;                       // of a redirect
  std::string error_code;    // of a negative entry: the ErrorCode's name; empty for variants
  bool is_private = false;   // for the client's own cache only
  bool is_stale = false;     // past its freshness, served because the origin or a render failed
  double render_weight = 0;  // megapixel-weights it took to make; 0 unknown
};

struct Entry {
  EntryMeta meta;
  Bytes body;
  std::string head;               // pre-rendered by server/, empty until then
  std::string head_not_modified;  // the same for 304

  // What it occupies in memory. 128: the nodes of the memory tier's index and queue, the shared
  // pointer's block and the allocator's rounding.
  std::size_t size_bytes() const {
    return sizeof(Entry) + meta.key.size() + meta.media_type.size() + meta.etag.size() +
           meta.site.size() + meta.source.size() + meta.error_code.size() + meta.tags.size() +
           body.capacity() + head.size() + head_not_modified.size() + 128;
  }
  bool is_negative() const { return !meta.error_code.empty(); }
};
using SharedEntry = std::shared_ptr<const Entry>;

// Cache-Control of an answer. A variant's says max-age for browsers, and for the caches between
// them and us s-maxage: as long as it is fresh here, because they are purged and browsers are not.
// The same wherever it comes from, us or the variant store, or else the first answer and the later
// ones would live differently.
std::string cache_control_of(const EntryMeta& meta);

}  // namespace tintype
