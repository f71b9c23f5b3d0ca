// SPDX-License-Identifier: Apache-2.0
#include "replay/simulated_store.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace tintype {

SimulatedStore::SimulatedStore(std::uint64_t max_entries, Seconds ttl)
    : room_(max_entries / 2), ttl_(ttl) {
  CHECK(max_entries >= 2);
}

bool SimulatedStore::has_fresh(std::uint64_t hash, std::uint32_t now_seconds) const {
  for (const KeyTable* table : {&young_, &old_}) {
    std::uint32_t number = table->find(hash);
    if (number == KeyTable::kAbsent) continue;
    if (table->entries()[number].fresh_until_seconds > now_seconds) return true;
  }
  return false;
}

void SimulatedStore::keep(const KeptKey& entry, std::uint32_t now_seconds) {
  // Logs go back by seconds; what was written last must be expired when a generation ends.
  latest_seconds_ = std::max(latest_seconds_, now_seconds);
  if (latest_seconds_ - turned_seconds_ >= ttl_.count()) turn();
  std::uint32_t number = young_.find(entry.hash);
  if (number != KeyTable::kAbsent) {
    young_[number] = entry;
    return;
  }
  if (young_.entries().size() >= room_) turn();
  young_.add(entry);
}

void SimulatedStore::turn() {
  for (const KeptKey& entry : old_.entries()) {
    if (entry.fresh_until_seconds > latest_seconds_) ++evicted_;
  }
  old_ = std::exchange(young_, {});
  turned_seconds_ = latest_seconds_;
}

}  // namespace tintype
