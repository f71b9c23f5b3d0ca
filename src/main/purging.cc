// SPDX-License-Identifier: Apache-2.0
#include "main/purging.h"

#include <utility>

#include "base/hash.h"

namespace tintype {
Purging::Purging(const PurgingSettings& settings, std::vector<std::string> tokens,
                 const Parts& parts)
    : audit_(settings.audit_log), tokens_(std::move(tokens)) {
  if (!settings.cloudfront.distribution.empty()) {
    cloudfront_ = std::make_unique<CloudFront>(settings.cloudfront, parts.aws, parts.clock);
  }
  if (parts.dynamo != nullptr) {
    notes_ = std::make_unique<PurgeNotes>(*parts.dynamo, parts.clock, random_id());
    feed_ = std::make_unique<SharedPurgeFeed>(*notes_);
  }
  purger_ = std::make_unique<Purger>(purge_parts(parts));
  api_ = std::make_unique<PurgeApi>(*purger_, tokens_);
}

PurgeParts Purging::purge_parts(const Parts& parts) {
  PurgeParts purge{.policies = parts.policies,
                   .log = parts.log,
                   .memory = parts.memory,
                   .disk = parts.disk,
                   .blocking = parts.blocking,
                   .clock = parts.clock,
                   .store = parts.variants,
                   .feed = feed_.get()};
  if (cloudfront_) {
    purge.edge = [this](std::vector<std::string> paths, std::string reference) {
      return cloudfront_->invalidate(std::move(paths), std::move(reference));
    };
  }
  if (parts.sources != nullptr) {
    purge.forget_sources = [sources = parts.sources](std::string site, std::string prefix) {
      return sources->remove(std::move(site), std::move(prefix));
    };
  }
  purge.on_done = [this](const PurgeReport& report) { record(report, audit_); };
  return purge;
}

void Purging::follow(asio::io_context& loop) {
  if (feed_) asio::co_spawn(loop, purger_->follow_feed(), asio::detached);
}

}  // namespace tintype
