// SPDX-License-Identifier: Apache-2.0
// The lines are held against the rules of the published specification and its JSON schema
// (CloudWatch_Embedded_Metric_Format_Specification), written out here.
#include "telemetry/emf.h"

#include <fstream>
#include <regex>
#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

namespace tintype {
namespace {

using json = nlohmann::json;
using std::chrono::microseconds;

struct Pipe {
  int read_end = -1, write_end = -1;
  Pipe() {
    int fds[2];
    if (::pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0) {
      read_end = fds[0];
      write_end = fds[1];
    }
  }
  ~Pipe() {
    ::close(read_end);
    ::close(write_end);
  }
  std::string drain() const {
    std::string out;
    char buffer[65536];
    for (ssize_t n; (n = ::read(read_end, buffer, sizeof buffer)) > 0;) {
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }
};

void expect_name(const json& value, const std::string& where) {
  ASSERT_TRUE(value.is_string()) << where;
  auto size = value.get_ref<const std::string&>().size();
  EXPECT_TRUE(size >= 1 && size <= 255) << where;
}

// A number, or at most 100 of them; or the statistics that AWS' exporters write, of which the
// values are at most 100 too and each has its count.
void expect_metric_target(const json& target) {
  if (target.is_number()) return;
  ASSERT_TRUE(target.is_object()) << target;
  const json &values = target["Values"], &counts = target["Counts"];
  ASSERT_TRUE(values.is_array() && counts.is_array());
  EXPECT_EQ(values.size(), counts.size());
  EXPECT_GE(values.size(), 1u);
  EXPECT_LE(values.size(), 100u);
  double total = 0;
  for (const json& value : values) {
    ASSERT_TRUE(value.is_number());
    EXPECT_LE(value.get<double>(), target["Max"].get<double>());
    EXPECT_GE(value.get<double>(), target["Min"].get<double>());
  }
  for (const json& count : counts) total += count.get<double>();
  EXPECT_EQ(total, target["Count"].get<double>());
  EXPECT_TRUE(target["Sum"].is_number());
}

void expect_metric(const json& root, const json& metric) {
  static const std::regex kUnit(
      "^(Seconds|Microseconds|Milliseconds|Bytes|Kilobytes|Megabytes|Gigabytes|Terabytes|Bits|"
      "Kilobits|Megabits|Gigabits|Terabits|Percent|Count|Bytes/Second|Kilobytes/Second|"
      "Megabytes/Second|Gigabytes/Second|Terabytes/Second|Bits/Second|Kilobits/Second|"
      "Megabits/Second|Gigabits/Second|Terabits/Second|Count/Second|None)$");
  expect_name(metric["Name"], "Name");
  EXPECT_TRUE(std::regex_match(metric["Unit"].get<std::string>(), kUnit)) << metric;
  EXPECT_TRUE(metric["StorageResolution"] == 1 || metric["StorageResolution"] == 60) << metric;
  for (const auto& [key, value] : metric.items()) {
    EXPECT_TRUE(key == "Name" || key == "Unit" || key == "StorageResolution") << key;
  }
  ASSERT_TRUE(root.contains(metric["Name"].get<std::string>())) << metric;
  expect_metric_target(root[metric["Name"].get<std::string>()]);
}

void expect_valid(const std::string& line) {
  SCOPED_TRACE(line);
  EXPECT_LE(line.size(), 256u * 1024);
  json root = json::parse(line, nullptr, false);
  ASSERT_TRUE(root.is_object());
  const json& meta = root["_aws"];
  ASSERT_TRUE(meta["Timestamp"].is_number_integer());
  ASSERT_TRUE(meta["CloudWatchMetrics"].is_array());
  for (const json& directive : meta["CloudWatchMetrics"]) {
    expect_name(directive["Namespace"], "Namespace");
    ASSERT_TRUE(directive["Dimensions"].is_array());
    EXPECT_GE(directive["Dimensions"].size(), 1u);
    for (const json& set : directive["Dimensions"]) {
      EXPECT_LE(set.size(), 30u);
      for (const json& dimension : set) {
        expect_name(dimension, "dimension");
        expect_name(root[dimension.get<std::string>()], "a dimension's value");
      }
    }
    ASSERT_TRUE(directive["Metrics"].is_array());
    EXPECT_LE(directive["Metrics"].size(), 100u);
    for (const json& metric : directive["Metrics"]) expect_metric(root, metric);
  }
}

class EmfTest : public testing::Test {
 protected:
  std::vector<json> report(EmfWriter& writer) {
    writer.write_now();
    std::istringstream text(pipe.drain());
    std::vector<json> lines;
    for (std::string line; std::getline(text, line);) {
      EXPECT_LE(line.size() + 1, EmfWriter::kMaxLineBytes);
      expect_valid(line);
      lines.push_back(json::parse(line, nullptr, false));
    }
    return lines;
  }
  // The members of all lines without an outcome, in one object.
  static json totals(const std::vector<json>& lines) {
    json all = json::object();
    for (const json& line : lines) {
      if (!line.contains("outcome")) all.update(line);
    }
    return all;
  }
  EmfWriter::Parts parts() { return {.metrics = metrics, .clock = clock, .fd = pipe.write_end}; }

