// SPDX-License-Identifier: Apache-2.0
#include "replay/key_table.h"

#include "base/check.h"

namespace tintype {
namespace {

constexpr int kFirstBits = 6;

}  // namespace

// Linear probing; Fibonacci hashing (Knuth, TAOCP 6.4) spreads what is no good hash, too.
std::size_t KeyTable::slot_of(std::uint64_t hash) const {
  auto at = static_cast<std::size_t>((hash * 0x9e3779b97f4a7c15) >> (64 - bits_));
  while (slots_[at] != 0 && entries_[slots_[at] - 1].hash != hash) {
    at = (at + 1) & (slots_.size() - 1);
  }
  return at;
}

std::uint32_t KeyTable::find(std::uint64_t hash) const {
  if (entries_.empty()) return kAbsent;
  std::uint32_t taken = slots_[slot_of(hash)];
  return taken == 0 ? kAbsent : taken - 1;
}

void KeyTable::add(const KeptKey& entry) {
  CHECK(entries_.size() < kAbsent - 1);
  if ((entries_.size() + 1) * 4 > slots_.size() * 3) grow();
  std::size_t at = slot_of(entry.hash);
  CHECK(slots_[at] == 0);
  entries_.push_back(entry);
  slots_[at] = static_cast<std::uint32_t>(entries_.size());
}

// The old slots go first: the entries are enough to fill the new ones.
void KeyTable::grow() {
  bits_ = bits_ == 0 ? kFirstBits : bits_ + 1;
  slots_ = {};
  slots_.resize(std::size_t{1} << bits_);
  std::uint32_t number = 0;
  for (const KeptKey& entry : entries_) slots_[slot_of(entry.hash)] = ++number;
}

}  // namespace tintype
