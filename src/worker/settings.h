// SPDX-License-Identifier: Apache-2.0
// Knobs of the render workers.
#pragma once

#include <cstdint>

#include "base/clock.h"
#include "base/result.h"

namespace tintype {

struct WorkerSettings {
  int count = 0;                                // 0: one per usable core (base/cgroup.h)
  std::int64_t max_source_bytes = 64'000'000;   // in-area of an arena
  std::int64_t max_variant_bytes = 64'000'000;  // out-area of an arena
  std::int64_t memory_bytes = 2'000'000'000;    // RLIMIT_AS of a worker, arenas included
  Milliseconds render_timeout_ms{10'000};       // wall time (docs/internals/figures.md P3)
  int recycle_after_jobs = 1'000;
  std::int64_t recycle_above_rss_bytes = 512'000'000;
  // Admission: what may wait or run before the next miss is refused with 503.
  double max_queued_weight = 4'000;               // megapixel-weights, about 2 s of two cores
  std::int64_t max_queued_bytes = 2'000'000'000;  // peak bytes of pixels

  Result<> validate() const;
};

}  // namespace tintype
