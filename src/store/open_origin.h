// SPDX-License-Identifier: Apache-2.0
// Opens the origins that a site's policy names, of whatever kind, as a chain where there are
// several, and with the source cache before them where there is one. The one place that knows all
// kinds.
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/aws_client.h"
#include "net/http_client.h"
#include "policy/policy.h"
#include "store/origin.h"
#include "store/source_cache.h"

namespace tintype {

// What origins work with; outlives them.
struct OriginMeans {
  HttpClient& http;
  asio::thread_pool& blocking;  // for files
  const Clock& clock;
  AwsClient* aws = nullptr;        // null: there are no S3 origins
  std::string region = {};         // AWS_REGION's, for rules that name none
  SourceCache* sources = nullptr;  // null: every source comes from its origin; folders always do
};

// Fails as open_file_origin does (no such folder), and with BadRequest for an S3 origin without
// `aws` or a region.
Result<std::shared_ptr<Origin>> open_origin(const OriginRule& rule, const OriginMeans& means);
// The site's origin and those behind it. Fails as open_origin does for any of them.
Result<std::shared_ptr<Origin>> open_site_origin(const SitePolicy& site, const OriginMeans& means);

}  // namespace tintype
