// SPDX-License-Identifier: Apache-2.0
#include "telemetry/emf.h"

#include <array>
#include <cerrno>
#include <utility>

#include <unistd.h>

#include "base/json.h"
#include "base/text.h"

namespace tintype {
namespace {

struct PhaseMetric {
  Phase phase;
  std::string_view name, meaning;
};
constexpr std::array<PhaseMetric, kPhaseCount> kPhases = {{
    {Phase::Parse, "ParseTime", "from a request's head to its canonical path"},
    {Phase::Disk, "DiskTime", "a look into the disk tier"},
    {Phase::Fetch, "FetchTime", "until a source was there"},
    {Phase::Plan, "PlanTime", "header and plan of a picture"},
    {Phase::Queue, "QueueTime", "a render's wait for a worker; the one to scale by"},
    {Phase::Render, "RenderTime", "decode, transform, encode"},
    {Phase::Store, "StoreTime", "writes behind answers, to disk"},
    {Phase::Total, "TotalTime", "a request, from its head to the last byte given to the kernel"},
}};

struct PlainMetric {
  std::string_view name, unit, meaning;
};
constexpr PlainMetric kRequests{"Requests", "Count", "answered requests"};
constexpr PlainMetric kSentBytes{"SentBytes", "Bytes", "sent to viewers, heads included"};
constexpr PlainMetric kSourceBytes{"SourceBytes", "Bytes", "fetched from origins"};
constexpr PlainMetric kVariantBytes{"VariantBytes", "Bytes", "of variants rendered"};
constexpr PlainMetric kConnections{"Connections", "Count",
                                   "open client connections, at the moment"};

// What reacts within seconds where reports come that often.
bool is_of_queue(std::string_view name) {
  return name == "QueueTime" || name == "QueuedRenders";
}

std::string milliseconds(double us) {
  return format_decimal(us / 1000, 3);
}

// {"Values":[…],"Counts":[…],"Min":…,"Max":…,"Count":…,"Sum":…}; empty when nothing happened.
std::string histogram(const MetricsSnapshot::PhaseCounts& now,
                      const MetricsSnapshot::PhaseCounts& before) {
  JsonArray values, counts;
  std::uint64_t total = 0;
  std::string least, most;
  for (std::size_t b = 0; b < kPhaseBuckets; ++b) {
    std::uint64_t grown = now.in_bucket[b] - before.in_bucket[b];
    if (grown == 0) continue;
    most = milliseconds(middle_us(b));
    if (total == 0) least = most;
    total += grown;
    values.raw(most);
    counts.raw(std::to_string(grown));
  }
  if (total == 0) return {};
  return JsonObject()
      .raw("Values", values.str())
      .raw("Counts", counts.str())
      .raw("Min", least)
      .raw("Max", most)
      .field("Count", total)
      .raw("Sum", milliseconds(static_cast<double>(now.sum_us - before.sum_us)))
      .str();
}

std::string row(std::string_view name, std::string_view unit, std::string_view meaning) {
  return "| `" + std::string(name) + "` | " + std::string(unit) + " | service, environment | " +
         std::string(meaning) + " |\n";
}

}  // namespace

const std::vector<EmfSeries>& emf_series() {
  static const std::vector<EmfSeries> kSeries = {
      {"tintype_workers", "Workers", "Count", "render processes alive"},
      {"tintype_workers_busy", "BusyWorkers", "Count", "render processes at work"},
      {"tintype_queue_jobs", "QueuedRenders", "Count", "renders waiting for a worker"},
      {"tintype_queue_bytes", "QueuedBytes", "Bytes", "pixels waiting or running"},
      {"tintype_renders_failed_total", "FailedRenders", "Count", "renders that failed", true},
      {"tintype_renders_refused_total", "RefusedRenders", "Count", "shed with 503", true},
      {"tintype_worker_kills_total", "WorkerKills", "Count", "workers past a deadline", true},
      {"tintype_worker_crashes_total", "WorkerCrashes", "Count", "workers lost to a source", true},
      {"tintype_memory_cache_bytes", "MemoryCacheBytes", "Bytes", "held by the memory tier"},
      {"tintype_disk_cache_bytes", "DiskCacheBytes", "Bytes", "held by the disk tier"},
      {"tintype_disk_cache_write_failures_total", "DiskWriteFailures", "Count",
       "variants that could not be kept on disk", true},
      {"tintype_write_back_queued", "QueuedWrites", "Count",
       "variants on their way to the variant store"},
      {"tintype_write_back_dropped_total", "DroppedWrites", "Count",
       "variants not written because the queue was full", true},
      {"tintype_write_back_failed_total", "FailedWrites", "Count",
       "variants that the variant store did not take", true},
      {"tintype_aws_throttled_total", "AwsThrottled", "Count",
       "answers of AWS that asked to slow down", true},
      {"tintype_trace_spans_dropped_total", "DroppedSpans", "Count",
       "spans that reached no collector", true},
  };
  return kSeries;
}

std::string emf_metrics_as_markdown() {
  std::string out = "| metric | unit | dimensions | meaning |\n|---|---|---|---|\n";
  out += row(kRequests.name, kRequests.unit, kRequests.meaning);
  out += "| `" + std::string(kRequests.name) +
         "` | Count | service, environment, outcome | by where the answer came from |\n";
  for (const PlainMetric& metric : {kSentBytes, kSourceBytes, kVariantBytes, kConnections}) {
    out += row(metric.name, metric.unit, metric.meaning);
  }
  for (const PhaseMetric& phase : kPhases) out += row(phase.name, "Milliseconds", phase.meaning);
  for (const EmfSeries& series : emf_series()) out += row(series.name, series.unit, series.meaning);
  return out;
}

// Collects metrics of one set of dimensions and packs them into lines.
class EmfWriter::Report {
 public:
  Report(const EmfSettings& settings, std::int64_t unix_ms, std::string_view outcome = {})
      : settings_(settings) {
    JsonArray names;
    names.add("service").add("environment");
    fields_.field("service", settings.service).field("environment", settings.environment);
    if (!outcome.empty()) {
      names.add("outcome");
      fields_.field("outcome", outcome);
    }
    head_ = R"({"_aws":{"Timestamp":)" + std::to_string(unix_ms) +
            R"(,"CloudWatchMetrics":[{"Namespace":)" + json_string(settings.name_space) +
            ",\"Dimensions\":[" + names.str() + "],\"Metrics\":[";
  }

