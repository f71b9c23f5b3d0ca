// SPDX-License-Identifier: Apache-2.0
// Origins: one Origin per site, opened from its OriginRule on first use and again when the rule
// changes. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "policy/policy.h"
#include "store/origin.h"

namespace tintype {

class Origins {
 public:
  // Opens an origin for a rule; main/ passes file_origin and http_origin, tests pass memory.
  using Open = std::function<Result<std::shared_ptr<Origin>>(const OriginRule& rule)>;
  explicit Origins(Open open) : open_(std::move(open)) {}

  Result<std::shared_ptr<Origin>> of(const SitePolicy& site);

 private:
  struct Opened {
    OriginRule rule;
    std::shared_ptr<Origin> origin;
  };
  Open open_;
  std::mutex mutex_;
  std::map<std::string, Opened, std::less<>> opened_;
};

}  // namespace tintype
