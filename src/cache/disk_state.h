// SPDX-License-Identifier: Apache-2.0
// The inside of DiskTier, private to disk_tier.cc (what callers ask for) and disk_upkeep.cc (what
// the background thread does). Owns the folder, the catalogue and the thread. One mutex guards the
// catalogue and the giving and taking of places in the folder; reading a variant takes none.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "cache/catalogue.h"
#include "cache/disk_folder.h"
#include "cache/disk_tier.h"
#include "telemetry/log.h"

namespace tintype {

// A batch holds the mutex: 128 unlinks and rows take a few milliseconds.
inline constexpr int kDiskBatch = 128;
inline constexpr std::int64_t kDiskBlockBytes = 4096;  // what ext4 and xfs allot by default

// What a file of this length occupies.
inline std::int64_t blocks_of(std::size_t file_bytes) {
  auto bytes = static_cast<std::int64_t>(file_bytes);
  return (bytes + kDiskBlockBytes - 1) / kDiskBlockBytes * kDiskBlockBytes;
}

inline Sha256 name_of_key(std::string_view key) {
  return sha256(view_of(key));
}

inline constexpr std::size_t kMaxPendingUses = 1000;
inline constexpr Seconds kComplainEvery{60};

struct NameHash {
  std::size_t operator()(const Sha256& name) const { return xxh3_64(ByteView(name)); }
};

// Uses seen since they were last written down. Has its own mutex: a hit never waits for the
// catalogue.
class PendingUses {
 public:
  // Whether it is time to write them down.
  bool note(const Sha256& name, std::int64_t unix_seconds) {
    std::lock_guard lock(mutex_);
    CatalogueUse& use = uses_[name];
    use.name = name;
    use.used_unix_seconds = unix_seconds;
    ++use.times;
    return uses_.size() == kMaxPendingUses;
  }
  std::vector<CatalogueUse> take() {
    std::lock_guard lock(mutex_);
    std::vector<CatalogueUse> all;
    for (auto& [name, use] : uses_) all.push_back(use);
    uses_.clear();
    return all;
  }

 private:
  std::mutex mutex_;
  std::unordered_map<Sha256, CatalogueUse, NameHash> uses_;
};

// Lets one line of each kind through in kComplainEvery.
class Complaints {
 public:
  explicit Complaints(const Clock& clock) : clock_(clock) {}
  void say(std::string_view event, const std::string& folder, const Error& error) {
    {
      std::lock_guard lock(mutex_);
      auto [last, is_first] = last_.try_emplace(std::string(event), clock_.now());
      if (!is_first && clock_.now() < last->second + kComplainEvery) return;
      last->second = clock_.now();
    }
    log(LogLevel::Warn, event, {{"folder", folder}, {"reason", error.message}});
  }

 private:
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Steady> last_;
};

// A purge that could not be carried out on every file at once: what it names is not served
// meanwhile.
struct HiddenPurge {
  std::string prefix;
  std::int64_t at_unix_seconds = 0;
  bool until_reconciled = false;  // otherwise a file cannot be removed: until the process ends
  bool met_rows = false;          // everything that had a row is gone
};

struct DiskTier::State {
  State(const DiskTierSettings& chosen, const Clock& time, DiskFolder files)
      : settings(chosen), clock(time), folder(std::move(files)), complaints(time) {}

  const DiskTierSettings settings;
  const Clock& clock;
  const DiskFolder folder;
  Complaints complaints;
  PendingUses uses;
  std::atomic<std::uint64_t> evicted{0}, corrupt{0}, write_failures{0}, next_temporary{0};
  std::atomic<bool> reconciling{false}, any_hidden{false};

  // Guards what follows, and the giving and taking of places in the folder.
  mutable std::mutex mutex;
  std::unique_ptr<Catalogue> catalogue;  // null while it cannot be opened
  std::vector<HiddenPurge> hidden;
  std::condition_variable_any wake;
  bool has_work = false;

  std::jthread thread;  // last: it stops before the rest goes

  std::string catalogue_file() const { return folder.path() + "/catalogue.sqlite"; }
  bool is_past_stale(const EntryMeta& meta) const {
    return clock.unix_seconds() >= meta.fresh_until_unix_seconds + settings.stale_for.count();
  }

  // These require the mutex.
  void open_catalogue(bool is_suspect);
  void on_failure(const Error& error);
  bool is_hidden(const EntryMeta& meta) const;
  void hide(std::string_view prefix, bool until_reconciled);
  void mark_met(std::string_view prefix);
  std::size_t remove_items(const Catalogue::Items& items, std::string_view prefix);
  Result<> make_room(std::int64_t limit_bytes);

  // These take it.
  void wake_thread();
  void forget_row_without_file(const Sha256& name);
  void discard(const Sha256& name, std::string_view key);
  Result<> place(const Entry& entry, const std::string& temporary, std::int64_t size_bytes);
  Result<> purge_rows(std::string_view prefix, std::size_t& removed);
  // Calls `visit` with each batch of rows below the prefix that match, under the mutex.
  using Visit = std::function<Result<>(const Catalogue::Items&)>;
  Result<> visit_rows(std::string_view prefix, const DiskTier::Matches& matches,
                      const Visit& visit);

  // The background thread's, in disk_upkeep.cc; they take it batch by batch.
  void work(const std::stop_token& stop);
  void flush_uses();
  void sweep();
  void evict_ahead();
  void reconcile(const std::stop_token& stop);
  bool repeat_hidden_purges();
  bool adopt(const Sha256& name);
  bool drop_rows_without_file(const std::stop_token& stop);
};

}  // namespace tintype
