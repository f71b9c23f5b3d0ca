// SPDX-License-Identifier: Apache-2.0
#include "delivery/guarded_store.h"

namespace tintype {
namespace {

// What a purge looks at.
EntryMeta meta_of(const StoredVariant& variant) {
  EntryMeta meta;
  meta.key = variant.key;
  meta.tags = variant.tags;
  meta.stored_unix_seconds = variant.stored_unix_seconds;
  return meta;
}

StoredVariant marker_of(std::string key, const StoredVariant& variant) {
  StoredVariant marker;
  marker.key = std::move(key);
  marker.bytes = share({});
  marker.media_type = "application/octet-stream";
  marker.cache_control = "no-store";
  marker.stored_unix_seconds = variant.stored_unix_seconds;
  return marker;
}

}  // namespace

Task<Result<VariantStore::Kept>> GuardedVariantStore::keep(StoredVariant variant, bool replace,
                                                           Deadline deadline) {
  EntryMeta meta = meta_of(variant);
  Steady finished = variant.offered_at;
  if (purges_.was_purged(meta, finished)) {
    // An earlier try may have put it there.
    std::vector<std::string> keys{meta.key};
    CO_TRY(co_await store_.remove(std::move(keys), deadline));
    co_return Kept::New;
  }
  for (std::string& key : tag_markers(variant.key, variant.tags)) {
    StoredVariant marker = marker_of(std::move(key), variant);
    CO_TRY(co_await store_.keep(std::move(marker), true, deadline));
  }
  auto kept = co_await store_.keep(std::move(variant), replace, deadline);
  // Asked again: the purge may have listed the store before this arrived there.
  if (purges_.was_purged(meta, finished)) {
    std::vector<std::string> keys{meta.key};
    CO_TRY(co_await store_.remove(std::move(keys), deadline));
  }
  co_return kept;
}

Task<Result<std::shared_ptr<const StoredVariant>>> GuardedVariantStore::get(std::string key,
                                                                            Deadline deadline) {
  auto found = co_await store_.get(std::move(key), deadline);
  if (found && *found && purges_.was_purged(meta_of(**found))) {
    co_return std::shared_ptr<const StoredVariant>();
  }
  co_return found;
}

Task<Result<std::vector<std::string>>> GuardedVariantStore::list(std::string prefix,
                                                                 std::string after,
                                                                 Deadline deadline) {
  return store_.list(std::move(prefix), std::move(after), deadline);
}

Task<Result<>> GuardedVariantStore::remove(std::vector<std::string> keys, Deadline deadline) {
  return store_.remove(std::move(keys), deadline);
}

}  // namespace tintype
