// SPDX-License-Identifier: Apache-2.0
#include "net/otlp_exporter.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>

#include "base/json.h"
#include "base/text.h"
#include "telemetry/log.h"
#include "telemetry/trace_context.h"

namespace tintype {
namespace {

// A collector's answer is small: partial success, or why not.
constexpr std::int64_t kMaxAnswerBytes = 100'000;
// run() looks this often whether a batch has come together before its interval.
constexpr Milliseconds kLookMs{100};

std::string value_json(const SpanValue& value) {
  JsonObject json;
  if (const auto* text = std::get_if<std::string>(&value)) {
    json.field("stringValue", *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    // Protocol Buffers' JSON writes 64-bit numbers as text.
    json.field("intValue", std::to_string(*number));
  } else {
    json.field("boolValue", std::get<bool>(value));
  }
  return json.str();
}

std::string attributes_json(const std::vector<SpanAttribute>& attributes) {
  JsonArray json;
  for (const auto& [key, value] : attributes) {
    json.raw(JsonObject().field("key", key).raw("value", value_json(value)).str());
  }
  return json.str();
}

std::string span_json(const Span& span) {
  auto trace_id = trace_id_text(span.trace_id);
  JsonObject json;
  json.field("traceId", std::string_view(trace_id.data(), trace_id.size()));
  json.field("spanId", span_id_text(span.span_id));
  if (!span.trace_state.empty()) json.field("traceState", span.trace_state);
  if (span.parent_span_id != SpanId{}) {
    json.field("parentSpanId", span_id_text(span.parent_span_id));
  }
  json.field("name", span.name);
  json.field("kind", static_cast<int>(span.kind));
  json.field("startTimeUnixNano", std::to_string(span.begin_unix_us * 1000));
  json.field("endTimeUnixNano", std::to_string(span.end_unix_us * 1000));
  json.raw("attributes", attributes_json(span.attributes));
  // Status codes of OTLP: 0 unset, 2 error.
  json.raw("status", span.is_error ? "{\"code\":2}" : "{}");
  return json.str();
}

bool is_header_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

}  // namespace

std::string otlp_json(const std::vector<Span>& spans, const std::vector<SpanAttribute>& resource) {
  JsonArray list;
  for (const Span& span : spans) list.raw(span_json(span));
  std::string scope = JsonObject()
                          .raw("scope", JsonObject().field("name", "tintype").str())
                          .raw("spans", list.str())
                          .str();
  std::string one =
      JsonObject()
          .raw("resource", JsonObject().raw("attributes", attributes_json(resource)).str())
          .raw("scopeSpans", JsonArray().raw(scope).str())
          .str();
  return JsonObject().raw("resourceSpans", JsonArray().raw(one).str()).str();
}

Result<std::vector<std::pair<std::string, std::string>>> parse_otlp_headers(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  if (trim(text).empty()) return headers;
  for (std::string_view part : split(text, ',')) {
    std::size_t equals = part.find('=');
    std::string_view name = trim(part.substr(0, equals));
    auto value = equals == std::string_view::npos ? std::nullopt
                                                  : percent_decode(trim(part.substr(equals + 1)));
    if (!value || !is_header_name(name) || !is_header_value(*value)) {
      return fail_public(ErrorCode::BadRequest,
                         "headers must be name=value,name=value with values percent-encoded");
    }
    headers.emplace_back(name, std::move(*value));
  }
  return headers;
}

struct OtlpExporter::State {
  State(OtlpSettings settings_given, HttpClient& http_given, const Clock& clock_given)
      : settings(std::move(settings_given)), http(http_given), clock(clock_given) {}

  const OtlpSettings settings;
  HttpClient& http;
  const Clock& clock;
  mutable std::mutex mutex;  // guards all below
  std::deque<Span> queue;
  std::vector<SpanAttribute> resource;
  OtlpCounts counts;
  bool is_failing = false;  // said once, not with each batch

