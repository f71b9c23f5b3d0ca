// SPDX-License-Identifier: Apache-2.0
// S3Fifo: the eviction of the memory tier (Yang et al., SOSP'23), of any kind of item: a small
// queue filters what is asked once, a main queue keeps what is asked again, a ghost queue of hashes
// remembers what the small one let go. Bounded in bytes as the items state them. Not thread-safe:
// MemoryTier has one a shard, behind the shard's mutex; replay/ has one a simulated cache, of items
// without bodies, so that what it predicts is this code's doing.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tintype {

// A key has a `hash` and is equal to those it stands for; it may refer into its item.
template <class Item>
concept Evictable = requires(const Item& item) {
  { item.key().hash } -> std::convertible_to<std::uint64_t>;
  { item.key() == item.key() } -> std::convertible_to<bool>;
  { item.size_bytes } -> std::convertible_to<std::size_t>;
};

// A FIFO of hashes that the small queue let go, bounded by the bytes their items had.
class EvictionGhost {
 public:
  explicit EvictionGhost(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

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

template <Evictable Item>
class S3Fifo {
 public:
  using Key = decltype(std::declval<const Item&>().key());
  // What leaves is handed out, so that the caller frees it when it suits.
  using Leaving = std::vector<Item>;

  explicit S3Fifo(std::size_t capacity_bytes)
      : capacity_bytes_(capacity_bytes), ghost_(capacity_bytes - capacity_bytes / kSmallShare) {}
  S3Fifo(const S3Fifo&) = delete;  // its queues point into its index
  S3Fifo& operator=(const S3Fifo&) = delete;

  // Marks the item as used. Null when absent; valid until the next keep or remove.
  const Item* use(const Key& key) {
    auto found = index_.find(key);
    if (found == index_.end()) return nullptr;
    Node& node = found->second;
    if (node.uses < kMaxUses) ++node.uses;
    return &node.item;
  }
  // Replaces an item of the same key, which hands its place and its uses on. An item larger than
  // 1/8 of the capacity is not kept, and drops its predecessor.
  void keep(Item item, Leaving& leaving) {
    auto found = index_.find(item.key());
    if (item.size_bytes > capacity_bytes_ / 8) {
      if (found != index_.end()) drop(found->second, leaving);
    } else if (found != index_.end()) {
      replace(found->second, std::move(item), leaving);
    } else {
      insert(std::move(item), leaving);
    }
  }
  void remove(const Key& key, Leaving& leaving) {
    auto found = index_.find(key);
    if (found != index_.end()) drop(found->second, leaving);
  }
  // Visits every item.
  template <std::predicate<const Item&> Matches>
  void remove_if(const Matches& matches, Leaving& leaving) {
    for (Queue* queue : {&small_, &main_}) {
      for (Node* node = queue->oldest; node != nullptr;) {
        Node* next = node->newer;
        if (matches(node->item)) drop(*node, leaving);
        node = next;
      }
    }
  }

  std::size_t bytes() const { return small_.bytes + main_.bytes; }
  std::size_t entries() const { return index_.size(); }
  std::uint64_t evicted() const { return evicted_; }

 private:
  // The numbers of the paper (section 4.1): the small queue gets a tenth, the ghost remembers as
  // much as the main queue holds, a use counter stops at 3, two uses in the small queue earn the
  // main one.
  static constexpr std::uint8_t kMaxUses = 3;
  static constexpr std::uint8_t kUsesForMain = 2;
  static constexpr std::size_t kSmallShare = 10;

  struct KeyHash {
    std::size_t operator()(const Key& key) const noexcept { return key.hash; }
  };
  struct Node {
    Item item{};
    std::uint8_t uses = 0;
    bool is_main = false;
    Node *newer = nullptr, *older = nullptr;
  };
  // An intrusive FIFO that knows its bytes.
  struct Queue {
    Node *newest = nullptr, *oldest = nullptr;
    std::size_t bytes = 0;

    void push(Node& node) {
      node.newer = nullptr;
      node.older = newest;
      (newest != nullptr ? newest->newer : oldest) = &node;
      newest = &node;
      bytes += node.item.size_bytes;
    }
    void unlink(Node& node) {
      (node.newer != nullptr ? node.newer->older : newest) = node.older;
      (node.older != nullptr ? node.older->newer : oldest) = node.newer;
      bytes -= node.item.size_bytes;
    }
  };

  Queue& queue_of(const Node& node) { return node.is_main ? main_ : small_; }

  void insert(Item item, Leaving& leaving) {
    bool was_here = ghost_.forget(item.key().hash);
    make_room(item.size_bytes, leaving);
    Key key = item.key();
    Node& node = index_[key];
    node.item = std::move(item);
    node.is_main = was_here;
    queue_of(node).push(node);
  }

  void replace(Node& node, Item item, Leaving& leaving) {
    auto handle = index_.extract(node.item.key());
    Queue& queue = queue_of(node);
    queue.bytes = queue.bytes - node.item.size_bytes + item.size_bytes;
    leaving.push_back(std::exchange(node.item, std::move(item)));
    handle.key() = node.item.key();  // what the old key refers to goes with the old item
    index_.insert(std::move(handle));
    make_room(0, leaving);
  }

  void make_room(std::size_t size_bytes, Leaving& leaving) {
    while (bytes() + size_bytes > capacity_bytes_) {
      bool small_is_full = small_.bytes >= capacity_bytes_ / kSmallShare;
      if (small_.oldest != nullptr && (small_is_full || main_.oldest == nullptr)) {
        evict_from_small(leaving);
      } else {
        evict_from_main(leaving);
      }
    }
  }

  // Moves what was used again to the main queue until one item was let go or the queue is empty.
  void evict_from_small(Leaving& leaving) {
    while (Node* node = small_.oldest) {
      if (node->uses >= kUsesForMain) {
        small_.unlink(*node);
        node->uses = 0;
        node->is_main = true;
        main_.push(*node);
        continue;
      }
      ghost_.remember(node->item.key().hash, node->item.size_bytes);
      drop(*node, leaving);
      ++evicted_;
      return;
    }
  }

  // Gives every used item another round, one use each.
  void evict_from_main(Leaving& leaving) {
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

  void drop(Node& node, Leaving& leaving) {
    queue_of(node).unlink(node);
    Item item = node.item;  // the index's key may refer into it
    index_.erase(node.item.key());
    leaving.push_back(std::move(item));
  }

  const std::size_t capacity_bytes_;
  std::unordered_map<Key, Node, KeyHash> index_;
  Queue small_, main_;
  EvictionGhost ghost_;
  std::uint64_t evicted_ = 0;
};

}  // namespace tintype
