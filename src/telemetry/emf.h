// SPDX-License-Identifier: Apache-2.0
// EmfWriter: the numbers of Metrics as lines in CloudWatch's Embedded Metric Format, from which
// CloudWatch Logs makes metrics without an agent. It reports sums over an interval, never single
// requests: at billions of requests the log is the cost. Counters are written as what they grew by,
// times as histograms ({"Values", "Counts", …}, the form that AWS' own exporters write), gauges as
// they are. Dimensions are few and of few values, because each combination is a metric to pay for:
// [service, environment] and, for the requests alone, [service, environment, outcome].
//
// A line is one JSON object with nothing around it and fits into PIPE_BUF, so that it is one
// write(2) that the kernel never mixes with another's: stdout may be the access log's too.
// Thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "telemetry/metrics.h"

namespace tintype {

struct EmfSettings {
  std::string name_space = "Tintype";
  std::string service = "tintype", environment = "production";  // dimensions: never empty
  Seconds interval{60};  // shorter than 60: the metrics of the queue get a resolution of 1 s
};

// A series of read_at_scrape that is reported too, where it exists.
struct EmfSeries {
  std::string_view series;  // "tintype_queue_jobs"
  std::string_view name;    // "QueuedRenders"
  std::string_view unit;    // CloudWatch's word
  std::string_view meaning;
  bool is_counter = false;
};
// Those that alarms and scaling ask for.
const std::vector<EmfSeries>& emf_series();

// One row a metric: name, unit, dimensions, meaning. For docs/operating/telemetry.md.
std::string emf_metrics_as_markdown();

class EmfWriter {
 public:
  // Writes to `fd` (not owned). `metrics` and `clock` outlive the writer. What was counted before
  // is not reported.
  struct Parts {
    const Metrics& metrics;
    const Clock& clock;
    int fd = -1;
  };
  EmfWriter(const Parts& parts, EmfSettings settings);

  // Reports what has happened since the last call. A descriptor that cannot take more now
  // (non-blocking) leaves its lines to the next call, up to kMaxWaitingLines; others are dropped
  // and counted.
  void write_now();
  std::uint64_t dropped() const;

  // PIPE_BUF on Linux (pipe(7)); CloudWatch's own limit is 256 KB.
  static constexpr std::size_t kMaxLineBytes = 4096;
  static constexpr std::size_t kMaxMetricsPerLine = 100;  // the specification's
  static constexpr std::size_t kMaxWaitingLines = 1'000;  // an hour and more of reports

 private:
  class Report;
  void add_totals(Report& report, const MetricsSnapshot& now);
  void flush();

  const Parts parts_;
  const EmfSettings settings_;
  mutable std::mutex mutex_;  // guards all below
  MetricsSnapshot before_;
  std::vector<double> series_before_;  // as emf_series()
  std::deque<std::string> waiting_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tintype
