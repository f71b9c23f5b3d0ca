// SPDX-License-Identifier: Apache-2.0
#include "worker/settings.h"

#include <string>

namespace tintype {
namespace {

// What a worker needs besides its arena: the libraries of the engine (about 200 MB of address space
// on Debian 12) and room for one picture.
constexpr std::int64_t kMinRoomBytes = 256'000'000;

struct Range {
  const char* name;
  std::int64_t value, min, max;
};

}  // namespace

Result<> WorkerSettings::validate() const {
  const Range ranges[] = {
      {"count", count, 0, 1'024},
      {"max_source_bytes", max_source_bytes, 1, 1'000'000'000},
      {"max_variant_bytes", max_variant_bytes, 1, 1'000'000'000},
      {"memory_bytes", memory_bytes, max_source_bytes + max_variant_bytes + kMinRoomBytes,
       1'000'000'000'000},
      {"render_timeout_ms", render_timeout_ms.count(), 1, 600'000},
      {"recycle_after_jobs", recycle_after_jobs, 1, 1'000'000'000},
      {"recycle_above_rss_bytes", recycle_above_rss_bytes, 1'000'000, 1'000'000'000'000},
      {"max_queued_bytes", max_queued_bytes, 1, 1'000'000'000'000},
  };
  for (const Range& range : ranges) {
    if (range.value >= range.min && range.value <= range.max) continue;
    return fail_public(ErrorCode::BadRequest,
                       "workers." + std::string(range.name) + " is " + std::to_string(range.value) +
                           "; allowed: " + std::to_string(range.min) + " to " +
                           std::to_string(range.max),
                       range.name);
  }
  if (!(max_queued_weight > 0)) {
    return fail_public(ErrorCode::BadRequest, "workers.max_queued_weight must be above 0",
                       "max_queued_weight");
  }
  return {};
}

}  // namespace tintype
