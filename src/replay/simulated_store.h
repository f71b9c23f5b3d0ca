// SPDX-License-Identifier: Apache-2.0
// SimulatedStore: the store of finished variants, of which a lifecycle rule removes each a while
// after it was written. Kept as two generations: when the young one has lasted a lifetime it
// becomes the old one, and the old one goes, by then expired to the last. It goes earlier when the
// young one holds half of the entries there may be; what was still fresh of it then counts as
// evicted. So the latest half is always there, and what is expired takes room for one lifetime at
// most. Memory: 22 to 28 bytes an entry. Not thread-safe.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "replay/key_table.h"

namespace tintype {

class SimulatedStore {
 public:
  // Requires: at least 2 entries.
  SimulatedStore(std::uint64_t max_entries, Seconds ttl);

  bool has_fresh(std::uint64_t hash, std::uint32_t now_seconds) const;
  // Amortized constant; a turn of the generations visits all of the old one.
  void keep(const KeptKey& entry, std::uint32_t now_seconds);
  std::size_t entries() const { return young_.entries().size() + old_.entries().size(); }
  // Fresh ones, for lack of room.
  std::uint64_t evicted() const { return evicted_; }

 private:
  void turn();

  std::uint64_t room_;
  Seconds ttl_;
  KeyTable young_, old_;
  std::uint32_t turned_seconds_ = 0, latest_seconds_ = 0;
  std::uint64_t evicted_ = 0;
};

}  // namespace tintype
