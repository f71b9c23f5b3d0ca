// SPDX-License-Identifier: Apache-2.0
// MemoryTier: the hot answers, bounded in bytes, sharded by key hash with one short mutex a shard.
// Eviction is S3-FIFO (Yang et al., SOSP'23): a small queue filters what is asked once, a main
// queue keeps what is asked again, a ghost queue of hashes remembers what the small one let go.
// Thread-safe; get() hashes the key (seeded, so that clients cannot choose collisions), takes the
// shard's mutex, compares the full key, marks the entry as used and copies one pointer.
//
// In the walk: asked first of all tiers, on the event loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "cache/entry.h"

namespace tintype {

struct MemoryTierState {
  std::size_t bytes = 0, entries = 0;
  std::uint64_t evicted = 0;
};

class MemoryTier {
 public:
  // `capacity_bytes` 0 keeps nothing. `shards` is a power of two.
  MemoryTier(std::size_t capacity_bytes, int shards = 16);
  ~MemoryTier();

  // Null when absent. Does not look at freshness.
  SharedEntry get(std::string_view key);
  // Replaces an entry of the same key. An entry larger than 1/8 of a shard's capacity is not kept.
  void keep(SharedEntry entry);
  void remove(std::string_view key);
  // Removes all entries the predicate names; returns how many. Visits every entry; the predicate
  // runs under a shard's mutex and must not call this object.
  std::size_t remove_if(const std::function<bool(const EntryMeta&)>& matches);
  MemoryTierState state() const;

 private:
  class Shard;
  Shard& shard_of(std::uint64_t hash) const;
  std::uint64_t hash_of(std::string_view key) const;
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tintype
