// SPDX-License-Identifier: Apache-2.0
#include "cache/memory_tier.h"

#include <algorithm>
#include <bit>
#include <list>
#include <mutex>
#include <random>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "base/hash.h"

namespace tintype {
namespace {

// The key of the index: the hash is computed once a call, the text lies in the entry (or in the
// caller).
struct KeyView {
  std::uint64_t hash;
  std::string_view text;
  bool operator==(const KeyView&) const = default;
};
struct KeyHash {
  std::size_t operator()(const KeyView& key) const { return key.hash; }
};

// The numbers of the paper (Yang et al., SOSP'23, section 4.1): the small queue gets a tenth, the
// ghost remembers as much as the main queue holds, a use counter stops at 3, two uses in the small
// queue earn the main one.
constexpr std::uint8_t kMaxUses = 3;
constexpr std::uint8_t kUsesForMain = 2;
constexpr std::size_t kSmallShare = 10;

// A FIFO of hashes that the small queue let go, bounded by the bytes their entries had. An entry is
// never below sizeof(Entry) + 128, so a record here (some 100 bytes) stays below a fifth of that.
class Ghost {
 public:
  explicit Ghost(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  void remember(std::uint64_t hash, std::size_t size_bytes) {
    forget(hash);
    queue_.push_front({hash, size_bytes});
    places_[hash] = queue_.begin();
    bytes_ += size_bytes;
    while (bytes_ > capacity_bytes_) forget(queue_.back().hash);
  }
  // Whether it was remembered.
  bool forget(std::uint64_t hash) {
    auto place = places_.find(hash);
    if (place == places_.end()) return false;
    bytes_ -= place->second->size_bytes;
    queue_.erase(place->second);
    places_.erase(place);
    return true;
  }

 private:
  struct Record {
    std::uint64_t hash;
    std::size_t size_bytes;
  };
  std::size_t capacity_bytes_, bytes_ = 0;
  std::list<Record> queue_;
  std::unordered_map<std::uint64_t, std::list<Record>::iterator> places_;
};

struct Queue;

struct Node {
  SharedEntry entry;
  std::size_t size_bytes = 0;
  std::uint64_t hash = 0;
  std::uint8_t uses = 0;
  Queue* queue = nullptr;
  Node *newer = nullptr, *older = nullptr;

  KeyView key() const { return {hash, entry->meta.key}; }
};

// An intrusive FIFO that knows its bytes.
struct Queue {
  Node *newest = nullptr, *oldest = nullptr;
  std::size_t bytes = 0;

  void push(Node& node) {
    node.queue = this;
    node.newer = nullptr;
    node.older = newest;
    (newest != nullptr ? newest->newer : oldest) = &node;
    newest = &node;
    bytes += node.size_bytes;
  }
  void unlink(Node& node) {
    (node.newer != nullptr ? node.newer->older : newest) = node.older;
    (node.older != nullptr ? node.older->newer : oldest) = node.newer;
    bytes -= node.size_bytes;
  }
};

}  // namespace

class alignas(64) MemoryTier::Shard {
 public:
  explicit Shard(std::size_t capacity_bytes)
      : capacity_bytes_(capacity_bytes), ghost_(capacity_bytes - capacity_bytes / kSmallShare) {}

  SharedEntry get(const KeyView& key) {
    std::lock_guard lock(mutex_);
    auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Node& node = found->second;
    if (node.uses < kMaxUses) ++node.uses;
    return node.entry;
  }

  void keep(SharedEntry entry, std::uint64_t hash);
  void remove(const KeyView& key);
  std::size_t remove_if(const std::function<bool(const EntryMeta&)>& matches);
  void add_to(MemoryTierState& state) const;

 private:
  // What leaves is handed out and freed by the caller after the mutex: freeing megabytes takes
  // longer than anything else here.
  using Leaving = std::vector<SharedEntry>;

  std::size_t bytes() const { return small_.bytes + main_.bytes; }
  void insert(SharedEntry entry, std::uint64_t hash, Leaving& leaving);
  void replace(Node& node, SharedEntry entry, Leaving& leaving);
  void make_room(std::size_t size_bytes, Leaving& leaving);
  void evict_from_small(Leaving& leaving);
  void evict_from_main(Leaving& leaving);
  void drop(Node& node, Leaving& leaving);

