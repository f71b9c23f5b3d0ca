// SPDX-License-Identifier: Apache-2.0
// The numbers the service exports, in Prometheus' text form. One object, made in main/ and handed
// down; every series is created up front (low cardinality by construction), so counting is one
// relaxed atomic addition on a stripe of the caller's CPU, a few nanoseconds; the stripes are
// summed when scraped. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tintype {

// Where an answer came from: the label `outcome` of tintype_requests_total.
enum class Outcome : std::uint8_t {
  MemoryHit,
  DiskHit,
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
inline constexpr int kOutcomeCount = 11;
std::string_view name_of(Outcome outcome);

// The phases of the walk: the label `phase` of tintype_phase_seconds.
enum class Phase : std::uint8_t { Parse, Disk, Fetch, Plan, Queue, Render, Store, Total };
inline constexpr int kPhaseCount = 8;
std::string_view name_of(Phase phase);

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

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype
