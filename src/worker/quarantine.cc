// SPDX-License-Identifier: Apache-2.0
#include "worker/quarantine.h"

namespace tintype {
namespace {

Sha256 name_of(ByteView source, std::string_view plan) {
  Sha256 name = sha256(source);
  if (plan.empty()) return name;
  const Sha256 asked = sha256(view_of(plan));
  for (std::size_t i = 0; i < name.size(); ++i) name[i] ^= asked[i];
  return name;
}

}  // namespace

Quarantine::Entry* Quarantine::find(const Sha256& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front();
}

int Quarantine::blame(ByteView source, std::string_view plan) {
  const Sha256 name = name_of(source, plan);
  const std::scoped_lock lock(mutex_);
  if (Entry* entry = find(name)) return ++entry->crashes;
  entries_.push_front({.name = name, .size_bytes = source.size(), .crashes = 1});
  by_name_.emplace(name, entries_.begin());
  sizes_bytes_.insert(source.size());
  if (entries_.size() > max_sources_) {
    const Entry& oldest = entries_.back();
    by_name_.erase(oldest.name);
    sizes_bytes_.erase(sizes_bytes_.find(oldest.size_bytes));
    entries_.pop_back();
  }
  return 1;
}

bool Quarantine::refuses(ByteView source, std::string_view plan) {
  {
    const std::scoped_lock lock(mutex_);
    if (!sizes_bytes_.contains(source.size())) return false;
  }
  const Sha256 name = name_of(source, plan);
  const std::scoped_lock lock(mutex_);
  const Entry* entry = find(name);
  return entry != nullptr && entry->crashes >= max_crashes_;
}

}  // namespace tintype