  std::vector<Span> next_batch() {
    const std::scoped_lock lock(mutex);
    std::vector<Span> batch;
    while (!queue.empty() && batch.size() < settings.batch_spans) {
      batch.push_back(std::move(queue.front()));
      queue.pop_front();
    }
    return batch;
  }
  std::size_t queued() const {
    const std::scoped_lock lock(mutex);
    return queue.size();
  }
  OutgoingRequest request_for(const std::vector<Span>& batch, Deadline deadline) const;
  void settle(std::size_t spans, const Result<IncomingResponse>& response);
};

OutgoingRequest OtlpExporter::State::request_for(const std::vector<Span>& batch,
                                                 Deadline deadline) const {
  std::string body;
  {
    const std::scoped_lock lock(mutex);
    body = otlp_json(batch, resource);
  }
  OutgoingRequest request;
  request.method = "POST";
  std::string_view endpoint = settings.endpoint;
  while (endpoint.ends_with('/')) endpoint.remove_suffix(1);
  request.url = std::string(endpoint) + "/v1/traces";
  request.headers = settings.headers;
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = share(Bytes(body.begin(), body.end()));
  request.max_body_bytes = kMaxAnswerBytes;
  request.allow_private_addresses = true;
  request.deadline = deadline;
  request.timeout_ms = settings.timeout_ms;
  return request;
}

void OtlpExporter::State::settle(std::size_t spans, const Result<IncomingResponse>& response) {
  bool is_sent = response && response->status >= 200 && response->status < 300;
  bool was_failing = false;
  {
    const std::scoped_lock lock(mutex);
    (is_sent ? counts.sent_spans : counts.dropped_spans) += spans;
    if (!is_sent) ++counts.failed_batches;
    was_failing = std::exchange(is_failing, !is_sent);
  }
  if (is_sent && was_failing) log(LogLevel::Info, "traces-sent-again");
  if (is_sent || was_failing) return;
  log(LogLevel::Warn, "traces-not-sent",
      {{"endpoint", settings.endpoint},
       {"why",
        response ? "status " + std::to_string(response->status) : response.error().message}});
}

OtlpExporter::OtlpExporter(OtlpSettings settings, HttpClient& http, const Clock& clock)
    : state_(std::make_unique<State>(std::move(settings), http, clock)) {}
OtlpExporter::~OtlpExporter() = default;

void OtlpExporter::take(std::vector<Span> spans) {
  const std::scoped_lock lock(state_->mutex);
  // Whole traces or nothing: a request without its phases misleads.
  if (state_->queue.size() + spans.size() > state_->settings.max_queued_spans) {
    state_->counts.dropped_spans += spans.size();
    return;
  }
  for (Span& span : spans) state_->queue.push_back(std::move(span));
}

void OtlpExporter::describe(std::vector<SpanAttribute> resource) {
  const std::scoped_lock lock(state_->mutex);
  state_->resource = std::move(resource);
}

OtlpCounts OtlpExporter::counts() const {
  const std::scoped_lock lock(state_->mutex);
  return state_->counts;
}

// False when there was nothing to send.
Task<bool> OtlpExporter::send_batch(Deadline deadline) {
  std::vector<Span> batch = state_->next_batch();
  if (batch.empty()) co_return false;
  OutgoingRequest request = state_->request_for(batch, deadline);
  auto response = co_await state_->http.send(std::move(request));
  state_->settle(batch.size(), response);
  co_return true;
}

Task<> OtlpExporter::run() {
  Steady sent_at = state_->clock.now();
  while (true) {
    co_await sleep_for(std::min(kLookMs, state_->settings.interval_ms));
    bool is_due = state_->clock.now() - sent_at >= state_->settings.interval_ms;
    if (!is_due && state_->queued() < state_->settings.batch_spans) continue;
    sent_at = state_->clock.now();
    co_await send_batch(Deadline::after(state_->clock, state_->settings.timeout_ms));
  }
}

Task<> OtlpExporter::flush(Deadline deadline) {
  while (!deadline.passed(state_->clock)) {
    bool has_sent = co_await send_batch(deadline);
    if (!has_sent) co_return;
  }
}

}  // namespace tintype
