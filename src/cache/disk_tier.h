// SPDX-License-Identifier: Apache-2.0
// DiskTier: finished variants as files, one a variant, in a two-level fan-out of the cache key; each file
// carries its metadata and a checksum and appears by temporary file and rename. A SQLite catalogue beside
// them holds what purge, tags, expiry and eviction need; it is rebuilt from the files when missing or
// damaged. Bounded in bytes. A torn, short or flipped file is never served: it is removed and counted.
// When the disk is full or read-only the tier serves on without storing, and says so.
//
// Thread-safe. All calls block on the disk: call them through run_on(blocking pool).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "cache/entry.h"

namespace tintype {

struct DiskTierSettings {
  std::string folder;
  std::int64_t capacity_bytes = 20'000'000'000;
  Seconds stale_for{7 * 86'400};   // kept this long past freshness, for when an origin fails
};

struct DiskTierState {
  std::int64_t bytes = 0, entries = 0;
  std::uint64_t evicted = 0, corrupt = 0, write_failures = 0;
};

class DiskTier {
 public:
  // Creates the folder; removes temporary files of a crashed run. Fails with Internal when it cannot be used.
  static Result<std::unique_ptr<DiskTier>> open(const DiskTierSettings& settings, const Clock& clock);
  ~DiskTier();

  // Null when absent or damaged. Expired entries are returned until `stale_for` is over.
  SharedEntry get(std::string_view key);
  // Fails with Internal (disk full, read-only): the caller counts it and goes on. Negative entries are not kept.
  Result<> keep(const Entry& entry);
  void remove(std::string_view key);
  // By canonical-path prefix ("/shop/p/4711/front.jpg/_/" names one source). Returns how many.
  std::size_t remove_prefix(std::string_view prefix);
  DiskTierState state() const;

 private:
  struct State;
  explicit DiskTier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tintype
