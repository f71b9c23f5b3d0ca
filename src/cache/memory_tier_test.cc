// SPDX-License-Identifier: Apache-2.0
#include "cache/memory_tier.h"

#include <algorithm>
#include <cmath>
#include <list>
#include <map>
#include <random>
#include <thread>
#include <unordered_map>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tintype {
namespace {

SharedEntry make_entry(std::string key, std::size_t body_bytes = 100, std::uint8_t fill = 1) {
  auto entry = std::make_shared<Entry>();
  entry->meta.key = std::move(key);
  entry->body.assign(body_bytes, fill);
  entry->body.shrink_to_fit();
  return entry;
}

// S3-FIFO of equal-size objects as the paper's algorithm 1 reads, with nothing shared with the
// tier: lists of numbers and linear code.
class ReferenceS3Fifo {
 public:
  explicit ReferenceS3Fifo(std::size_t capacity) : capacity_(capacity) {}

  bool ask(int id) {
    auto held = held_.find(id);
    if (held != held_.end()) {
      held->second = std::min(held->second + 1, 3);
      return true;
    }
    bool ghostly = ghost_places_.contains(id);
    if (ghostly) {
      ghost_.erase(ghost_places_[id]);
      ghost_places_.erase(id);
    }
    while (held_.size() >= capacity_) evict();
    (ghostly ? main_ : small_).push_front(id);
    held_[id] = 0;
    return false;
  }

 private:
  void evict() {
    if (small_.size() >= capacity_ / 10) {
      evict_small();
    } else {
      evict_main();
    }
  }
  void evict_small() {
    while (!small_.empty()) {
      int id = small_.back();
      small_.pop_back();
      if (held_[id] > 1) {
        held_[id] = 0;
        main_.push_front(id);
        continue;
      }
      held_.erase(id);
      ghost_.push_front(id);
      ghost_places_[id] = ghost_.begin();
      if (ghost_.size() > capacity_ - capacity_ / 10) {
        ghost_places_.erase(ghost_.back());
        ghost_.pop_back();
      }
      return;
    }
  }
  void evict_main() {
    while (!main_.empty()) {
      int id = main_.back();
      main_.pop_back();
      if (held_[id] > 0) {
        --held_[id];
        main_.push_front(id);
        continue;
      }
      held_.erase(id);
      return;
    }
  }

