// SPDX-License-Identifier: Apache-2.0
#include "cache/disk_tier.h"

#include "cache/disk_state.h"
#include "cache/entry_file.h"

namespace tintype {

void DiskTier::State::open_catalogue(bool is_suspect) {
  auto opened = Catalogue::open(catalogue_file(), is_suspect);
  if (!opened && opened.error().code == ErrorCode::Corrupt) {
    complaints.say("catalogue damaged, made anew", folder.path(), opened.error());
    Catalogue::destroy(catalogue_file());
    opened = Catalogue::open(catalogue_file(), false);
  }
  if (!opened) {
    complaints.say("catalogue cannot be opened", folder.path(), opened.error());
    return;
  }
  catalogue = std::move(*opened);
  if (is_suspect || catalogue->was_missing()) reconciling = true;
}

// A damaged catalogue is closed; maintenance opens it again.
void DiskTier::State::on_failure(const Error& error) {
  complaints.say("catalogue failed", folder.path(), error);
  if (error.code != ErrorCode::Corrupt) return;
  catalogue.reset();
  reconciling = true;
  has_work = true;
  wake.notify_all();
}

void DiskTier::State::wake_thread() {
  std::lock_guard lock(mutex);
  has_work = true;
  wake.notify_all();
}

bool DiskTier::State::is_hidden(const EntryMeta& meta) const {
  return std::any_of(hidden.begin(), hidden.end(), [&](const HiddenPurge& purge) {
    return meta.key.starts_with(purge.prefix) && meta.stored_unix_seconds <= purge.at_unix_seconds;
  });
}

void DiskTier::State::hide(std::string_view prefix, bool until_reconciled) {
  auto known = std::find_if(hidden.begin(), hidden.end(), [&](const HiddenPurge& purge) {
    return purge.prefix == prefix && purge.until_reconciled == until_reconciled;
  });
  if (known == hidden.end())
    known = hidden.insert(hidden.end(), {std::string(prefix), 0, until_reconciled});
  known->at_unix_seconds = clock.unix_seconds();
  known->met_rows = false;
  any_hidden = true;
  if (until_reconciled) reconciling = true;
}

void DiskTier::State::mark_met(std::string_view prefix) {
  for (HiddenPurge& purge : hidden) {
    if (purge.prefix == prefix) purge.met_rows = true;
  }
}

// A miss costs a render; a look at the catalogue is nothing beside it, but waiting for it might be.
void DiskTier::State::forget_row_without_file(const Sha256& name) {
  std::unique_lock lock(mutex, std::try_to_lock);
  if (!lock || !catalogue) return;
  auto has_row = catalogue->holds(name);
  if (!has_row || !*has_row || folder.holds(name)) return;
  CatalogueItem item{name, 0};
  if (auto removed = catalogue->remove({&item, 1}); !removed) on_failure(removed.error());
}

// Files first: a crash in between leaves rows without files, which is harmless. Returns how many
// files were removed; what cannot be unlinked is hidden under `prefix`.
std::size_t DiskTier::State::remove_items(const Catalogue::Items& items, std::string_view prefix) {
  std::size_t removed = 0;
  for (const CatalogueItem& item : items) {
    auto unlinked = folder.remove(item.name);
    if (unlinked) {
      removed += *unlinked;
    } else {
      complaints.say("cannot remove a variant", folder.path(), unlinked.error());
      if (!prefix.empty()) hide(prefix, false);
    }
  }
  if (!catalogue) return removed;
  if (auto rows = catalogue->remove(items); !rows) on_failure(rows.error());
  return removed;
}

// One variant goes: damaged, expired or purged. Should a writer have replaced it this moment, its
// good successor goes too and is rendered again.
void DiskTier::State::discard(const Sha256& name, std::string_view key) {
  std::lock_guard lock(mutex);
  remove_items({{name, 0}}, key);
}

// Evicts until `limit_bytes` are not exceeded.
Result<> DiskTier::State::make_room(std::int64_t limit_bytes) {
  if (catalogue->bytes() > limit_bytes) TRY(catalogue->note(uses.take()));
  while (catalogue->bytes() > limit_bytes) {
    TRY(Catalogue::Items items, catalogue->least_recently_used(kDiskBatch));
    if (items.empty()) return fail_private(ErrorCode::Internal, "bytes without rows");
    std::int64_t surplus_bytes = catalogue->bytes() - limit_bytes;
    auto end = std::find_if(items.begin(), items.end(), [&](const CatalogueItem& item) {
      return std::exchange(surplus_bytes, surplus_bytes - item.size_bytes) <= 0;
    });
    items.erase(end, items.end());
    for (const CatalogueItem& item : items) TRY(folder.remove(item.name));
    TRY(catalogue->remove(items));
    evicted += items.size();
  }
  return {};
}

// The row, then the rename: no file is ever without its row.
Result<> DiskTier::State::place(const Entry& entry, const std::string& temporary,
                                std::int64_t size_bytes) {
  std::lock_guard lock(mutex);
  const EntryMeta& meta = entry.meta;
  CatalogueRow row{name_of_key(meta.key),
                   meta.key,
                   meta.site,
                   meta.source,
                   meta.tags,
                   size_bytes,
                   meta.stored_unix_seconds,
                   meta.fresh_until_unix_seconds,
                   clock.unix_seconds()};
  auto prepare = [&]() -> Result<> {
    if (!catalogue) return fail_private(ErrorCode::Internal, "no catalogue");
    TRY(make_room(settings.capacity_bytes - size_bytes));
    return catalogue->add(row);
  };
  if (Result<> prepared = prepare(); !prepared) {
    folder.discard(temporary);
    if (catalogue) on_failure(prepared.error());
    return fail_private(ErrorCode::Internal, prepared.error().message);
  }
  Result<> published = folder.publish(temporary, row.name);
  if (!published) remove_items({{row.name, size_bytes}}, {});
  return published;
}

// Removes every variant that has a row and a key with this prefix.
Result<> DiskTier::State::purge_rows(std::string_view prefix, std::size_t& removed) {
  while (true) {
    std::lock_guard lock(mutex);
    if (!catalogue) return fail_private(ErrorCode::Internal, "no catalogue");
    TRY(Catalogue::Items items, catalogue->with_prefix(prefix, kDiskBatch));
    if (items.empty()) return {};
    std::int64_t entries = catalogue->entries();
    removed += remove_items(items, prefix);
    if (!catalogue || catalogue->entries() == entries) {
      return fail_private(ErrorCode::Internal, "the catalogue cannot be written");
    }
  }
}

Result<> DiskTier::State::visit_rows(std::string_view prefix, const DiskTier::Matches& matches,
                                     const Visit& visit) {
  std::string last;
  while (true) {
    std::lock_guard lock(mutex);
    if (!catalogue) return fail_private(ErrorCode::Internal, "no catalogue");
    TRY(std::vector<CatalogueRow> rows, catalogue->rows_with_prefix(prefix, last, kDiskBatch));
    if (rows.empty()) return {};
    Catalogue::Items items;
    for (CatalogueRow& row : rows) {
      last = row.key;
      EntryMeta meta;
      meta.key = std::move(row.key);
      meta.site = std::move(row.site);
      meta.source = std::move(row.source);
      meta.tags = std::move(row.tags);
      if (matches(meta)) items.push_back({row.name, row.size_bytes});
    }
    if (!items.empty()) TRY(visit(items));
  }
}

DiskTier::DiskTier(std::unique_ptr<State> state) : state_(std::move(state)) {}

DiskTier::~DiskTier() {
  State& s = *state_;
  s.thread.request_stop();
  s.thread.join();
  s.flush_uses();
  std::lock_guard lock(s.mutex);
  if (s.catalogue && !s.reconciling && s.hidden.empty()) s.folder.leave_clean_mark();
}

Result<std::unique_ptr<DiskTier>> DiskTier::open(const DiskTierSettings& settings,
                                                 const Clock& clock) {
  TRY(DiskFolder folder, DiskFolder::open(settings.folder));
  auto state = std::make_unique<State>(settings, clock, std::move(folder));
  bool is_suspect = !state->folder.take_clean_mark();
  state->open_catalogue(is_suspect);
  State* s = state.get();
  state->thread = std::jthread([s](const std::stop_token& stop) { s->work(stop); });
  return std::unique_ptr<DiskTier>(new DiskTier(std::move(state)));
}

SharedEntry DiskTier::get(std::string_view key) {
  State& s = *state_;
  Sha256 name = name_of_key(key);
  Result<Entry> read = s.folder.read(name);
  if (!read && read.error().code == ErrorCode::NotFound) {
    s.forget_row_without_file(name);
    return nullptr;
  }
  if (!read && read.error().code != ErrorCode::Corrupt) {
    s.complaints.say("cannot read a variant", s.folder.path(), read.error());
    return nullptr;
  }
  if (!read || read->meta.key != key) {
    ++s.corrupt;
    Error reason = read ? Error::in_private(ErrorCode::Corrupt, "another key's") : read.error();
    s.complaints.say("damaged variant removed", s.folder.path(), reason);
    s.discard(name, key);
    return nullptr;
  }
  if (s.is_past_stale(read->meta)) {
    s.discard(name, key);
    return nullptr;
  }
  if (s.any_hidden) {
    std::lock_guard lock(s.mutex);
    if (s.is_hidden(read->meta)) return nullptr;
  }
  if (s.uses.note(name, s.clock.unix_seconds())) s.wake_thread();
  return std::make_shared<const Entry>(std::move(*read));
}

Result<> DiskTier::keep(const Entry& entry) {
  State& s = *state_;
  if (entry.is_negative()) return {};
  std::string head = encode_entry_head(entry.meta, entry.body);
  std::int64_t size_bytes = blocks_of(head.size() + entry.body.size());
  if (size_bytes > s.settings.capacity_bytes / 8) {
    remove(entry.meta.key);
    return {};
  }
  std::string temporary = std::to_string(s.next_temporary++);
  Result<> kept = s.folder.write(temporary, head, entry.body);
  if (kept) kept = s.place(entry, temporary, size_bytes);
  if (!kept) {
    ++s.write_failures;
    s.complaints.say("cannot keep a variant", s.folder.path(), kept.error());
  }
  return kept;
}

void DiskTier::remove(std::string_view key) {
  state_->discard(name_of_key(key), key);
}

std::size_t DiskTier::remove_prefix(std::string_view prefix) {
  State& s = *state_;
  {
    std::lock_guard lock(s.mutex);
    if (s.reconciling || !s.catalogue) s.hide(prefix, true);
  }
  std::size_t removed = 0;
  Result<> purged = s.purge_rows(prefix, removed);
  std::lock_guard lock(s.mutex);
  if (purged) {
    s.mark_met(prefix);
  } else {
    // What is left is hidden, and removed when the catalogue works again.
    s.hide(prefix, true);
    if (s.catalogue) s.on_failure(purged.error());
  }
  return removed;
}

std::size_t DiskTier::remove_if(std::string_view prefix, const Matches& matches) {
  State& s = *state_;
  {
    std::lock_guard lock(s.mutex);
    if (s.reconciling || !s.catalogue) s.hide(prefix, true);
  }
  if (s.reconciling) return remove_prefix(prefix);
  std::size_t removed = 0;
  auto remove = [&](const Catalogue::Items& items) -> Result<> {
    std::int64_t entries = s.catalogue->entries();
    std::size_t files = s.remove_items(items, prefix);
    removed += files;
    if (s.catalogue && s.catalogue->entries() < entries) return {};
    return fail_private(ErrorCode::Internal, "the catalogue cannot be written");
  };
  if (s.visit_rows(prefix, matches, remove)) return removed;
  // The rows cannot say what is left.
  return removed + remove_prefix(prefix);
}

std::size_t DiskTier::count_if(std::string_view prefix, const Matches& matches) const {
  std::size_t count = 0;
  auto add = [&count](const Catalogue::Items& items) -> Result<> {
    count += items.size();
    return {};
  };
  auto visited = state_->visit_rows(prefix, matches, add);
  if (!visited) state_->complaints.say("catalogue failed", state_->folder.path(), visited.error());
  return count;
}

DiskTierState DiskTier::state() const {
  const State& s = *state_;
  DiskTierState seen{0, 0, s.evicted, s.corrupt, s.write_failures, s.reconciling};
  std::lock_guard lock(s.mutex);
  if (s.catalogue) {
    seen.bytes = s.catalogue->bytes();
    seen.entries = s.catalogue->entries();
  }
  return seen;
}

void DiskTier::maintain() {
  state_->flush_uses();
  state_->sweep();
  state_->evict_ahead();
}

}  // namespace tintype
