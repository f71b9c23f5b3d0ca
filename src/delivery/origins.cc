// SPDX-License-Identifier: Apache-2.0
#include "delivery/origins.h"

namespace tintype {

Result<std::shared_ptr<Origin>> Origins::of(const SitePolicy& site) {
  std::lock_guard lock(mutex_);
  auto it = opened_.find(site.name);
  if (it != opened_.end() && it->second.rule == site.origin) return it->second.origin;
  TRY(auto origin, open_(site.origin));
  opened_[site.name] = {site.origin, origin};
  return origin;
}

}  // namespace tintype
