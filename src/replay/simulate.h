// SPDX-License-Identifier: Apache-2.0
// CacheLayers: a CDN without bodies. Every request goes to one of several edge caches, on a miss to
// the one shield behind them, then to the store of finished variants; what is nowhere is rendered
// and kept on the way back. Edges and shield evict by the memory tier's own code (cache/s3_fifo.h)
// and expire by TTL; time is the traffic's. Not thread-safe.
//
// Memory: 22 to 28 bytes an entry of the store, of which there are at most store_entries, and of an
// edge or shield that was never full; 160 bytes, what it remembers of the evicted included, of one
// that was: at most its capacity over the mean size of an answer. What is expired takes its room in
// edges and shield until it is evicted or renewed.
#pragma once

#include <cstdint>
#include <deque>

#include "base/clock.h"
#include "replay/simulated_cache.h"
#include "replay/simulated_store.h"

namespace tintype {

struct LayerSizes {
  int edges = 13;  // CloudFront's regional caches; docs/internals/figures.md F-replay
  // Of one edge; of the shield. CloudFront publishes neither; these hold the working set of a large
  // shop, so that TTL and keys decide and not the size.
  std::int64_t edge_bytes = 250'000'000'000, shield_bytes = 1'000'000'000'000;
  Seconds ttl{30 * 86'400};        // of a variant in edges and shield
  Seconds store_ttl{30 * 86'400};  // the store's lifecycle rule
  // Of the store, at least 2: a bound of this simulation's memory (400 MB), not of object stores.
  std::uint64_t store_entries = 16'000'000;
};

struct KeyedRequest {
  std::uint64_t key = 0;          // a hash of the cache key
  std::uint32_t size_bytes = 0;   // of the answer
  std::uint32_t edge = 0;         // taken modulo the number of edges
  std::int64_t unix_seconds = 0;  // 0: not known, then as early as the first
};

struct LayerCounts {
  std::uint64_t requests = 0, edge_hits = 0, shield_hits = 0, store_hits = 0, renders = 0;
  std::uint64_t requested_bytes = 0, edge_hit_bytes = 0;
  std::uint64_t stored_variants = 0, stored_bytes = 0;  // what the store was given, in all
  std::uint64_t evicted = 0;                            // by edges and shield, for lack of room
  std::uint64_t store_evicted = 0;                      // that were fresh, beyond store_entries

  // Of all requests; 0 without any.
  double edge_ratio() const { return share(edge_hits); }
  double shared_ratio() const { return share(edge_hits + shield_hits); }  // edge + shield
  double unrendered_ratio() const { return share(requests - renders); }
  double renders_per_1000() const { return 1000 * share(renders); }

 private:
  double share(std::uint64_t part) const {
    return requests == 0 ? 0 : static_cast<double>(part) / static_cast<double>(requests);
  }
};

class CacheLayers {
 public:
  explicit CacheLayers(const LayerSizes& sizes);
  void ask(const KeyedRequest& request);
  LayerCounts counts() const;

 private:
  std::uint32_t second_of(std::int64_t unix_seconds);
  // The moment until which it is fresh; 0 when it is absent or stale.
  static std::uint32_t look(SimulatedCache& cache, std::uint64_t key, std::uint32_t now_seconds);
  std::uint32_t ask_behind_edge(const KeyedRequest& request, std::uint32_t now_seconds);
  void ask_store(const KeyedRequest& request, std::uint32_t now_seconds);

  LayerSizes sizes_;
  std::deque<SimulatedCache> edges_;
  SimulatedCache shield_;
  SimulatedStore store_;
  LayerCounts counts_;
  std::int64_t first_unix_seconds_ = 0;  // 0: no request had a time yet
};

}  // namespace tintype
