// SPDX-License-Identifier: Apache-2.0
#include "main/telemetry_parts.h"

#include <array>
#include <string_view>
#include <utility>

#include <asio/use_future.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "net/task_metadata.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// The endpoint is on the same machine; what it tells is worth no wait.
constexpr Milliseconds kMetadataPatience{2'000};
// ECS kills at 30 s: drain_timeout's 25 s, two for variants to be written, and this.
constexpr Milliseconds kLastWordsMs{1'500};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

void log_container_limits(const Settings& settings) {
  CgroupLimits limits = read_cgroup_limits();
  int cores = usable_cores(limits);
  int workers = settings.workers.count > 0 ? settings.workers.count : cores;
  std::int64_t wanted = workers * settings.workers.memory_bytes + settings.memory_cache_bytes;
  log(LogLevel::Info, "limits",
      {{"usable_cores", cores},
       {"container_cores", limits.cores.value_or(0)},
       {"container_memory_bytes", limits.memory_bytes.value_or(0)}});
  if (!limits.memory_bytes || wanted <= *limits.memory_bytes) return;
  log(LogLevel::Warn, "memory-over-committed",
      {{"workers", workers},
       {"worker_memory_bytes", settings.workers.memory_bytes},
       {"memory_cache_bytes", settings.memory_cache_bytes},
       {"container_memory_bytes", *limits.memory_bytes},
       {"what_to_do", "lower workers.count, workers.memory or cache.memory"}});
}

TelemetryParts::TelemetryParts(const Parts& parts)
    : settings_(parts.settings),
      metrics_(parts.metrics),
      http_(parts.http),
      clock_(parts.clock),
      control_(parts.control) {}

Result<std::unique_ptr<TelemetryParts>> TelemetryParts::start(const Parts& parts) {
  log_container_limits(parts.settings);
  auto telemetry = std::unique_ptr<TelemetryParts>(new TelemetryParts(parts));
  telemetry->open_traces(parts.environment);
  TRY(telemetry->open_emf());
  return telemetry;
}

void TelemetryParts::open_traces(const Environment& environment) {
  const TelemetrySettings& settings = settings_.telemetry;
  if (settings.traces.endpoint.empty()) return;
  exporter_ = std::make_unique<OtlpExporter>(settings.traces, http_, clock_);
  auto add = [this](std::string name, std::string help, std::uint64_t OtlpCounts::*field) {
    auto read = [exporter = exporter_.get(), field] {
      return static_cast<double>(exporter->counts().*field);
    };
    metrics_.read_at_scrape("tintype_trace_" + name, std::move(help), "counter", read);
  };
  add("spans_sent_total", "Spans that a collector took.", &OtlpCounts::sent_spans);
  add("spans_dropped_total", "Spans that reached no collector.", &OtlpCounts::dropped_spans);
  std::vector<SpanAttribute> known = {{"service.name", settings.emf.service},
                                      {"service.version", TINTYPE_VERSION},
                                      {"deployment.environment", settings.emf.environment},
                                      {"host.name", host_name()}};
  exporter_->describe(known);
  asio::co_spawn(control_, exporter_->run(), asio::detached);
  if (auto uri = environment("ECS_CONTAINER_METADATA_URI_V4"); uri && !uri->empty()) {
    asio::co_spawn(control_, describe_task(*uri, std::move(known)), asio::detached);
  }
}

Task<> TelemetryParts::describe_task(std::string uri, std::vector<SpanAttribute> known) {
  Deadline deadline = Deadline::after(clock_, kMetadataPatience);
  std::vector<SpanAttribute> task = co_await read_task_metadata(http_, std::move(uri), deadline);
  for (SpanAttribute& attribute : task) known.push_back(std::move(attribute));
  exporter_->describe(std::move(known));
}

Result<> TelemetryParts::open_emf() {
  const std::string& where = settings_.telemetry.emf_output;
  if (where == "off") return {};
  int fd = STDOUT_FILENO;
  if (where != "stdout") {
    emf_file_ = Descriptor(::open(where.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
    if (!emf_file_) {
      return fail_public(ErrorCode::Internal, "telemetry.emf.output: cannot open " + where);
    }
    fd = emf_file_.number();
  }
  EmfWriter::Parts parts{.metrics = metrics_, .clock = clock_, .fd = fd};
  emf_ = std::make_unique<EmfWriter>(parts, settings_.telemetry.emf);
  metrics_.read_at_scrape("tintype_emf_lines_dropped_total",
                          "Lines of metrics that could not be written.", "counter",
                          [this] { return static_cast<double>(emf_->dropped()); });
  asio::co_spawn(control_, report_for_ever(), asio::detached);
  return {};
}

Task<> TelemetryParts::report_for_ever() {
  while (true) {
    co_await sleep_for(settings_.telemetry.emf.interval);
    emf_->write_now();
  }
}

Tracing TelemetryParts::tracing() const {
  return {.sink = exporter_.get(), .sampling = settings_.telemetry.sampling};
}

void TelemetryParts::finish() {
  if (emf_) emf_->write_now();
  if (!exporter_) return;
  Deadline deadline = Deadline::after(clock_, kLastWordsMs);
  auto flushed = asio::co_spawn(control_, exporter_->flush(deadline), asio::use_future);
  flushed.wait_for(kLastWordsMs);
}

}  // namespace tintype
