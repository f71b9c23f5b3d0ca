// SPDX-License-Identifier: Apache-2.0
// Opens the origin that a site's policy names, of whatever kind. The one place that knows all
// kinds.
#pragma once

#include <memory>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"
#include "policy/policy.h"
#include "store/origin.h"

namespace tintype {

// What origins work with; outlives them.
struct OriginMeans {
  HttpClient& http;
  asio::thread_pool& blocking;  // for files
  const Clock& clock;
};

// Fails as open_file_origin does (no such folder).
Result<std::shared_ptr<Origin>> open_origin(const OriginRule& rule, const OriginMeans& means);

}  // namespace tintype
