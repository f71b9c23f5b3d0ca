// SPDX-License-Identifier: Apache-2.0
#include "cache/memory_tier.h"

#include <bit>
#include <mutex>
#include <random>
#include <utility>

#include "base/check.h"
#include "base/hash.h"
#include "cache/s3_fifo.h"

namespace tintype {
namespace {

// The key of the index: the hash is computed once a call, the text lies in the entry (or in the
// caller).
struct KeyView {
  std::uint64_t hash;
  std::string_view text;
  bool operator==(const KeyView&) const = default;
};

// An item is never below sizeof(Entry) + 128 bytes, so a record of the ghost queue (some 100 bytes)
// stays below a fifth of what it stands for.
struct HeldEntry {
  SharedEntry entry;
  std::uint64_t hash = 0;
  std::size_t size_bytes = 0;

  KeyView key() const { return {hash, entry->meta.key}; }
};

}  // namespace

class alignas(64) MemoryTier::Shard {
 public:
  explicit Shard(std::size_t capacity_bytes) : held_(capacity_bytes) {}

  SharedEntry get(const KeyView& key) {
    std::lock_guard lock(mutex_);
    const HeldEntry* held = held_.use(key);
    return held == nullptr ? nullptr : held->entry;
  }

  void keep(SharedEntry entry, std::uint64_t hash) {
    Leaving leaving;
    std::size_t size_bytes = entry->size_bytes();
    std::lock_guard lock(mutex_);
    held_.keep({std::move(entry), hash, size_bytes}, leaving);
  }

  void remove(const KeyView& key) {
    Leaving leaving;
    std::lock_guard lock(mutex_);
    held_.remove(key, leaving);
  }

  std::size_t remove_if(const std::function<bool(const EntryMeta&)>& matches) {
    Leaving leaving;
    std::lock_guard lock(mutex_);
    held_.remove_if([&](const HeldEntry& held) { return matches(held.entry->meta); }, leaving);
    return leaving.size();
  }

  void add_to(MemoryTierState& state) const {
    std::lock_guard lock(mutex_);
    state.bytes += held_.bytes();
    state.entries += held_.entries();
    state.evicted += held_.evicted();
  }

 private:
  // Declared before the lock, freed after the mutex: freeing megabytes takes longer than anything
  // else here.
  using Leaving = S3Fifo<HeldEntry>::Leaving;

  mutable std::mutex mutex_;
  S3Fifo<HeldEntry> held_;
};

MemoryTier::MemoryTier(std::size_t capacity_bytes, int shards)
    : seed_(std::uint64_t{std::random_device{}()} << 32 | std::random_device{}()) {
  CHECK(shards > 0 && std::has_single_bit(static_cast<unsigned>(shards)));
  for (int i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(capacity_bytes / static_cast<std::size_t>(shards)));
  }
}
MemoryTier::~MemoryTier() = default;

std::uint64_t MemoryTier::hash_of(std::string_view key) const {
  return xxh3_64(view_of(key), seed_);
}

// By the upper bits: the index of a shard uses the lower ones.
MemoryTier::Shard& MemoryTier::shard_of(std::uint64_t hash) const {
  return *shards_[(hash >> 40) & (shards_.size() - 1)];
}

SharedEntry MemoryTier::get(std::string_view key) {
  std::uint64_t hash = hash_of(key);
  return shard_of(hash).get({hash, key});
}

void MemoryTier::keep(SharedEntry entry) {
  CHECK(entry != nullptr);
  std::uint64_t hash = hash_of(entry->meta.key);
  shard_of(hash).keep(std::move(entry), hash);
}

void MemoryTier::remove(std::string_view key) {
  std::uint64_t hash = hash_of(key);
  shard_of(hash).remove({hash, key});
}

std::size_t MemoryTier::remove_if(const std::function<bool(const EntryMeta&)>& matches) {
  std::size_t removed = 0;
  for (auto& shard : shards_) removed += shard->remove_if(matches);
  return removed;
}

MemoryTierState MemoryTier::state() const {
  MemoryTierState state;
  for (const auto& shard : shards_) shard->add_to(state);
  return state;
}

}  // namespace tintype
