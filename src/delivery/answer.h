// SPDX-License-Identifier: Apache-2.0
// What the walk takes and gives: Viewing (the parts of a request it may read) and Answer (a
// finished entry and how it was come by). HTTP itself - conditional requests, ranges, heads - is
// the server's.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/trace.h"
#include "cache/entry.h"
#include "telemetry/metrics.h"
#include "transform/settle.h"

namespace tintype {

// Everything of a request that may change the bytes or the log. Views stay valid while it is
// answered.
struct Viewing {
  std::string_view target;  // origin-form, as received, at most 8 KB
  Hints hints;
  bool is_edge = false;  // came with the edge's secret
  bool is_ours = false;  // asked by this process; never by a connection
  TraceContext trace{};  // what is fetched for it is asked for under this; may be unset
};

// Microseconds spent in each phase of a miss, for Server-Timing; -1: the phase did not happen.
struct Timings {
  std::int64_t disk_us = -1, fetch_us = -1, plan_us = -1, queue_us = -1, render_us = -1;
};

struct Answer {
  SharedEntry entry;  // never null
  Outcome outcome = Outcome::ServerError;
  std::uint8_t hints_read = 0;   // what the choice of this entry depended on: HintBit's, added
  std::int64_t age_seconds = 0;  // since it was stored
  Timings timings;
};

// Fills Entry::head and head_not_modified before an entry is shared: given to the walk by the
// server.
using RenderHead = std::function<void(Entry&)>;

}  // namespace tintype
