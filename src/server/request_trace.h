// SPDX-License-Identifier: Apache-2.0
// RequestTrace: the trace of the request that a session answers: read from its head (traceparent,
// else X-Amzn-Trace-Id; neither can be read: a new one), named in its log line, its answer and the
// requests made for it, and told as spans at the end where it is sampled. A hit without such
// headers costs three comparisons. One per session, used for one request after the other.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "delivery/answer.h"
#include "server/head_parser.h"
#include "telemetry/span.h"
#include "telemetry/trace_context.h"

namespace tintype {

class RequestTrace {
 public:
  struct Rules {
    TraceIds& ids;
    const Tracing& tracing;
    std::int64_t unix_seconds = 0;
  };

  // Forgets the last request; reads what the head says of a trace.
  void begin(const RequestHead& head, const Rules& rules);
  // This request is no hit: from here on it has a trace, a span of its own, and it is decided
  // whether that is recorded.
  void lead(const Rules& rules);

  // What is done for this request is done under this.
  const TraceContext& context() const { return context_; }
  // For the log: 32 hexadecimal digits, and the balancer's Root; empty where there is none.
  std::string_view id_text() const;
  std::string_view amzn_root() const;
  // "X-Amzn-Trace-Id: Root=…\r\n" if the request had such a field, else empty.
  std::string_view answer_field() const;

  struct Done {
    std::string_view method, target, user_agent;
    int status = 0;
    std::uint64_t sent_bytes = 0;
    std::int64_t begin_unix_us = 0, duration_us = 0;
    Outcome outcome = Outcome::ServerError;
    const Answer& answer;
  };
  // Whether report() has something to do; settles it for hits.
  bool is_recorded(const Rules& rules);
  // One span for the request, and one for each phase that happened. The phases are known by their
  // durations alone and follow each other, so they are laid end to end from the beginning.
  void report(const Done& done, const Rules& rules) const;

 private:
  void clear();
  void take(const TraceParent& parent);
  Span root_span(const Done& done) const;

  TraceContext context_;
  SpanId caller_{};
  Sampled callers_decision_ = Sampled::Unknown;
  bool is_led_ = false, has_amzn_field_ = false, has_amzn_root_ = false;
  std::string trace_state_;
  std::array<char, 32> id_text_{};
  static constexpr std::string_view kFieldStart = "X-Amzn-Trace-Id: Root=";
  std::array<char, kFieldStart.size() + 35 + 2> field_{};
};

}  // namespace tintype
