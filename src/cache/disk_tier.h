// SPDX-License-Identifier: Apache-2.0
// DiskTier: finished variants as files, one a variant, in a two-level fan-out of the cache key;
// each file carries its metadata and checksums (entry_file.h) and appears by temporary file and
// rename (disk_folder.h). A SQLite catalogue beside them (catalogue.h) holds what purge, expiry and
// eviction need. A torn, short or flipped file is never served: it is removed and counted. When the
// disk is full or read-only the tier serves on without storing, and says so once a minute.
//
// The file is the truth: get() asks no catalogue. The order of a write is temporary file, row,
// rename, so that after a crash of the process every file has its row and no purge can miss it; a
// row without its file is a miss and goes. After a power cut, or when the catalogue is missing or
// damaged, a background thread makes rows and files agree; purges meanwhile are remembered and
// hold. The same thread writes down uses (a hit itself writes nothing), sweeps what is past its
// stale window and evicts ahead of writers.
//
// Thread-safe. All calls block on the disk: call them through run_on(blocking pool).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "cache/entry.h"

namespace tintype {

struct DiskTierSettings {
  std::string folder;
  // Of all variants in whole blocks of 4 KB; the catalogue (some 1 KB a variant) and files being
  // written come on top. The least recently used go first.
  std::int64_t capacity_bytes = 20'000'000'000;
  Seconds stale_for{7 * 86'400};  // kept this long past freshness, for when an origin fails
};

struct DiskTierState {
  std::int64_t bytes = 0, entries = 0;
  std::uint64_t evicted = 0, corrupt = 0, write_failures = 0;
  bool is_reconciling = false;  // rows and files are being made to agree
};

class DiskTier {
 public:
  // Creates the folder; removes temporary files of a crashed run. Fails with Internal when the
  // folder cannot be made or opened, or belongs to another process. A read-only folder opens: it is
  // served from.
  static Result<std::unique_ptr<DiskTier>> open(const DiskTierSettings& settings,
                                                const Clock& clock);
  ~DiskTier();

  // Null when absent or damaged. Expired entries are returned until `stale_for` is over.
  SharedEntry get(std::string_view key);
  // Fails with Internal (disk full, read-only): the caller goes on; it is counted here. Negative
  // entries and those above 1/8 of the capacity are not kept, which is no failure.
  Result<> keep(const Entry& entry);
  void remove(std::string_view key);
  // By canonical-path prefix ("/shop/p/4711/front.jpg/_/" names one source). Returns how many;
  // while reconciling, files that have no row yet are purged but not counted.
  std::size_t remove_prefix(std::string_view prefix);
  // Those of them that the predicate names; of the meta only key, site, source and tags are filled.
  // Visits every row below the prefix, a batch at a time. While reconciling rows are not all there:
  // then everything below the prefix goes.
  using Matches = std::function<bool(const EntryMeta&)>;
  std::size_t remove_if(std::string_view prefix, const Matches& matches);
  // How many remove_if would remove now.
  std::size_t count_if(std::string_view prefix, const Matches& matches) const;
  DiskTierState state() const;

  // What the background thread does every 10 s; for tests.
  void maintain();

 private:
  struct State;
  explicit DiskTier(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tintype