  Pipe pipe;
  Metrics metrics;
  ManualClock clock;
};

TEST_F(EmfTest, ReportsWhatGrewSinceTheLastTime) {
  metrics.count(Outcome::Rendered);
  EmfWriter writer(parts(), {.environment = "staging"});
  metrics.count(Outcome::MemoryHit);
  metrics.count(Outcome::MemoryHit);
  metrics.count(Outcome::Busy);
  metrics.count_sent_bytes(1'000);
  metrics.connection_opened();
  clock.advance(Milliseconds(1'500));
  auto lines = report(writer);
  json all = totals(lines);
  EXPECT_EQ(all["Requests"], 3);
  EXPECT_EQ(all["SentBytes"], 1'000);
  EXPECT_EQ(all["Connections"], 1);
  EXPECT_EQ(all["service"], "tintype");
  EXPECT_EQ(all["environment"], "staging");
  EXPECT_EQ(all["_aws"]["Timestamp"], 1'700'000'001'500);
  EXPECT_FALSE(all.contains("RenderTime"));
  std::map<std::string, int> outcomes;
  for (const json& line : lines) {
    if (line.contains("outcome")) outcomes[line["outcome"]] = line["Requests"];
  }
  EXPECT_EQ(outcomes, (std::map<std::string, int>{{"memory-hit", 2}, {"busy", 1}}));

  json next = totals(report(writer));
  EXPECT_EQ(next["Requests"], 0);
  EXPECT_EQ(next["SentBytes"], 0);
  EXPECT_EQ(next["Connections"], 1);
}

TEST_F(EmfTest, TimesAreHistograms) {
  EmfWriter writer(parts(), {});
  for (int i = 0; i < 90; ++i) metrics.observe(Phase::Render, microseconds(40'000));
  for (int i = 0; i < 10; ++i) metrics.observe(Phase::Render, microseconds(400'000));
  json render = totals(report(writer))["RenderTime"];
  ASSERT_EQ(render["Values"].size(), 2u);
  EXPECT_NEAR(render["Values"][0].get<double>(), 40, 40 * 0.13);
  EXPECT_NEAR(render["Values"][1].get<double>(), 400, 400 * 0.13);
  EXPECT_EQ(render["Counts"], json({90, 10}));
  EXPECT_EQ(render["Sum"], 90 * 40 + 10 * 400);
  metrics.observe(Phase::Render, microseconds(40'000));
  EXPECT_EQ(totals(report(writer))["RenderTime"]["Count"], 1);
}

TEST_F(EmfTest, TheLargestReportIsValidAndItsLinesAreShort) {
  metrics.read_at_scrape("tintype_queue_jobs", "Waiting.", "gauge", [] { return 123'456'789; });
  EmfWriter writer(parts(), {.name_space = std::string(255, 'n'),
                             .service = std::string(255, 's'),
                             .environment = std::string(255, 'e')});
  for (int p = 0; p < kPhaseCount; ++p) {
    for (int us = 1; us < 20'000'000; us += 1 + us / 50) {
      for (int i = 0; i < 100; ++i) metrics.observe(static_cast<Phase>(p), microseconds(us));
    }
  }
  for (int i = 0; i < kOutcomeCount; ++i) metrics.count(static_cast<Outcome>(i));
  auto lines = report(writer);
  EXPECT_GT(lines.size(), static_cast<std::size_t>(kOutcomeCount) + 1);
  json all = totals(lines);
  for (const char* name : {"ParseTime", "DiskTime", "FetchTime", "PlanTime", "QueueTime",
                           "RenderTime", "StoreTime", "TotalTime"}) {
    EXPECT_EQ(all[name]["Values"].size(), kPhaseBuckets) << name;
  }
}

TEST_F(EmfTest, SeriesAreReportedWhereTheyExist) {
  double failed = 5, waiting = 3;
  metrics.read_at_scrape("tintype_renders_failed_total", "F.", "counter", [&] { return failed; });
  metrics.read_at_scrape("tintype_queue_jobs", "Q.", "gauge", [&] { return waiting; });
  EmfWriter writer(parts(), {});
  failed = 7;
  json all = totals(report(writer));
  EXPECT_EQ(all["FailedRenders"], 2);
  EXPECT_EQ(all["QueuedRenders"], 3);
  EXPECT_FALSE(all.contains("DiskWriteFailures"));
  EXPECT_EQ(totals(report(writer))["FailedRenders"], 0);
}

int resolution_of(const std::vector<json>& lines, const std::string& name) {
  for (const json& line : lines) {
    for (const json& metric : line["_aws"]["CloudWatchMetrics"][0]["Metrics"]) {
      if (metric["Name"] == name) return metric["StorageResolution"];
    }
  }
  return 0;
}

TEST_F(EmfTest, OnlyTheQueueOfShortIntervalsIsOfHighResolution) {
  EmfWriter often(parts(), {.interval = Seconds(10)}), seldom(parts(), {.interval = Seconds(60)});
  metrics.observe(Phase::Queue, microseconds(400));
  metrics.observe(Phase::Render, microseconds(400));
  auto lines = report(often);
  EXPECT_EQ(resolution_of(lines, "QueueTime"), 1);
  EXPECT_EQ(resolution_of(lines, "RenderTime"), 60);
  EXPECT_EQ(resolution_of(report(seldom), "QueueTime"), 60);
}

TEST_F(EmfTest, AFullPipeKeepsWholeLinesForTheNextTime) {
  EmfWriter writer(parts(), {});
  std::string filling(65'536, 'x');
  ASSERT_EQ(::write(pipe.write_end, filling.data(), filling.size()), 65'536);
  metrics.count(Outcome::Rendered);
  writer.write_now();
  EXPECT_EQ(pipe.drain(), filling);
  metrics.count(Outcome::Rendered);
  auto lines = report(writer);
  int rendered = 0;
  for (const json& line : lines) {
    if (line.contains("outcome")) rendered += line["Requests"].get<int>();
  }
  EXPECT_EQ(rendered, 2);
  EXPECT_EQ(writer.dropped(), 0u);
}

TEST_F(EmfTest, ADeadDescriptorDropsAndCounts) {
  EmfWriter writer({.metrics = metrics, .clock = clock, .fd = -1}, {});
  writer.write_now();
  EXPECT_GT(writer.dropped(), 0u);
}

TEST(Emf, TheDocumentationHoldsTheTable) {
  std::ifstream docs(TINTYPE_ROOT "/docs/operating/telemetry.md");
  std::string text((std::istreambuf_iterator<char>(docs)), {});
  EXPECT_NE(text.find(emf_metrics_as_markdown()), std::string::npos) << emf_metrics_as_markdown();
}

}  // namespace
}  // namespace tintype
