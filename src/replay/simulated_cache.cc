// SPDX-License-Identifier: Apache-2.0
#include "replay/simulated_cache.h"

namespace tintype {
namespace {

// As many as S3Fifo counts, or more.
constexpr std::uint8_t kCountedUses = 3;

}  // namespace

const KeptKey* SimulatedCache::use(std::uint64_t hash) {
  if (fifo_) return fifo_->use({hash});
  std::uint32_t number = table_.find(hash);
  if (number == KeyTable::kAbsent) return nullptr;
  if (uses_[number] < kCountedUses) ++uses_[number];
  return &table_[number];
}

void SimulatedCache::keep(const KeptKey& entry) {
  std::uint32_t number = fifo_ ? KeyTable::kAbsent : table_.find(entry.hash);
  if (!fifo_ && !fits(entry, number)) hand_over();
  if (fifo_) {
    fifo_->keep(entry, leaving_);
    leaving_.clear();
    return;
  }
  bytes_ += entry.size_bytes;
  if (number == KeyTable::kAbsent) {
    table_.add(entry);
    uses_.push_back(0);
  } else {
    bytes_ -= table_[number].size_bytes;
    table_[number] = entry;
  }
}

// Whether S3Fifo would keep it and let nothing go.
bool SimulatedCache::fits(const KeptKey& entry, std::uint32_t number) const {
  std::size_t before_bytes = number == KeyTable::kAbsent ? 0 : table_.entries()[number].size_bytes;
  return entry.size_bytes <= capacity_bytes_ / 8 &&
         bytes_ - before_bytes + entry.size_bytes <= capacity_bytes_;
}

void SimulatedCache::hand_over() {
  fifo_.emplace(capacity_bytes_);
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    const KeptKey& entry = table_.entries()[i];
    fifo_->keep(entry, leaving_);
    for (int use = 0; use < uses_[i]; ++use) fifo_->use(entry.key());
  }
  table_ = {};
  uses_ = {};
}

}  // namespace tintype