  // `value` is JSON.
  void add(std::string_view name, std::string_view unit, std::string_view value) {
    JsonObject definition;
    definition.field("Name", name).field("Unit", unit);
    bool is_fine = is_of_queue(name) && settings_.interval < Seconds(60);
    definition.field("StorageResolution", is_fine ? 1 : 60);
    std::string text = definition.str(), member = json_string(name) + ':' + std::string(value);
    std::size_t more = text.size() + member.size() + 2;
    if (count_ > 0 && (size_bytes() + more > kMaxLineBytes || count_ == kMaxMetricsPerLine)) end();
    (definitions_ += count_ == 0 ? "" : ",") += text;
    (members_ += ',') += member;
    ++count_;
  }

  void end_into(std::deque<std::string>& lines) {
    if (count_ > 0) end();
    for (std::string& line : lines_) lines.push_back(std::move(line));
    lines_.clear();
  }

 private:
  static constexpr std::string_view kMiddle = "]}]},";
  // With the braces of the fields, of which the first is not written, and the line's end.
  std::size_t size_bytes() const {
    return head_.size() + definitions_.size() + kMiddle.size() + fields_.str().size() +
           members_.size() + 1;
  }
  void end() {
    std::string fields = fields_.str();
    lines_.push_back(head_ + definitions_ + std::string(kMiddle) +
                     fields.substr(1, fields.size() - 2) + members_ + "}\n");
    definitions_.clear();
    members_.clear();
    count_ = 0;
  }

  const EmfSettings& settings_;
  JsonObject fields_;
  std::string head_, definitions_, members_;
  std::size_t count_ = 0;
  std::vector<std::string> lines_;
};

EmfWriter::EmfWriter(const Parts& parts, EmfSettings settings)
    : parts_(parts), settings_(std::move(settings)), before_(parts.metrics.snapshot()) {
  for (const EmfSeries& series : emf_series()) {
    series_before_.push_back(parts_.metrics.read(series.series).value_or(0));
  }
}

void EmfWriter::add_totals(Report& report, const MetricsSnapshot& now) {
  auto add = [&](const PlainMetric& metric, auto value) {
    report.add(metric.name, metric.unit, std::to_string(value));
  };
  std::uint64_t requests = 0;
  for (std::size_t i = 0; i < now.requests.size(); ++i) {
    requests += now.requests[i] - before_.requests[i];
  }
  add(kRequests, requests);
  add(kSentBytes, now.sent_bytes - before_.sent_bytes);
  add(kSourceBytes, now.source_bytes - before_.source_bytes);
  add(kVariantBytes, now.variant_bytes - before_.variant_bytes);
  add(kConnections, now.connections);
  for (const PhaseMetric& phase : kPhases) {
    auto at = static_cast<std::size_t>(phase.phase);
    std::string value = histogram(now.phases[at], before_.phases[at]);
    if (!value.empty()) report.add(phase.name, "Milliseconds", value);
  }
  const std::vector<EmfSeries>& series = emf_series();
  for (std::size_t i = 0; i < series.size(); ++i) {
    auto value = parts_.metrics.read(series[i].series);
    if (!value) continue;
    double reported = series[i].is_counter ? *value - series_before_[i] : *value;
    report.add(series[i].name, series[i].unit, format_decimal(reported, 3));
    series_before_[i] = *value;
  }
}

void EmfWriter::write_now() {
  const std::scoped_lock lock(mutex_);
  MetricsSnapshot now = parts_.metrics.snapshot();
  std::int64_t unix_ms = parts_.clock.unix_us() / 1000;
  Report totals(settings_, unix_ms);
  add_totals(totals, now);
  totals.end_into(waiting_);
  // Outcomes that did not happen are not written: an alarm treats them as zero.
  for (std::size_t i = 0; i < now.requests.size(); ++i) {
    std::uint64_t grown = now.requests[i] - before_.requests[i];
    if (grown == 0) continue;
    Report report(settings_, unix_ms, name_of(static_cast<Outcome>(i)));
    report.add(kRequests.name, kRequests.unit, std::to_string(grown));
    report.end_into(waiting_);
  }
  before_ = now;
  flush();
}

void EmfWriter::flush() {
  while (!waiting_.empty()) {
    const std::string& line = waiting_.front();
    ssize_t wrote = ::write(parts_.fd, line.data(), line.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (wrote != static_cast<ssize_t>(line.size())) ++dropped_;
    waiting_.pop_front();
  }
  for (; waiting_.size() > kMaxWaitingLines; waiting_.pop_front()) ++dropped_;
}

std::uint64_t EmfWriter::dropped() const {
  const std::scoped_lock lock(mutex_);
  return dropped_;
}

}  // namespace tintype
