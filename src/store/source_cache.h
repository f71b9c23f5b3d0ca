// SPDX-License-Identifier: Apache-2.0
// SourceCache: sources that were fetched lately, on disk, so that many variants of one source, made
// minutes apart, fetch it once. One file a source, written whole under a temporary name and
// renamed, under a checksum; the least recently used go when it is full. It survives a restart.
//
// A source is fresh for the site's source_ttl; then its origin is asked whether it has changed
// (origin.h, fetch_if_changed). While the origin fails, a source past its freshness is given for
// stale_for. Thread-safe; disk work is done on the pool. Walk: between the fetches and the origin.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/origin.h"

namespace tintype {

struct SourceCacheSettings {
  std::string folder;
  std::int64_t capacity_bytes = 2'000'000'000;  // about 1,000 photographs of 2 MB
  Seconds stale_for{86'400};                    // past freshness, while the origin fails
};

class SourceCache {
 public:
  // Creates the folder, locks it and reads the head of every file there; blocks. Fails with
  // Internal when the folder cannot be made or belongs to another process. `blocking` and `clock`
  // must outlive the cache.
  static Result<std::unique_ptr<SourceCache>> open(const SourceCacheSettings& settings,
                                                   asio::thread_pool& blocking, const Clock& clock);
  ~SourceCache();

  struct Place {
    std::string site;
    std::string identity;  // of the origin: another text, other sources
    Seconds fresh_for{300};
  };
  // The origin with this cache before it; holds the cache's state, may outlive the cache.
  std::shared_ptr<Origin> wrap(std::shared_ptr<Origin> origin, Place place);

  // Forgets the sources of a site whose path begins with `prefix`, of every identity; how many.
  Task<std::uint64_t> remove(std::string site, std::string prefix);

  struct Counts {
    std::uint64_t hits = 0, revalidated = 0, misses = 0, stale = 0, evicted = 0, failed_writes = 0;
    std::uint64_t entries = 0;
    std::int64_t bytes = 0;  // of the files
  };
  Counts counts() const;

 private:
  struct State;
  class CachedOrigin;
  explicit SourceCache(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tintype
