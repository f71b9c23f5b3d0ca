// SPDX-License-Identifier: Apache-2.0
#include "telemetry/metrics.h"

#include <map>
#include <set>
#include <sstream>
#include <thread>

#include <gtest/gtest.h>

namespace tintype {
namespace {

using std::chrono::microseconds;

struct Exposition {
  std::map<std::string, double> samples;     // `name{labels}` -> value
  std::map<std::string, std::string> types;  // family -> type
  std::set<std::string> helped;
};

// A reader of the text exposition format 0.0.4, as strict as what we write needs.
Exposition parse(const std::string& text) {
  Exposition out;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string hash, what, name, type;
    if (line.starts_with('#')) {
      words >> hash >> what >> name >> type;
      if (what == "TYPE") {
        EXPECT_TRUE(out.types.emplace(name, type).second) << "family twice: " << name;
      } else {
        out.helped.insert(name);
      }
      continue;
    }
    std::size_t space = line.rfind(' ');
    EXPECT_NE(space, std::string::npos) << line;
    double value = std::stod(line.substr(space + 1));
    EXPECT_TRUE(out.samples.emplace(line.substr(0, space), value).second) << "twice: " << line;
  }
  return out;
}

TEST(Metrics, EverySeriesIsThereFromTheStart) {
  Metrics metrics;
  Exposition seen = parse(metrics.expose());
  std::set<std::string_view> names;
  for (int i = 0; i < kOutcomeCount; ++i) {
    std::string_view name = name_of(static_cast<Outcome>(i));
    EXPECT_TRUE(names.insert(name).second) << name;
    std::string series = "tintype_requests_total{outcome=\"" + std::string(name) + "\"}";
    ASSERT_TRUE(seen.samples.contains(series)) << series;
    EXPECT_EQ(seen.samples[series], 0);
  }
  for (int i = 0; i < kPhaseCount; ++i) {
    std::string phase(name_of(static_cast<Phase>(i)));
    EXPECT_TRUE(names.insert(name_of(static_cast<Phase>(i))).second);
    EXPECT_TRUE(seen.samples.contains("tintype_phase_seconds_count{phase=\"" + phase + "\"}"));
  }
  EXPECT_EQ(names.count("unknown"), 0u);
  EXPECT_EQ(seen.types["tintype_requests_total"], "counter");
  EXPECT_EQ(seen.types["tintype_phase_seconds"], "histogram");
  EXPECT_EQ(seen.types["tintype_connections"], "gauge");
  for (const auto& [family, type] : seen.types) EXPECT_TRUE(seen.helped.contains(family)) << family;
}

TEST(Metrics, CountsAndBytesAddUp) {
  Metrics metrics;
  metrics.count(Outcome::MemoryHit);
  metrics.count(Outcome::MemoryHit);
  metrics.count(Outcome::Busy);
  metrics.count_sent_bytes(10);
  metrics.count_sent_bytes(5);
  metrics.count_source_bytes(7);
  metrics.count_variant_bytes(3);
  Exposition seen = parse(metrics.expose());
  EXPECT_EQ(seen.samples["tintype_requests_total{outcome=\"memory-hit\"}"], 2);
  EXPECT_EQ(seen.samples["tintype_requests_total{outcome=\"busy\"}"], 1);
  EXPECT_EQ(seen.samples["tintype_sent_bytes_total"], 15);
  EXPECT_EQ(seen.samples["tintype_source_bytes_total"], 7);
  EXPECT_EQ(seen.samples["tintype_variant_bytes_total"], 3);
}

TEST(Metrics, HistogramBoundsAreInclusiveAndCumulative) {
  Metrics metrics;
  for (int us : {-5, 50, 51, 1'000, 10'000'000, 10'000'001}) {
    metrics.observe(Phase::Render, microseconds(us));
  }
  Exposition seen = parse(metrics.expose());
  auto below = [&](const std::string& bound) {
    std::string series = "tintype_phase_seconds_bucket{phase=\"render\",le=\"" + bound + "\"}";
    EXPECT_TRUE(seen.samples.contains(series)) << series << "\n" << metrics.expose();
    return seen.samples[series];
  };
  EXPECT_EQ(below("5e-05"), 2);
  EXPECT_EQ(below("0.0001"), 3);
  EXPECT_EQ(below("0.001"), 4);
  EXPECT_EQ(below("5"), 4);
  EXPECT_EQ(below("10"), 5);
  EXPECT_EQ(below("+Inf"), 6);
  EXPECT_EQ(seen.samples["tintype_phase_seconds_count{phase=\"render\"}"], 6);
  EXPECT_NEAR(seen.samples["tintype_phase_seconds_sum{phase=\"render\"}"], 20.001102, 1e-4);
}

TEST(Metrics, ConnectionsMayCloseOnAnotherThread) {
  Metrics metrics;
  for (int i = 0; i < 5; ++i) metrics.connection_opened();
  std::thread([&] {
    for (int i = 0; i < 3; ++i) metrics.connection_closed();
  }).join();
  EXPECT_EQ(metrics.connections(), 2);
  EXPECT_EQ(parse(metrics.expose()).samples["tintype_connections"], 2);
}

TEST(Metrics, ReadsAtScrapeAndGroupsLabels) {
  Metrics metrics;
  double depth = 1;
  metrics.read_at_scrape("tintype_queue", "Waiting renders.", "gauge", [&] { return depth; });
  metrics.read_at_scrape("tintype_cache_bytes{tier=\"memory\"}", "Held.", "gauge",
                         [] { return 5; });
  metrics.read_at_scrape("tintype_restarts_total", "Restarts.", "counter", [] { return 9; });
  metrics.read_at_scrape("tintype_cache_bytes{tier=\"disk\",kind=\"x\"}", "Held.", "gauge",
                         [] { return 6; });
  EXPECT_EQ(parse(metrics.expose()).samples["tintype_queue"], 1);
  depth = 4;
  Exposition seen = parse(metrics.expose());
  EXPECT_EQ(seen.samples["tintype_queue"], 4);
  EXPECT_EQ(seen.samples["tintype_cache_bytes{tier=\"memory\"}"], 5);
  EXPECT_EQ(seen.samples["tintype_cache_bytes{tier=\"disk\",kind=\"x\"}"], 6);
  EXPECT_EQ(seen.samples["tintype_restarts_total"], 9);
  EXPECT_EQ(seen.types["tintype_restarts_total"], "counter");
}

TEST(Metrics, SnapshotHoldsWhatWasCounted) {
  Metrics metrics;
  metrics.count(Outcome::Rendered);
  metrics.count_sent_bytes(10);
  metrics.count_source_bytes(7);
  metrics.count_variant_bytes(3);
  metrics.connection_opened();
  metrics.observe(Phase::Render, microseconds(40'000));
  metrics.observe(Phase::Render, microseconds(2));
  metrics.observe(Phase::Render, microseconds(99'000'000));
  MetricsSnapshot seen = metrics.snapshot();
  EXPECT_EQ(seen.requests[static_cast<std::size_t>(Outcome::Rendered)], 1u);
  EXPECT_EQ(seen.requests[static_cast<std::size_t>(Outcome::Busy)], 0u);
  EXPECT_EQ(seen.sent_bytes, 10u);
  EXPECT_EQ(seen.source_bytes, 7u);
  EXPECT_EQ(seen.variant_bytes, 3u);
  EXPECT_EQ(seen.connections, 1);
  const auto& render = seen.phases[static_cast<std::size_t>(Phase::Render)];
  EXPECT_EQ(render.sum_us, 99'040'002u);
  EXPECT_EQ(render.in_bucket.front(), 1u);
  EXPECT_EQ(render.in_bucket.back(), 1u);
  std::uint64_t total = 0;
  for (std::uint64_t count : render.in_bucket) total += count;
  EXPECT_EQ(total, 3u);
}

TEST(Metrics, MiddleOfABucketIsCloseToWhatItHolds) {
  for (std::int64_t us = 51; us < 10'000'000; us += 1 + us / 50) {
    Metrics metrics;
    metrics.observe(Phase::Total, microseconds(us));
    auto buckets = metrics.snapshot().phases[static_cast<std::size_t>(Phase::Total)];
    std::size_t at = 0;
    while (buckets.in_bucket[at] == 0) ++at;
    EXPECT_NEAR(middle_us(at), static_cast<double>(us), 0.13 * static_cast<double>(us) + 1) << us;
  }
  EXPECT_EQ(middle_us(0), 25);
  EXPECT_EQ(middle_us(kPhaseBuckets - 1), 10'000'000);
}

TEST(Metrics, ReadsOneSeriesByItsName) {
  Metrics metrics;
  metrics.read_at_scrape("tintype_queue_jobs", "Waiting.", "gauge", [] { return 4; });
  metrics.read_at_scrape("tintype_x{tier=\"disk\"}", "X.", "gauge", [] { return 6; });
  EXPECT_EQ(metrics.read("tintype_queue_jobs"), 4);
  EXPECT_EQ(metrics.read("tintype_x{tier=\"disk\"}"), 6);
  EXPECT_EQ(metrics.read("tintype_x"), std::nullopt);
}

TEST(Metrics, NothingIsLostAmongThreads) {
  Metrics metrics;
  constexpr int kThreads = 8, kRounds = 20'000;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kRounds; ++i) {
        metrics.count(Outcome::DiskHit);
        metrics.observe(Phase::Total, microseconds(100));
        metrics.count_sent_bytes(3);
        if (i % 1000 == 0) metrics.expose();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Exposition seen = parse(metrics.expose());
  EXPECT_EQ(seen.samples["tintype_requests_total{outcome=\"disk-hit\"}"], kThreads * kRounds);
  EXPECT_EQ(seen.samples["tintype_phase_seconds_count{phase=\"total\"}"], kThreads * kRounds);
  EXPECT_EQ(seen.samples["tintype_sent_bytes_total"], 3.0 * kThreads * kRounds);
}

}  // namespace
}  // namespace tintype
