// SPDX-License-Identifier: Apache-2.0
#include "store/variant_store.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxListed = 1'000;

Failure told_to_fail(ErrorCode code) {
  return fail_private(code, "memory variant store told to fail");
}

}  // namespace

Task<Result<VariantStore::Kept>> MemoryVariantStore::keep(StoredVariant variant, bool replace,
                                                          Deadline /*deadline*/) {
  const std::scoped_lock lock(mutex_);
  if (fault_) co_return told_to_fail(*fault_);
  auto& object = objects_[variant.key];
  if (object && !replace) co_return Kept::AlreadyThere;
  object = std::make_shared<const StoredVariant>(std::move(variant));
  co_return Kept::New;
}

Task<Result<std::shared_ptr<const StoredVariant>>> MemoryVariantStore::get(std::string key,
                                                                           Deadline /*deadline*/) {
  const std::scoped_lock lock(mutex_);
  if (fault_) co_return told_to_fail(*fault_);
  auto found = objects_.find(key);
  co_return found == objects_.end() ? nullptr : found->second;
}

Task<Result<std::vector<std::string>>> MemoryVariantStore::list(std::string prefix,
                                                                std::string after,
                                                                Deadline /*deadline*/) {
  const std::scoped_lock lock(mutex_);
  if (fault_) co_return told_to_fail(*fault_);
  std::vector<std::string> keys;
  bool is_first_page = after < prefix;
  auto from = is_first_page ? objects_.lower_bound(prefix) : objects_.upper_bound(after);
  for (; from != objects_.end() && from->first.starts_with(prefix); ++from) {
    if (keys.size() == kMaxListed) break;
    keys.push_back(from->first);
  }
  co_return keys;
}

Task<Result<>> MemoryVariantStore::remove(std::vector<std::string> keys, Deadline /*deadline*/) {
  const std::scoped_lock lock(mutex_);
  if (fault_) co_return told_to_fail(*fault_);
  for (const std::string& key : keys) objects_.erase(key);
  co_return Result<>{};
}

void MemoryVariantStore::fail_with(std::optional<ErrorCode> code) {
  const std::scoped_lock lock(mutex_);
  fault_ = code;
}

std::size_t MemoryVariantStore::size() const {
  const std::scoped_lock lock(mutex_);
  return objects_.size();
}

}  // namespace tintype
