// SPDX-License-Identifier: Apache-2.0
// Counting in bounded memory what a log of any length holds: how many distinct things
// (DistinctCounter), which things most often (TopCounter), and a fair sample of the distinct things
// (KeySample). All take 64-bit hashes of good quality (base/hash.h) or texts, are deterministic and
// belong to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tintype {

// HyperLogLog (Flajolet et al. 2007) with the estimator of Ertl (2017, "New cardinality estimation
// algorithms for HyperLogLog sketches", section 2.4), which needs no correction for few or many.
// 2^bits bytes; standard error 1.04 / sqrt(2^bits): 0.8 % at 14 bits, 3.3 % at 10.
class DistinctCounter {
 public:
  explicit DistinctCounter(int bits = 14);
  void add(std::uint64_t hash);
  double estimate() const;
  void clear();

 private:
  int bits_;
  std::vector<std::uint8_t> registers_;
};

// Space-saving (Metwally, Agrawal, Abbadi 2005): with room for k names, a count is never too low,
// and too high by at most total / k; what is asked more often than that is always among them.
class TopCounter {
 public:
  struct Row {
    std::string name, example;
    std::uint64_t count = 0;
    std::uint64_t excess = 0;  // by how much the count may be too high
  };

  explicit TopCounter(std::size_t room) : room_(room) {}
  // The example is kept when the name is new. Texts are cut to 200 bytes.
  void add(std::string_view name, std::string_view example);
  // The most frequent first; equal counts by name.
  std::vector<Row> top(std::size_t limit) const;
  std::uint64_t total() const { return total_; }

 private:
  using Place = std::multimap<std::uint64_t, Row>::iterator;
  std::size_t room_;
  std::uint64_t total_ = 0;
  std::multimap<std::uint64_t, Row> rows_;  // by count
  std::unordered_map<std::string, Place> places_;
};

// The `room` distinct keys with the smallest hashes: a sample in which every distinct key is as
// likely as any other, however often it was asked. Whoever is in it at the end was in it from its
// first request on, so what is noted about it is complete.
template <class Note>
class KeySample {
 public:
  explicit KeySample(std::size_t room) : room_(room) {}

  // What is noted about the key; null when it is not in the sample.
  Note* find_or_add(std::uint64_t hash) {
    if (notes_.size() == room_ && hash > notes_.rbegin()->first) return nullptr;
    Note& note = notes_[hash];
    // The new key is smaller than the largest, so it is never the one to go.
    if (notes_.size() > room_) notes_.erase(std::prev(notes_.end()));
    return &note;
  }
  const std::map<std::uint64_t, Note>& notes() const { return notes_; }

 private:
  std::size_t room_;
  std::map<std::uint64_t, Note> notes_;
};

}  // namespace tintype