  std::size_t capacity_;
  std::unordered_map<int, int> held_;  // id -> uses
  std::list<int> small_, main_, ghost_;
  std::unordered_map<int, std::list<int>::iterator> ghost_places_;
};

// Ids 0..objects-1 with popularity rank^-alpha.
std::vector<int> zipf_trace(int objects, double alpha, int requests) {
  std::vector<double> weights;
  for (int rank = 1; rank <= objects; ++rank) weights.push_back(std::pow(rank, -alpha));
  std::discrete_distribution<int> pick(weights.begin(), weights.end());
  std::mt19937 random(4711);
  std::vector<int> trace(static_cast<std::size_t>(requests));
  for (int& id : trace) id = pick(random);
  return trace;
}

std::string key_of(int id) {
  std::string digits = std::to_string(id);
  return "/shop/p/" + std::string(8 - digits.size(), '0') + digits + ".jpg/_/w-600.webp";
}

TEST(MemoryTier, AgreesWithTheReferenceOnAMillionZipfRequests) {
  constexpr int kObjects = 50'000;
  constexpr std::size_t kHeld = 2'000;
  std::vector<SharedEntry> entries;
  for (int id = 0; id < kObjects; ++id) entries.push_back(make_entry(key_of(id), 16));
  MemoryTier tier(kHeld * entries[0]->size_bytes(), 1);
  ReferenceS3Fifo reference(kHeld);
  std::size_t hits = 0, at = 0;
  for (int id : zipf_trace(kObjects, 0.9, 1'000'000)) {
    const SharedEntry& entry = entries[static_cast<std::size_t>(id)];
    bool hit = tier.get(entry->meta.key) != nullptr;
    if (!hit) tier.keep(entry);
    ASSERT_EQ(hit, reference.ask(id)) << "request " << at;
    hits += hit;
    ++at;
  }
  EXPECT_EQ(tier.state().entries, kHeld);
  EXPECT_EQ(tier.state().evicted, 1'000'000 - hits - kHeld);
  // The least an eviction policy of 4 % must reach on this trace; plain FIFO stays below it.
  EXPECT_GT(hits, 500'000u);
}

TEST(MemoryTier, GetsWhatWasKeptAndComparesTheWholeKey) {
  MemoryTier tier(1 << 20);
  SharedEntry entry = make_entry("/shop/a.jpg/_/w-1.webp");
  tier.keep(entry);
  EXPECT_EQ(tier.get("/shop/a.jpg/_/w-1.webp"), entry);
  EXPECT_EQ(tier.get("/shop/a.jpg/_/w-1.web"), nullptr);
  EXPECT_EQ(tier.get(""), nullptr);
}

TEST(MemoryTier, ReplacesAndSurvivesTheOldEntry) {
  MemoryTier tier(1 << 20, 1);
  tier.keep(make_entry("/a", 100, 1));
  SharedEntry held = tier.get("/a");
  tier.keep(make_entry("/a", 5000, 2));
  ASSERT_NE(tier.get("/a"), nullptr);
  EXPECT_EQ(tier.get("/a")->body, Bytes(5000, 2));
  EXPECT_EQ(held->body, Bytes(100, 1));
  EXPECT_EQ(tier.state().entries, 1u);
  EXPECT_EQ(tier.state().bytes, tier.get("/a")->size_bytes());
}

TEST(MemoryTier, RefusesWhatIsTooLargeAndDropsItsPredecessor) {
  MemoryTier tier(80'000, 1);
  tier.keep(make_entry("/a", 10));
  tier.keep(make_entry("/a", 10'001));
  EXPECT_EQ(tier.get("/a"), nullptr);
  EXPECT_EQ(tier.state().bytes, 0u);
  EXPECT_EQ(tier.state().evicted, 0u);
}

TEST(MemoryTier, ZeroCapacityKeepsNothing) {
  MemoryTier tier(0);
  tier.keep(make_entry("/a", 0));
  EXPECT_EQ(tier.get("/a"), nullptr);
  EXPECT_EQ(tier.state().entries, 0u);
}

TEST(MemoryTier, RemovesByKeyAndByPredicate) {
  MemoryTier tier(1 << 24);
  for (int i = 0; i < 100; ++i) {
    auto entry = std::make_shared<Entry>(*make_entry("/k/" + std::to_string(i)));
    entry->meta.source = i % 4 == 0 ? "a" : "b";
    tier.keep(entry);
  }
  tier.remove("/k/1");
  tier.remove("/k/1");
  EXPECT_EQ(tier.get("/k/1"), nullptr);
  auto from_a = [](const EntryMeta& meta) { return meta.source == "a"; };
  EXPECT_EQ(tier.remove_if(from_a), 25u);
  EXPECT_EQ(tier.remove_if(from_a), 0u);
  EXPECT_EQ(tier.state().entries, 74u);
  EXPECT_EQ(tier.get("/k/4"), nullptr);
  EXPECT_NE(tier.get("/k/5"), nullptr);
  EXPECT_EQ(tier.remove_if([](const EntryMeta&) { return true; }), 74u);
  EXPECT_EQ(tier.state().bytes, 0u);
}

TEST(MemoryTier, OneScanDoesNotWashOutWhatIsAskedAgain) {
  MemoryTier tier(100 * make_entry(key_of(0))->size_bytes(), 1);
  for (int id = 0; id < 50; ++id) tier.keep(make_entry(key_of(id)));
  for (int round = 0; round < 3; ++round) {
    for (int id = 0; id < 50; ++id) tier.get(key_of(id));
  }
  for (int id = 1000; id < 11'000; ++id) tier.keep(make_entry(key_of(id)));
  for (int id = 0; id < 50; ++id) EXPECT_NE(tier.get(key_of(id)), nullptr) << id;
}

TEST(MemoryTier, AnySequenceHoldsTheBoundAndTheNewestBytes) {
  EXPECT_TRUE(rc::check("bytes stay below the bound", [] {
    const std::size_t capacity = *rc::gen::inRange<std::size_t>(5'000, 60'000);
    const int shards = *rc::gen::element(1, 2, 4);
    MemoryTier tier(capacity, shards);
    std::map<std::string, SharedEntry> newest;
    const int steps = *rc::gen::inRange(1, 400);
    for (int step = 0; step < steps; ++step) {
      std::string key = "/" + std::to_string(*rc::gen::inRange(0, 40));
      switch (*rc::gen::inRange(0, 8)) {
        case 0:
          tier.remove(key);
          newest.erase(key);
          break;
        case 1:
        case 2:
        case 3: {
          SharedEntry got = tier.get(key);
          if (got) RC_ASSERT(newest.contains(key) && got == newest[key]);
          break;
        }
        default: {
          SharedEntry entry = make_entry(key, *rc::gen::inRange<std::size_t>(0, 9'000));
          tier.keep(entry);
          newest[key] = entry;
        }
      }
      RC_ASSERT(tier.state().bytes <= capacity);
    }
    std::size_t bytes = 0, entries = 0;
    for (auto& [key, entry] : newest) {
      if (!tier.get(key)) continue;
      bytes += entry->size_bytes();
      ++entries;
    }
    RC_ASSERT(tier.state().bytes == bytes);
    RC_ASSERT(tier.state().entries == entries);
  }));
}

TEST(MemoryTier, ManyThreadsNeverSeeWrongBytes) {
  MemoryTier tier(400'000, 4);
  std::atomic<int> wrong{0};
  std::atomic<int> hits{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 20'000; ++i) {
        int id = static_cast<int>(random() % 200);
        std::uint8_t fill = static_cast<std::uint8_t>(id);
        std::string key = key_of(id);
        if (SharedEntry got = tier.get(key)) {
          ++hits;
          bool good = got->meta.key == key && std::all_of(got->body.begin(), got->body.end(),
                                                          [&](auto byte) { return byte == fill; });
          if (!good) ++wrong;
        } else {
          tier.keep(make_entry(key, random() % 5000, fill));
        }
        if (i % 100 == 0) tier.remove(key_of(static_cast<int>(random() % 200)));
        if (i % 5000 == 0) tier.remove_if([&](const EntryMeta& meta) { return meta.key == key; });
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(hits, 1000);
  EXPECT_LE(tier.state().bytes, 400'000u);
}

}  // namespace
}  // namespace tintype
