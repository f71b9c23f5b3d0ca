// SPDX-License-Identifier: Apache-2.0
// SimulatedCache: an edge or the shield. It evicts by the memory tier's own code (cache/s3_fifo.h).
// Until the first eviction that code is a table and a FIFO of everything, so until then it is kept
// as one (KeyTable, a third of the memory), and handed over, uses and order included, when room
// first runs out: the same hits to the last one. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "cache/s3_fifo.h"
#include "replay/key_table.h"

namespace tintype {

class SimulatedCache {
 public:
  explicit SimulatedCache(std::size_t capacity_bytes) : capacity_bytes_(capacity_bytes) {}

  // Marks the entry as used. Null when absent; valid until the next keep.
  const KeptKey* use(std::uint64_t hash);
  void keep(const KeptKey& entry);
  std::size_t entries() const { return fifo_ ? fifo_->entries() : table_.entries().size(); }
  std::uint64_t evicted() const { return fifo_ ? fifo_->evicted() : 0; }

 private:
  bool fits(const KeptKey& entry, std::uint32_t number) const;
  void hand_over();

  std::size_t capacity_bytes_, bytes_ = 0;
  KeyTable table_;
  std::deque<std::uint8_t> uses_;  // by number
  std::optional<S3Fifo<KeptKey>> fifo_;
  S3Fifo<KeptKey>::Leaving leaving_;
};

}  // namespace tintype
