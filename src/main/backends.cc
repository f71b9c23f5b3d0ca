// SPDX-License-Identifier: Apache-2.0
#include "main/backends.h"

#include <utility>

#include "net/aws_credentials.h"
#include "store/open_origin.h"
#include "store/s3_variant_store.h"
#include "telemetry/log.h"

namespace tintype {

Result<std::unique_ptr<Backends>> Backends::open(const Settings& settings, const Parts& parts) {
  auto backends = std::unique_ptr<Backends>(new Backends(settings, parts));
  if (settings.sources) backends->open_sources(*settings.sources);
  if (settings.variants) TRY(backends->open_variants(*settings.variants));
  return backends;
}

Backends::Backends(const Settings& settings, const Parts& parts)
    : reads_(parts.reads), clock_(parts.clock), purges_(parts.purges) {
  const Environment& environment = parts.environment;
  region_ = environment("AWS_REGION").value_or(environment("AWS_DEFAULT_REGION").value_or(""));
  http_ = std::make_unique<HttpClient>(HttpClientSettings{}, clock_);
  credentials_ = open_aws_credential_chain(environment, *http_, clock_);
  aws_ = std::make_unique<AwsClient>(*http_, *credentials_, clock_);
  origins_ = std::make_unique<Origins>([this](const SitePolicy& site) {
    return open_site_origin(site, {.http = *http_,
                                   .blocking = reads_,
                                   .clock = clock_,
                                   .aws = aws_.get(),
                                   .region = region_,
                                   .sources = sources_.get()});
  });
  fetches_ = std::make_unique<SourceFetches>(settings.fetch, clock_);
}

Backends::~Backends() {
  stop();
}

void Backends::open_sources(const SourceCacheSettings& settings) {
  auto cache = SourceCache::open(settings, reads_, clock_);
  if (cache) {
    sources_ = std::move(*cache);
    return;
  }
  // A folder in use, as during a rolling restart, or broken: sources come from their origins.
  log(LogLevel::Error, "source-cache-off",
      {{"folder", settings.folder}, {"message", cache.error().message}});
}

Result<> Backends::open_variants(const VariantSettings& settings) {
  S3VariantStoreSettings s3 = settings.s3;
  if (s3.region.empty()) s3.region = region_;
  TRY(variants_, open_s3_variant_store(s3, *aws_));
  if (purges_ != nullptr) guarded_ = std::make_unique<GuardedVariantStore>(*variants_, *purges_);
  VariantStore& store = guarded_ ? static_cast<VariantStore&>(*guarded_) : *variants_;
  write_back_ = std::make_unique<WriteBack>(store, settings.write_back, clock_);
  shared_settings_ = settings.shared;
  share(nullptr);
  return {};
}

void Backends::share(Lease* leases) {
  SharedVariants::Parts parts{
      .store = guarded_ ? static_cast<VariantStore&>(*guarded_) : *variants_,
      .write_back = *write_back_,
      .leases = leases,
      .clock = clock_};
  shared_ = std::make_unique<SharedVariants>(parts, shared_settings_);
}

void Backends::use_leases(Lease& leases) {
  if (shared_) share(&leases);
}

std::size_t Backends::drain(Deadline deadline) {
  return write_back_ ? write_back_->drain(deadline) : 0;
}

void Backends::stop() {
  if (write_back_) write_back_->stop();
  http_.reset();
}

}  // namespace tintype
