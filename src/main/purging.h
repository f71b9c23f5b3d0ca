// SPDX-License-Identifier: Apache-2.0
// Purging: what carries out purges in a running service, put together from its settings: the purger
// over this task's tiers, the variant store and the edge; the feed of the other tasks where there
// is a policy table; the admin API's routes and the audit log. Made and ended by the main thread;
// its parts are thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "cache/disk_tier.h"
#include "cache/memory_tier.h"
#include "delivery/purge.h"
#include "delivery/purge_log.h"
#include "delivery/shared_purge_feed.h"
#include "main/settings.h"
#include "net/aws_client.h"
#include "server/admin_tokens.h"
#include "server/purge_api.h"
#include "store/cloudfront.h"
#include "store/dynamodb_client.h"
#include "store/policy_store.h"
#include "store/source_cache.h"
#include "store/variant_store.h"
#include "telemetry/audit_log.h"

namespace tintype {

class Purging {
 public:
  // All must outlive it.
  struct Parts {
    PolicyStore& policies;
    PurgeLog& log;  // the same that the walk and the guarded store ask
    MemoryTier& memory;
    DiskTier* disk = nullptr;
    asio::thread_pool& blocking;
    const Clock& clock;
    AwsClient& aws;
    VariantStore* variants = nullptr;  // the bare store
    SourceCache* sources = nullptr;
    DynamoClient* dynamo = nullptr;  // null: this is the only task
  };
  // `tokens`: the admin API's.
  Purging(const PurgingSettings& settings, std::vector<std::string> tokens, const Parts& parts);

  Purger& purger() { return *purger_; }
  const AdminTokens& tokens() const { return tokens_; }
  void add_routes(AdminApi& api) { api_->add_routes(api); }
  // Carries out what other tasks order, on this loop, until it ends. Nothing where there are none.
  void follow(asio::io_context& loop);

 private:
  PurgeParts purge_parts(const Parts& parts);

  AuditLog audit_;
  AdminTokens tokens_;
  std::unique_ptr<CloudFront> cloudfront_;
  std::unique_ptr<PurgeNotes> notes_;
  std::unique_ptr<SharedPurgeFeed> feed_;
  std::unique_ptr<Purger> purger_;
  std::unique_ptr<PurgeApi> api_;
};

}  // namespace tintype
