// SPDX-License-Identifier: Apache-2.0
// What the disk tier's background thread does: writes down uses, sweeps, evicts, reconciles.
#include "cache/disk_state.h"
#include "cache/entry_file.h"

namespace tintype {
namespace {

// A use that was not yet written down when the process dies costs an entry some standing, no more.
constexpr Seconds kMaintainEvery{10};

}  // namespace

void DiskTier::State::flush_uses() {
  std::vector<CatalogueUse> taken = uses.take();
  std::lock_guard lock(mutex);
  if (taken.empty() || !catalogue) return;
  if (auto noted = catalogue->note(taken); !noted) on_failure(noted.error());
}

void DiskTier::State::sweep() {
  while (true) {
    std::lock_guard lock(mutex);
    if (!catalogue) return;
    // Gone is what get() does not return any more: now >= fresh_until + stale_for.
    std::int64_t cut = clock.unix_seconds() - settings.stale_for.count() + 1;
    auto items = catalogue->fresh_until_before(cut, kDiskBatch);
    if (!items) on_failure(items.error());
    if (!items || items->empty() || remove_items(*items, {}) == 0) return;
  }
}

// Down to 95 % in the background, so that writers rarely have to evict.
void DiskTier::State::evict_ahead() {
  const std::int64_t goal_bytes = settings.capacity_bytes / 100 * 95;
  while (true) {
    std::lock_guard lock(mutex);
    if (!catalogue || catalogue->bytes() <= goal_bytes) return;
    std::int64_t step_bytes =
        std::max(goal_bytes, catalogue->bytes() - kDiskBatch * kDiskBlockBytes);
    if (auto made = make_room(step_bytes); !made) {
      on_failure(made.error());
      return;
    }
  }
}

// Gives a file without a row its row, or removes it if it is damaged, expired or purged.
// False: the catalogue is gone.
bool DiskTier::State::adopt(const Sha256& name) {
  {
    std::lock_guard lock(mutex);
    if (!catalogue) return false;
    auto has_row = catalogue->holds(name);
    if (!has_row) on_failure(has_row.error());
    if (!has_row || *has_row) return has_row.has_value();
  }
  auto head = folder.read_head(name);
  if (!head && head.error().code != ErrorCode::Corrupt) return true;
  bool is_good = head && name_of_key(head->meta.key) == name;
  if (!is_good) ++corrupt;
  std::unique_lock lock(mutex);
  if (!catalogue) return false;
  // A writer may have put another file here since this one was read: that one has its row.
  auto has_row = catalogue->holds(name);
  if (!has_row || *has_row) return true;
  if (!is_good || is_past_stale(head->meta) || is_hidden(head->meta)) {
    remove_items({{name, 0}}, is_good ? head->meta.key : "");
    return true;
  }
  const EntryMeta& meta = head->meta;
  Result<> added = catalogue->add({name, meta.key, meta.site, meta.source, meta.tags,
                                   blocks_of(head->file_bytes), meta.stored_unix_seconds,
                                   meta.fresh_until_unix_seconds, meta.stored_unix_seconds});
  if (added) added = make_room(settings.capacity_bytes);
  if (!added) on_failure(added.error());
  return added.has_value();
}

bool DiskTier::State::drop_rows_without_file(const std::stop_token& stop) {
  Sha256 last{};
  while (!stop.stop_requested()) {
    std::lock_guard lock(mutex);
    if (!catalogue) return false;
    auto items = catalogue->after(last, kDiskBatch);
    if (!items) on_failure(items.error());
    if (!items) return false;
    if (items->empty()) return true;
    last = items->back().name;
    std::erase_if(*items, [&](const CatalogueItem& item) { return folder.holds(item.name); });
    if (auto removed = catalogue->remove(*items); !removed) {
      on_failure(removed.error());
      return false;
    }
  }
  return false;
}

// Purges that came while there was no catalogue, on rows that were there all along.
bool DiskTier::State::repeat_hidden_purges() {
  std::vector<std::string> prefixes;
  {
    std::lock_guard lock(mutex);
    for (const HiddenPurge& purge : hidden) {
      if (purge.until_reconciled) prefixes.push_back(purge.prefix);
    }
  }
  std::size_t removed = 0;
  for (const std::string& prefix : prefixes) {
    if (!purge_rows(prefix, removed)) return false;
    std::lock_guard lock(mutex);
    mark_met(prefix);
  }
  return true;
}

void DiskTier::State::reconcile(const std::stop_token& stop) {
  if (!repeat_hidden_purges()) return;
  bool visited_all =
      folder.each([&](const Sha256& name) { return !stop.stop_requested() && adopt(name); });
  if (!visited_all || !drop_rows_without_file(stop)) return;
  std::lock_guard lock(mutex);
  if (!catalogue) return;
  // Files that had no row when a purge came were removed by adopt().
  std::erase_if(hidden,
                [](const HiddenPurge& purge) { return purge.until_reconciled && purge.met_rows; });
  any_hidden = !hidden.empty();
  reconciling = std::any_of(hidden.begin(), hidden.end(),
                            [](const HiddenPurge& purge) { return purge.until_reconciled; });
  if (catalogue->entries() == 0) return;
  log(LogLevel::Info, "disk tier reconciled",
      {{"folder", folder.path()}, {"entries", catalogue->entries()}});
}

void DiskTier::State::work(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (reconciling) reconcile(stop);
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kMaintainEvery, [&] { return has_work; });
    has_work = false;
    if (!catalogue) open_catalogue(true);
    lock.unlock();
    flush_uses();
    sweep();
    evict_ahead();
  }
}

}  // namespace tintype