  const std::size_t capacity_bytes_;
  mutable std::mutex mutex_;
  std::unordered_map<KeyView, Node, KeyHash> index_;
  Queue small_, main_;
  Ghost ghost_;
  std::uint64_t evicted_ = 0;
};

void MemoryTier::Shard::keep(SharedEntry entry, std::uint64_t hash) {
  Leaving leaving;
  std::lock_guard lock(mutex_);
  auto found = index_.find({hash, entry->meta.key});
  if (entry->size_bytes() > capacity_bytes_ / 8) {
    if (found != index_.end()) drop(found->second, leaving);
  } else if (found != index_.end()) {
    replace(found->second, std::move(entry), leaving);
  } else {
    insert(std::move(entry), hash, leaving);
  }
}

void MemoryTier::Shard::insert(SharedEntry entry, std::uint64_t hash, Leaving& leaving) {
  std::size_t size_bytes = entry->size_bytes();
  bool was_here = ghost_.forget(hash);
  make_room(size_bytes, leaving);
  KeyView key{hash, entry->meta.key};
  Node& node = index_[key];
  node.entry = std::move(entry);
  node.size_bytes = size_bytes;
  node.hash = hash;
  (was_here ? main_ : small_).push(node);
}

// The new entry takes the old one's place in its queue, and its uses.
void MemoryTier::Shard::replace(Node& node, SharedEntry entry, Leaving& leaving) {
  auto handle = index_.extract(node.key());
  std::size_t size_bytes = entry->size_bytes();
  node.queue->bytes = node.queue->bytes - node.size_bytes + size_bytes;
  node.size_bytes = size_bytes;
  leaving.push_back(std::exchange(node.entry, std::move(entry)));
  handle.key() = node.key();  // the old text goes with the old entry
  index_.insert(std::move(handle));
  make_room(0, leaving);
}

void MemoryTier::Shard::make_room(std::size_t size_bytes, Leaving& leaving) {
  while (bytes() + size_bytes > capacity_bytes_) {
    bool small_is_full = small_.bytes >= capacity_bytes_ / kSmallShare;
    if (small_.oldest != nullptr && (small_is_full || main_.oldest == nullptr)) {
      evict_from_small(leaving);
    } else {
      evict_from_main(leaving);
    }
  }
}

// Moves what was used again to the main queue until one entry was let go or the queue is empty.
void MemoryTier::Shard::evict_from_small(Leaving& leaving) {
  while (Node* node = small_.oldest) {
    if (node->uses >= kUsesForMain) {
      small_.unlink(*node);
      node->uses = 0;
      main_.push(*node);
      continue;
    }
    ghost_.remember(node->hash, node->size_bytes);
    drop(*node, leaving);
    ++evicted_;
    return;
  }
}

// Gives every used entry another round, one use each.
void MemoryTier::Shard::evict_from_main(Leaving& leaving) {
  while (Node* node = main_.oldest) {
    if (node->uses > 0) {
      --node->uses;
      main_.unlink(*node);
      main_.push(*node);
      continue;
    }
    drop(*node, leaving);
    ++evicted_;
    return;
  }
}

void MemoryTier::Shard::drop(Node& node, Leaving& leaving) {
  node.queue->unlink(node);
  SharedEntry entry = node.entry;  // the index's key points into it
  index_.erase(node.key());
  leaving.push_back(std::move(entry));
}

void MemoryTier::Shard::remove(const KeyView& key) {
  Leaving leaving;
  std::lock_guard lock(mutex_);
  auto found = index_.find(key);
  if (found != index_.end()) drop(found->second, leaving);
}

std::size_t MemoryTier::Shard::remove_if(const std::function<bool(const EntryMeta&)>& matches) {
  Leaving leaving;
  std::lock_guard lock(mutex_);
  for (Queue* queue : {&small_, &main_}) {
    for (Node* node = queue->oldest; node != nullptr;) {
      Node* next = node->newer;
      if (matches(node->entry->meta)) drop(*node, leaving);
      node = next;
    }
  }
  return leaving.size();
}

void MemoryTier::Shard::add_to(MemoryTierState& state) const {
  std::lock_guard lock(mutex_);
  state.bytes += bytes();
  state.entries += index_.size();
  state.evicted += evicted_;
}

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
