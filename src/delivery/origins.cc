// SPDX-License-Identifier: Apache-2.0
#include "delivery/origins.h"

#include <algorithm>

namespace tintype {
namespace {

bool is_same(const std::vector<OriginRule>& rules, const SitePolicy& site) {
  return rules.size() == 1 + site.fallback_origins.size() && rules.front() == site.origin &&
         std::equal(rules.begin() + 1, rules.end(), site.fallback_origins.begin());
}

}  // namespace

Result<std::shared_ptr<Origin>> Origins::of(const SitePolicy& site) {
  std::lock_guard lock(mutex_);
  auto it = opened_.find(site.name);
  bool is_open = it != opened_.end() && is_same(it->second.rules, site) &&
                 it->second.source_ttl == site.source_ttl;
  if (is_open) return it->second.origin;
  TRY(auto origin, open_(site));
  std::vector<OriginRule> rules{site.origin};
  rules.insert(rules.end(), site.fallback_origins.begin(), site.fallback_origins.end());
  opened_[site.name] = {std::move(rules), site.source_ttl, origin};
  return origin;
}

}  // namespace tintype
