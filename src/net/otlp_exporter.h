// SPDX-License-Identifier: Apache-2.0
// OtlpExporter: finished spans -> a collector that speaks OpenTelemetry's OTLP over HTTP, in its
// JSON encoding (POST <endpoint>/v1/traces). Spans wait in a bounded queue and go in batches; what
// does not fit, and what a collector does not take, is dropped and counted: traces may be lost,
// answers may not wait. The collector may be at a private address: it usually is a neighbour.
//
// take() is thread-safe and never blocks. run() and flush() belong to one loop, which must outlive
// the exporter's work.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "net/http_client.h"
#include "telemetry/span.h"

namespace tintype {

struct OtlpSettings {
  std::string endpoint;  // "http://127.0.0.1:4318"; "/v1/traces" is appended
  std::vector<std::pair<std::string, std::string>> headers;  // may hold secrets
  std::size_t max_queued_spans = 2'048;  // the SDKs' default (OTEL_BSP_MAX_QUEUE_SIZE)
  std::size_t batch_spans = 512;         // as OTEL_BSP_MAX_EXPORT_BATCH_SIZE
  Milliseconds interval_ms{5'000};       // as OTEL_BSP_SCHEDULE_DELAY
  Milliseconds timeout_ms{10'000};       // as OTEL_EXPORTER_OTLP_TIMEOUT
};

struct OtlpCounts {
  std::uint64_t sent_spans = 0;
  std::uint64_t dropped_spans = 0;  // queue full, or the collector failed or refused
  std::uint64_t failed_batches = 0;
};

class OtlpExporter final : public SpanSink {
 public:
  // `http` and `clock` outlive the exporter.
  OtlpExporter(OtlpSettings settings, HttpClient& http, const Clock& clock);
  ~OtlpExporter() override;

  void take(std::vector<Span> spans) override;
  // What the spans are of: service.name and so on. May be called again, as more becomes known.
  void describe(std::vector<SpanAttribute> resource);
  // Sends for ever: each interval, or when a batch has come together.
  Task<> run();
  // Sends what is queued now; gives up at the deadline.
  Task<> flush(Deadline deadline);
  OtlpCounts counts() const;

 private:
  struct State;
  Task<bool> send_batch(Deadline deadline);
  std::unique_ptr<State> state_;
};

// The body of a request: resourceSpans with one scope. Pure.
std::string otlp_json(const std::vector<Span>& spans, const std::vector<SpanAttribute>& resource);

// "name=value,name2=value2" as in OTEL_EXPORTER_OTLP_HEADERS, values percent-encoded. Fails with
// BadRequest, without repeating the text: it may hold a secret.
Result<std::vector<std::pair<std::string, std::string>>> parse_otlp_headers(std::string_view text);

}  // namespace tintype
