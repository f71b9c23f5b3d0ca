// SPDX-License-Identifier: Apache-2.0
// TraceContext: which distributed trace a piece of work belongs to, and under which span of it. A
// plain value that the walk hands down with its deadline (clock.h), so that a request to an origin
// can name the request it is made for. How it is read from headers and written into them stands in
// telemetry/trace_context.h.
#pragma once

#include <array>
#include <cstdint>

namespace tintype {

using TraceId = std::array<std::uint8_t, 16>;  // all zero: none
using SpanId = std::array<std::uint8_t, 8>;    // all zero: none

struct TraceContext {
  TraceId trace_id{};
  SpanId span_id{};  // the parent of what is done next
  bool is_sampled = false;

  bool is_set() const { return trace_id != TraceId{}; }
  bool operator==(const TraceContext&) const = default;
};

}  // namespace tintype
