// SPDX-License-Identifier: Apache-2.0
#include "delivery/shared_variants.h"

#include <utility>

#include "telemetry/log.h"

namespace tintype {
namespace {

StoredVariant variant_of(const SharedEntry& entry) {
  const EntryMeta& meta = entry->meta;
  return {.key = meta.key,
          .bytes = SharedBytes(entry, &entry->body),  // no copy: it holds the entry
          .media_type = meta.media_type,
          .cache_control = cache_control_of(meta),
          .etag = meta.etag,
          .tags = meta.tags,
          .stored_unix_seconds = meta.stored_unix_seconds,
          .fresh_until_unix_seconds = meta.fresh_until_unix_seconds,
          .max_age_seconds = meta.max_age_seconds};
}

SharedEntry entry_of(const StoredVariant& variant) {
  auto entry = std::make_shared<Entry>();
  entry->body = *variant.bytes;
  entry->meta.key = variant.key;
  entry->meta.media_type = variant.media_type;
  entry->meta.etag = variant.etag;
  entry->meta.tags = variant.tags;
  entry->meta.modified_unix_seconds = variant.stored_unix_seconds;
  entry->meta.stored_unix_seconds = variant.stored_unix_seconds;
  entry->meta.fresh_until_unix_seconds = variant.fresh_until_unix_seconds;
  entry->meta.max_age_seconds = variant.max_age_seconds;
  return entry;
}

}  // namespace

Task<SharedEntry> SharedVariants::look(std::string path, Deadline deadline) {
  Deadline soon = deadline.no_later_than(parts_.clock.now() + settings_.read_timeout_ms);
  auto found = co_await parts_.store.get(path, soon);
  if (!found) {
    log(LogLevel::Debug, "variant-store-silent",
        {{"key", path}, {"message", found.error().message}});
    co_return nullptr;
  }
  bool is_fresh = *found && (*found)->fresh_until_unix_seconds > parts_.clock.unix_seconds();
  co_return is_fresh ? entry_of(**found) : nullptr;
}

Task<SharedEntry> SharedVariants::find(std::string path, Deadline deadline) {
  if (settings_.read) {
    if (SharedEntry entry = co_await look(path, deadline)) co_return entry;
  }
  if (parts_.leases == nullptr) co_return nullptr;
  Deadline patience = deadline.no_later_than(parts_.clock.now() + parts_.leases->life());
  while (!patience.passed(parts_.clock)) {
    Deadline soon = deadline.no_later_than(parts_.clock.now() + settings_.read_timeout_ms);
    auto holder = co_await parts_.leases->acquire(path, soon);
    if (!holder || *holder == Lease::Holder::Mine) co_return nullptr;
    co_await sleep_for(settings_.poll_ms);
    if (SharedEntry entry = co_await look(path, patience)) co_return entry;
  }
  co_return nullptr;
}

Task<> SharedVariants::give_up(std::string path, Deadline deadline) {
  if (parts_.leases != nullptr) co_await parts_.leases->release(std::move(path), deadline);
}

void SharedVariants::offer(const SharedEntry& entry, Steady finished_at) {
  const EntryMeta& meta = entry->meta;
  if (meta.status != 200 || entry->is_negative() || meta.is_private || meta.is_stale) return;
  StoredVariant variant = variant_of(entry);
  variant.offered_at = finished_at;
  parts_.write_back.add(std::move(variant));
}

}  // namespace tintype
