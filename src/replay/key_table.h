// SPDX-License-Identifier: Apache-2.0
// KeyTable: what a simulated layer keeps of its entries, numbered from 0 in the order in which they
// came. Entries are never taken out one by one, so a full table costs 22 to 28 bytes an entry,
// where the memory tier's index and queues (cache/s3_fifo.h) cost some 75. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace tintype {

// An entry without its body: an item of S3Fifo.
struct KeptKey {
  struct Key {
    std::uint64_t hash = 0;
    bool operator==(const Key&) const = default;
  };

  std::uint64_t hash = 0;
  std::uint32_t size_bytes = 0;
  std::uint32_t fresh_until_seconds = 0;  // since the first request
  Key key() const { return {hash}; }
};

class KeyTable {
 public:
  static constexpr std::uint32_t kAbsent = 0xffff'ffff;

  // The entry's number, or kAbsent.
  std::uint32_t find(std::uint64_t hash) const;
  // Requires: its hash is absent, and fewer than 2^32 - 2 entries.
  void add(const KeptKey& entry);
  // Requires: a number that find gave. The hash stays as it is.
  KeptKey& operator[](std::uint32_t number) { return entries_[number]; }
  const std::deque<KeptKey>& entries() const { return entries_; }

 private:
  // The slot that holds the hash, or the free one where it would go.
  std::size_t slot_of(std::uint64_t hash) const;
  void grow();

  std::deque<KeptKey> entries_;
  std::vector<std::uint32_t> slots_;  // number + 1; 0: free; a power of two of them
  int bits_ = 0;
};

}  // namespace tintype
