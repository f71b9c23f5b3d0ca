// SPDX-License-Identifier: Apache-2.0
#include "server/request_trace.h"

#include <algorithm>
#include <utility>

namespace tintype {
namespace {

struct NamedPhase {
  std::string_view name;
  std::int64_t duration_us;
};

void add(Span& span, std::string_view name, std::string_view text) {
  if (!text.empty()) span.attributes.emplace_back(name, std::string(text));
}

void add(Span& span, std::string_view name, std::int64_t number) {
  span.attributes.emplace_back(name, number);
}

}  // namespace

void RequestTrace::clear() {
  context_ = {};
  caller_ = {};
  callers_decision_ = Sampled::Unknown;
  is_led_ = has_amzn_field_ = has_amzn_root_ = false;
  trace_state_.clear();
}

void RequestTrace::take(const TraceParent& parent) {
  context_.trace_id = parent.trace_id;
  caller_ = parent.span_id;
  callers_decision_ = parent.sampled;
  id_text_ = trace_id_text(context_.trace_id);
}

void RequestTrace::begin(const RequestHead& head, const Rules& rules) {
  clear();
  if (head.traceparent.empty() && head.amzn_trace.empty()) {
    if (rules.tracing.sink == nullptr || !(rules.tracing.sampling.hit_ratio > 0)) return;
    return take({.trace_id = rules.ids.next_trace(rules.unix_seconds)});
  }
  auto w3c = parse_traceparent(head.traceparent), amzn = parse_amzn_trace(head.amzn_trace);
  take(w3c    ? *w3c
       : amzn ? *amzn
              : TraceParent{.trace_id = rules.ids.next_trace(rules.unix_seconds)});
  if (w3c && is_tracestate(head.tracestate.text())) trace_state_ = head.tracestate.text();
  has_amzn_field_ = !head.amzn_trace.empty();
  has_amzn_root_ = amzn.has_value();
  if (!has_amzn_field_) return;
  auto root = amzn_root_text(amzn ? amzn->trace_id : context_.trace_id);
  char* at = std::copy(kFieldStart.begin(), kFieldStart.end(), field_.begin());
  at = std::copy(root.begin(), root.end(), at);
  *at++ = '\r';
  *at = '\n';
}

void RequestTrace::lead(const Rules& rules) {
  if (!context_.is_set()) take({.trace_id = rules.ids.next_trace(rules.unix_seconds)});
  is_led_ = true;
  context_.span_id = rules.ids.next_span();
  context_.is_sampled = callers_decision_ == Sampled::Yes ||
                        (callers_decision_ == Sampled::Unknown && rules.tracing.sink != nullptr &&
                         is_in_ratio(context_.trace_id, rules.tracing.sampling.ratio));
}

std::string_view RequestTrace::id_text() const {
  return context_.is_set() ? std::string_view(id_text_.data(), id_text_.size())
                           : std::string_view();
}

std::string_view RequestTrace::answer_field() const {
  return has_amzn_field_ ? std::string_view(field_.data(), field_.size()) : std::string_view();
}

std::string_view RequestTrace::amzn_root() const {
  if (!has_amzn_root_) return {};
  return answer_field().substr(kFieldStart.size(), 35);
}

bool RequestTrace::is_recorded(const Rules& rules) {
  if (rules.tracing.sink == nullptr || !context_.is_set()) return false;
  if (is_led_) return context_.is_sampled;
  if (callers_decision_ == Sampled::No) return false;
  if (!is_in_ratio(context_.trace_id, rules.tracing.sampling.hit_ratio)) return false;
  context_.span_id = rules.ids.next_span();
  return true;
}

Span RequestTrace::root_span(const Done& done) const {
  Span span{.trace_id = context_.trace_id,
            .span_id = context_.span_id,
            .parent_span_id = caller_,
            .trace_state = trace_state_,
            .name = std::string(done.method),
            .kind = SpanKind::Server,
            .begin_unix_us = done.begin_unix_us,
            .end_unix_us = done.begin_unix_us + done.duration_us,
            .is_error = done.status >= 500,
            .attributes = {}};
  add(span, "http.request.method", done.method);
  // Without the query, also where the edge has passed it on escaped: signatures stand there.
  std::string_view path = done.target.substr(0, done.target.find('?'));
  add(span, "url.path", path.substr(0, path.find("%3F")));
  add(span, "http.response.status_code", done.status);
  add(span, "http.response.size", static_cast<std::int64_t>(done.sent_bytes));
  add(span, "user_agent.original", done.user_agent);
  add(span, "tintype.outcome", name_of(done.outcome));
  add(span, "tintype.key", done.answer.entry->meta.key);
  if (done.status >= 500) add(span, "error.type", done.answer.entry->meta.error_code);
  return span;
}

void RequestTrace::report(const Done& done, const Rules& rules) const {
  std::vector<Span> spans{root_span(done)};
  const Timings& timings = done.answer.timings;
  const NamedPhase phases[] = {{"disk", timings.disk_us},
                               {"fetch", timings.fetch_us},
                               {"plan", timings.plan_us},
                               {"queue", timings.queue_us},
                               {"render", timings.render_us}};
  std::int64_t begin = done.begin_unix_us;
  for (const NamedPhase& phase : phases) {
    if (phase.duration_us < 0) continue;
    spans.push_back({.trace_id = context_.trace_id,
                     .span_id = rules.ids.next_span(),
                     .parent_span_id = context_.span_id,
                     .trace_state = trace_state_,
                     .name = std::string(phase.name),
                     .kind = SpanKind::Internal,
                     .begin_unix_us = begin,
                     .end_unix_us = begin + phase.duration_us,
                     .is_error = false,
                     .attributes = {}});
    begin += phase.duration_us;
  }
  rules.tracing.sink->take(std::move(spans));
}

}  // namespace tintype
