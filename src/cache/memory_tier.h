// SPDX-License-Identifier: Apache-2.0
// MemoryTier: the hot answers, bounded in bytes, sharded by key hash with one short mutex a shard.
// Eviction is S3-FIFO (Yang et al., SOSP'23): a small queue filters what is asked once, a main queue
// keeps what is asked again, a ghost queue remembers what was let go. Thread-safe; get() takes tens of
// nanoseconds plus one pointer copy and compares the full key.
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
  // Removes all entries the predicate names; returns how many. Visits every entry.
  std::size_t remove_if(const std::function<bool(const EntryMeta&)>& matches);
  MemoryTierState state() const;

 private:
  struct Shard;
  Shard& shard_of(std::string_view key) const;
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace tintype
