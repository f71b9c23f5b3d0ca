// SPDX-License-Identifier: Apache-2.0
// Backends: what a service reaches outside of itself, opened from its settings: outgoing HTTP, AWS
// with its credentials, the sites' origins with the cache before them, and the variant store with
// the queue that writes to it. Nothing here is asked at start: a service starts while its backends
// are down. Made and ended by the main thread; its parts are thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "delivery/guarded_store.h"
#include "delivery/origins.h"
#include "delivery/shared_variants.h"
#include "delivery/source_fetches.h"
#include "main/settings.h"
#include "net/aws_client.h"
#include "net/http_client.h"
#include "store/source_cache.h"
#include "store/write_back.h"

namespace tintype {

class Backends {
 public:
  // `reads`: threads for folders and the cache of sources; it and `clock` outlive the backends.
  struct Parts {
    asio::thread_pool& reads;
    const Clock& clock;
    const Environment& environment;
    const PurgeLog* purges = nullptr;  // outlives them too; null: nothing is ever purged
  };
  // Fails with BadRequest when the settings name no bucket or region that could be.
  static Result<std::unique_ptr<Backends>> open(const Settings& settings, const Parts& parts);
  ~Backends();

  HttpClient& http() { return *http_; }
  AwsClient& aws() { return *aws_; }
  // AWS_REGION's; empty: none is set.
  const std::string& region() const { return region_; }
  Origins& origins() { return *origins_; }
  SourceFetches& fetches() { return *fetches_; }
  // Null where the settings name none.
  SourceCache* sources() { return sources_.get(); }
  VariantStore* variants() { return variants_.get(); }  // the bare one, for purges
  WriteBack* write_back() { return write_back_.get(); }
  SharedVariants* shared() { return shared_.get(); }

  // From now on leases are taken. Before serving.
  void use_leases(Lease& leases);
  // Writes what is queued; how many variants were left at the deadline.
  std::size_t drain(Deadline deadline);
  // Ends what is under way; nothing of it comes back afterwards. Before loops are destroyed.
  void stop();

 private:
  Backends(const Settings& settings, const Parts& parts);
  Result<> open_variants(const VariantSettings& settings);
  void share(Lease* leases);
  void open_sources(const SourceCacheSettings& settings);

  asio::thread_pool& reads_;
  const Clock& clock_;
  const PurgeLog* purges_;
  std::string region_;
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<AwsCredentialSource> credentials_;
  std::unique_ptr<AwsClient> aws_;
  std::unique_ptr<SourceCache> sources_;
  std::unique_ptr<Origins> origins_;
  std::unique_ptr<SourceFetches> fetches_;
  SharedVariantsSettings shared_settings_;
  std::unique_ptr<VariantStore> variants_;
  std::unique_ptr<GuardedVariantStore> guarded_;  // where there are purges
  std::unique_ptr<WriteBack> write_back_;
  std::unique_ptr<SharedVariants> shared_;
};

}  // namespace tintype
