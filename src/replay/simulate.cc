// SPDX-License-Identifier: Apache-2.0
#include "replay/simulate.h"

#include <algorithm>
#include <limits>

#include "replay/log_line.h"

namespace tintype {
namespace {

std::size_t capacity(std::int64_t bytes) {
  return static_cast<std::size_t>(std::max<std::int64_t>(bytes, 0));
}

std::uint32_t later(std::uint32_t now_seconds, Seconds by) {
  auto at = static_cast<std::uint64_t>(now_seconds) + static_cast<std::uint64_t>(by.count());
  return static_cast<std::uint32_t>(
      std::min<std::uint64_t>(at, std::numeric_limits<std::uint32_t>::max()));
}

}  // namespace

CacheLayers::CacheLayers(const LayerSizes& sizes)
    : sizes_(sizes),
      shield_(capacity(sizes.shield_bytes)),
      store_(sizes.store_entries, sizes.store_ttl) {
  sizes_.edges = std::max(sizes_.edges, 1);
  for (int i = 0; i < sizes_.edges; ++i) edges_.emplace_back(capacity(sizes.edge_bytes));
}

// Logs are almost in order: what is older than the first line counts as the first second.
std::uint32_t CacheLayers::second_of(std::int64_t unix_seconds) {
  unix_seconds = std::clamp<std::int64_t>(unix_seconds, 0, kMaxUnixSeconds);
  if (first_unix_seconds_ == 0) first_unix_seconds_ = unix_seconds;
  std::int64_t since = std::max<std::int64_t>(unix_seconds - first_unix_seconds_, 0) + 1;
  return static_cast<std::uint32_t>(std::min<std::int64_t>(since, 4'000'000'000));
}

std::uint32_t CacheLayers::look(SimulatedCache& cache, std::uint64_t key,
                                std::uint32_t now_seconds) {
  const KeptKey* entry = cache.use(key);
  if (entry == nullptr || entry->fresh_until_seconds <= now_seconds) return 0;
  return entry->fresh_until_seconds;
}

void CacheLayers::ask(const KeyedRequest& request) {
  std::uint32_t now_seconds = second_of(request.unix_seconds);
  ++counts_.requests;
  counts_.requested_bytes += request.size_bytes;
  SimulatedCache& edge = edges_[request.edge % edges_.size()];
  if (look(edge, request.key, now_seconds) != 0) {
    ++counts_.edge_hits;
    counts_.edge_hit_bytes += request.size_bytes;
    return;
  }
  edge.keep({request.key, request.size_bytes, ask_behind_edge(request, now_seconds)});
}

// What the shield hands on has its Age already (RFC 9111 section 4.2.3): it is not fresh anew.
std::uint32_t CacheLayers::ask_behind_edge(const KeyedRequest& request, std::uint32_t now_seconds) {
  if (std::uint32_t fresh_until_seconds = look(shield_, request.key, now_seconds)) {
    ++counts_.shield_hits;
    return fresh_until_seconds;
  }
  ask_store(request, now_seconds);
  std::uint32_t fresh_until_seconds = later(now_seconds, sizes_.ttl);
  shield_.keep({request.key, request.size_bytes, fresh_until_seconds});
  return fresh_until_seconds;
}

void CacheLayers::ask_store(const KeyedRequest& request, std::uint32_t now_seconds) {
  if (store_.has_fresh(request.key, now_seconds)) {
    ++counts_.store_hits;
    return;
  }
  ++counts_.renders;
  ++counts_.stored_variants;
  counts_.stored_bytes += request.size_bytes;
  store_.keep({request.key, request.size_bytes, later(now_seconds, sizes_.store_ttl)}, now_seconds);
}

LayerCounts CacheLayers::counts() const {
  LayerCounts counts = counts_;
  counts.evicted = shield_.evicted();
  counts.store_evicted = store_.evicted();
  for (const SimulatedCache& edge : edges_) counts.evicted += edge.evicted();
  return counts;
}

}  // namespace tintype
