// SPDX-License-Identifier: Apache-2.0
// The settings of one process: what `tintype serve` is told by tintype.yaml and the environment.
// Every field has one name, "server.port", which is its place in the file and, as
// TINTYPE_SERVER_PORT, its environment variable; the environment wins. The `sites` section is the
// policy's (policy/policy.h).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/result.h"
#include "cache/disk_tier.h"
#include "delivery/shared_variants.h"
#include "delivery/source_fetches.h"
#include "main/telemetry_settings.h"
#include "server/settings.h"
#include "store/cloudfront.h"
#include "store/policy_table.h"
#include "store/s3_variant_store.h"
#include "store/source_cache.h"
#include "store/write_back.h"
#include "telemetry/log.h"
#include "worker/settings.h"

namespace tintype {

// Where finished variants stand for all tasks and the edge, and how they get there.
struct VariantSettings {
  S3VariantStoreSettings s3;
  WriteBackSettings write_back;
  SharedVariantsSettings shared;
  bool leases = false;
};

// How purges reach the edge, and where they are written down.
struct PurgingSettings {
  std::string audit_log;          // a file; empty: the log alone
  CloudFrontSettings cloudfront;  // without a distribution no edge is asked
};

struct Settings {
  ServerSettings server;
  WorkerSettings workers;
  FetchSettings fetch;
  std::int64_t memory_cache_bytes = 256'000'000;
  std::optional<DiskTierSettings> disk;        // absent: no disk tier
  std::optional<SourceCacheSettings> sources;  // absent: no cache of sources
  std::optional<VariantSettings> variants;     // absent: no variant store
  PurgingSettings purging;
  TelemetrySettings telemetry;
  PolicyTableSettings policy_table;   // no table: the sites are those of the file
  std::string access_log = "stdout";  // stdout, off, or a file
  LogLevel log_level = LogLevel::Info;
  bool log_as_text = false;
};

// Looks a variable up; tests pass a map.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
Environment process_environment();

// Reads everything but `sites`. Relative paths are resolved against `base_folder`. Fails with
// BadRequest: "line N: server.port: …" or "TINTYPE_SERVER_PORT: …".
Result<Settings> read_settings(const std::string& yaml, const std::string& base_folder,
                               const Environment& environment);

// One line a setting: name, variable, default, meaning; for `tintype settings` and
// docs/configuration.md.
std::string settings_as_markdown();

}  // namespace tintype
