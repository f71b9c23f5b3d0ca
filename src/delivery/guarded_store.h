// SPDX-License-Identifier: Apache-2.0
// GuardedVariantStore: the variant store as everything but a purge sees it: what was made before a
// purge that this task knows of is neither written there any more nor given from there, though it
// stood in the write-back queue when the purge came. It also writes the markers by which variants
// are found by their tags. Thread-safe as the store is.
#pragma once

#include "delivery/purge_log.h"
#include "store/variant_store.h"

namespace tintype {

class GuardedVariantStore final : public VariantStore {
 public:
  // Both outlive it.
  GuardedVariantStore(VariantStore& store, const PurgeLog& purges)
      : store_(store), purges_(purges) {}

  // Markers first: a variant without them would not be found, one without its variant is nothing.
  Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) override;
  Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key,
                                                         Deadline deadline) override;
  Task<Result<std::vector<std::string>>> list(std::string prefix, std::string after,
                                              Deadline deadline) override;
  Task<Result<>> remove(std::vector<std::string> keys, Deadline deadline) override;

 private:
  VariantStore& store_;
  const PurgeLog& purges_;
};

}  // namespace tintype
