// SPDX-License-Identifier: Apache-2.0
#include "store/open_origin.h"

#include <utility>

#include "store/file_origin.h"
#include "store/http_origin.h"

namespace tintype {

Result<std::shared_ptr<Origin>> open_origin(const OriginRule& rule, const OriginMeans& means) {
  if (rule.kind == OriginRule::Kind::Http) {
    return std::shared_ptr<Origin>(open_http_origin(rule, means.http));
  }
  TRY(auto origin, open_file_origin(rule, means.blocking, means.clock));
  return std::shared_ptr<Origin>(std::move(origin));
}

}  // namespace tintype
