// SPDX-License-Identifier: Apache-2.0
// TelemetryParts: what of telemetry runs by itself: the reports in CloudWatch's format, the export
// of spans, and what the process knows of where it runs. Works on the control loop, beside the
// service: a collector that hangs delays no answer. Everything is off unless the settings ask for
// it.
#pragma once

#include <memory>

#include <asio/io_context.hpp>

#include "base/descriptor.h"
#include "main/settings.h"
#include "net/http_client.h"
#include "net/otlp_exporter.h"
#include "telemetry/emf.h"
#include "telemetry/metrics.h"

namespace tintype {

class TelemetryParts {
 public:
  struct Parts {
    const Settings& settings;
    Metrics& metrics;
    HttpClient& http;
    const Clock& clock;
    Environment environment;
    asio::io_context& control;  // where it works; run by the caller
  };
  // Before serving: adds series to the metrics. All of `parts` outlive it, but for the environment.
  // Also says in the log what the container allows. Fails with Internal when the file of
  // telemetry.emf.output cannot be opened.
  static Result<std::unique_ptr<TelemetryParts>> start(const Parts& parts);

  Tracing tracing() const;
  // The last report and the last spans; blocks, a second and a half at most. While the control loop
  // still runs, and not on its thread.
  void finish();

 private:
  explicit TelemetryParts(const Parts& parts);
  Result<> open_emf();
  void open_traces(const Environment& environment);
  Task<> report_for_ever();
  Task<> describe_task(std::string uri, std::vector<SpanAttribute> known);

  const Settings& settings_;
  Metrics& metrics_;
  HttpClient& http_;
  const Clock& clock_;
  asio::io_context& control_;
  Descriptor emf_file_;
  std::unique_ptr<EmfWriter> emf_;
  std::unique_ptr<OtlpExporter> exporter_;
};

// The container's limits in the log, and a warning when the workers may together take more memory
// than it has: then the kernel would end the container, where a limit of ours ends one render.
void log_container_limits(const Settings& settings);

}  // namespace tintype
