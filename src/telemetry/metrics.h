// SPDX-License-Identifier: Apache-2.0
// The numbers the service exports, in Prometheus' text form. One object, made in main/ and handed
// down; every series is created up front (low cardinality by construction), so counting is one
// relaxed atomic addition on a stripe of the caller's CPU, a few nanoseconds; the stripes are
// summed when scraped. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tintype {

// Where an answer came from: the label `outcome` of tintype_requests_total.
enum class Outcome : std::uint8_t {
  MemoryHit,
  DiskHit,
  StoreHit,  // another task had made it: found in the variant store
  Rendered,
  Collapsed,
  Stale,
  NegativeHit,
  NotModified,
  ClientError,
  OriginError,
  Busy,
  ServerError,
};
inline constexpr int kOutcomeCount = 12;
std::string_view name_of(Outcome outcome);

// The phases of the walk: the label `phase` of tintype_phase_seconds.
enum class Phase : std::uint8_t { Parse, Disk, Fetch, Plan, Queue, Render, Store, Total };
inline constexpr int kPhaseCount = 8;
std::string_view name_of(Phase phase);

// Buckets of a phase's histogram: finer than the Prometheus ones, of which each is the sum of six,
// so that a percentile made of them is within 13 % of the truth. At most as many as values fit into
// one metric of CloudWatch (100).
inline constexpr std::size_t kPhaseBuckets = 98;
// The middle of a bucket in microseconds; of the last one, which has no end, where it begins.
double middle_us(std::size_t bucket);

// All numbers counted here at one moment, since the start of the process.
struct MetricsSnapshot {
  struct PhaseCounts {
    std::array<std::uint64_t, kPhaseBuckets> in_bucket{};
    std::uint64_t sum_us = 0;
  };
  std::array<std::uint64_t, kOutcomeCount> requests{};
  std::uint64_t sent_bytes = 0, source_bytes = 0, variant_bytes = 0;
  std::int64_t connections = 0;
  std::array<PhaseCounts, kPhaseCount> phases;
};

class Metrics {
 public:
  Metrics();
  ~Metrics();

  void count(Outcome outcome);
  void count_sent_bytes(std::uint64_t size_bytes);
  void count_source_bytes(std::uint64_t size_bytes);
  void count_variant_bytes(std::uint64_t size_bytes);
  void observe(Phase phase, std::chrono::microseconds duration);
  void connection_opened();
  void connection_closed();
  std::int64_t connections() const;

  // A number read at scrape time (queue depth, cache bytes, worker restarts). `kind` is "gauge" or
  // "counter"; the name includes the "tintype_" prefix and may carry labels,
  // `tintype_cache_bytes{tier="disk"}`: series of one name share the help and the kind of the
  // first. `read` is called on the scraping thread, one at a time; call before serving. What it
  // captures must outlive this object's last expose().
  void read_at_scrape(std::string name, std::string help, std::string kind,
                      std::function<double()> read);
  // Text exposition format 0.0.4.
  std::string expose() const;
  // About 15,000 relaxed loads, some ten microseconds; for the writers that report every minute.
  MetricsSnapshot snapshot() const;
  // The value of one series of read_at_scrape by its full name, labels included; nothing if there
  // is none. `read` runs as for a scrape.
  std::optional<double> read(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype
