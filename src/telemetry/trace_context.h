// SPDX-License-Identifier: Apache-2.0
// The two spellings of a trace in HTTP: W3C Trace Context (traceparent, tracestate;
// https://www.w3.org/TR/trace-context/) and AWS' X-Amzn-Trace-Id (Root, Parent, Sampled). Both
// carry the same 128 bits: `4bf92f3577b34da6a3ce929d0e0e4736` is
// `1-4bf92f35-77b34da6a3ce929d0e0e4736`. Pure but for TraceIds, which draws new ids and belongs to
// one thread. What cannot be read counts as absent: whoever needs a trace then begins a new one.
// Nothing here allocates but the writers.
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/trace.h"

namespace tintype {

// What the caller decided about recording: Unknown leaves it to us.
enum class Sampled : std::uint8_t { Unknown, No, Yes };

// What a request says of its trace.
struct TraceParent {
  TraceId trace_id{};
  SpanId span_id{};  // of the caller; all zero where it names none (a balancer)
  Sampled sampled = Sampled::Unknown;
};

// Version 00, and what later versions promise to keep of it. Nothing for all-zero ids, upper case
// and version ff, which the specification forbids.
std::optional<TraceParent> parse_traceparent(std::string_view value);
// "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1", in any order and
// with other fields beside; nothing without a Root of version 1.
std::optional<TraceParent> parse_amzn_trace(std::string_view value);
// A list of at most 32 members and 512 characters, keys and values of the allowed characters: fit
// to be handed on. What is longer or broken is to be dropped whole.
bool is_tracestate(std::string_view value);

// "00-<trace>-<span>-01"
std::string write_traceparent(const TraceContext& context);
// "Root=1-…;Parent=…;Sampled=1"
std::string write_amzn_trace(const TraceContext& context);

std::array<char, 32> trace_id_text(const TraceId& id);
std::array<char, 35> amzn_root_text(const TraceId& id);  // "1-67891233-abcdef012345678912345678"
std::string span_id_text(const SpanId& id);

// Whether a trace is among the `ratio` (0 to 1) that is recorded. The answer hangs on the id alone,
// so every service of a trace gives the same one (OpenTelemetry's TraceIdRatioBased).
bool is_in_ratio(const TraceId& id, double ratio);

class TraceIds {
 public:
  TraceIds();
  // Begins with the time, as X-Ray asks of trace ids.
  TraceId next_trace(std::int64_t unix_seconds);
  SpanId next_span();

 private:
  std::mt19937_64 random_;
};

}  // namespace tintype
