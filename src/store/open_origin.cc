// SPDX-License-Identifier: Apache-2.0
#include "store/open_origin.h"

#include <utility>
#include <vector>

#include "store/chain_origin.h"
#include "store/file_origin.h"
#include "store/http_origin.h"
#include "store/s3_origin.h"

namespace tintype {
namespace {

// A site of folders alone is not cached: its sources are on disk already.
bool is_far(const OriginRule& rule) {
  return rule.kind != OriginRule::Kind::Folder;
}

// What tells the sources of one rule from those of another: where they are, not how they are had.
void append_identity(std::string& out, const OriginRule& rule) {
  for (const std::string& part :
       {rule.folder, rule.base_url, rule.endpoint, rule.bucket, rule.prefix}) {
    out += std::to_string(part.size()) + ":" + part;
  }
}

Result<std::shared_ptr<Origin>> open_bucket(const OriginRule& rule, const OriginMeans& means) {
  auto fault = [&](const std::string& reason) {
    return fail_public(ErrorCode::BadRequest, "origin s3: " + rule.bucket + ": " + reason);
  };
  if (means.aws == nullptr) return fault("there is no S3 client here");
  if (rule.region.empty() && means.region.empty()) {
    return fault("the region is not known; set region, or AWS_REGION");
  }
  return std::shared_ptr<Origin>(open_s3_origin(rule, *means.aws, means.region));
}

}  // namespace

Result<std::shared_ptr<Origin>> open_origin(const OriginRule& rule, const OriginMeans& means) {
  switch (rule.kind) {
    case OriginRule::Kind::Http:
      return std::shared_ptr<Origin>(open_http_origin(rule, means.http, means.clock));
    case OriginRule::Kind::S3:
      return open_bucket(rule, means);
    case OriginRule::Kind::Folder:
      break;
  }
  TRY(auto origin, open_file_origin(rule, means.blocking, means.clock));
  return std::shared_ptr<Origin>(std::move(origin));
}

Result<std::shared_ptr<Origin>> open_site_origin(const SitePolicy& site, const OriginMeans& means) {
  std::vector<OriginRule> rules{site.origin};
  rules.insert(rules.end(), site.fallback_origins.begin(), site.fallback_origins.end());
  std::vector<ChainLink> links;
  std::string identity;
  bool has_far = false;
  for (const OriginRule& rule : rules) {
    TRY(auto origin, open_origin(rule, means));
    links.push_back({std::move(origin), rule.kind == OriginRule::Kind::S3});
    append_identity(identity, rule);
    has_far |= is_far(rule);
  }
  auto origin =
      links.size() == 1 ? links.front().origin : chain_origins(std::move(links), means.clock);
  if (means.sources == nullptr || !has_far) return origin;
  return means.sources->wrap(std::move(origin), {site.name, std::move(identity), site.source_ttl});
}

}  // namespace tintype
