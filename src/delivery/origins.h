// SPDX-License-Identifier: Apache-2.0
// Origins: one Origin per site (a chain where its policy names several), opened on first use and
// again when the rules that it was opened from change. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "policy/policy.h"
#include "store/origin.h"

namespace tintype {

class Origins {
 public:
  // Opens a site's origin; main/ passes open_site_origin, tests pass memory.
  using Open = std::function<Result<std::shared_ptr<Origin>>(const SitePolicy& site)>;
  explicit Origins(Open open) : open_(std::move(open)) {}

  Result<std::shared_ptr<Origin>> of(const SitePolicy& site);

 private:
  struct Opened {
    std::vector<OriginRule> rules;  // the site's origin and those behind it
    Seconds source_ttl;
    std::shared_ptr<Origin> origin;
  };
  Open open_;
  std::mutex mutex_;
  std::map<std::string, Opened, std::less<>> opened_;
};

}  // namespace tintype
