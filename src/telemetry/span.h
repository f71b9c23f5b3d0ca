// SPDX-License-Identifier: Apache-2.0
// Span: one piece of a trace, as OpenTelemetry means it: what was done, when, beneath which other
// span. Plain values. SpanSink: the port that takes finished spans, so that the server knows of no
// collector; net/otlp_exporter.h is the real one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/trace.h"

namespace tintype {

using SpanValue = std::variant<std::string, std::int64_t, bool>;
// Names are OpenTelemetry's semantic conventions where there is one.
using SpanAttribute = std::pair<std::string, SpanValue>;

enum class SpanKind : std::uint8_t { Internal = 1, Server = 2, Client = 3 };  // OTLP's numbers

struct Span {
  TraceId trace_id{};
  SpanId span_id{}, parent_span_id{};  // parent all zero: the trace begins here
  std::string trace_state;             // the W3C header, as it came
  std::string name;
  SpanKind kind = SpanKind::Internal;
  std::int64_t begin_unix_us = 0, end_unix_us = 0;
  bool is_error = false;
  std::vector<SpanAttribute> attributes;
};

class SpanSink {
 public:
  virtual ~SpanSink() = default;
  // Never blocks: what it cannot hold it drops and counts. Thread-safe.
  virtual void take(std::vector<Span> spans) = 0;
};

// Of which requests spans are made; both from 0 to 1.
struct SpanSampling {
  double ratio = 0.01;   // of misses whose caller has not decided (traceparent, X-Amzn-Trace-Id)
  double hit_ratio = 0;  // of answers from memory, unless the caller has decided against it
};

// Where a server's spans go; null: no spans are made. The sink outlives the server.
struct Tracing {
  SpanSink* sink = nullptr;
  SpanSampling sampling;
};

}  // namespace tintype
