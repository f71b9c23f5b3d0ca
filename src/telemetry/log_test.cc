// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <cmath>
#include <limits>
#include <sstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace tintype {
namespace {

template <class F>
std::string written_by(F&& run) {
  testing::internal::CaptureStderr();
  run();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, WritesOneJsonObjectALine) {
  set_log_level(LogLevel::Info);
  std::string text = written_by([] {
    log(LogLevel::Warn, "origin failed",
        {{"host", "a.example"}, {"status", 502}, {"stale", true}, {"share", 0.5}});
  });
  ASSERT_EQ(text.back(), '\n');
  auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["event"], "origin failed");
  EXPECT_EQ(line["host"], "a.example");
  EXPECT_EQ(line["status"], 502);
  EXPECT_EQ(line["stale"], true);
  EXPECT_EQ(line["share"], 0.5);
  std::string time = line["time"];
  ASSERT_EQ(time.size(), std::string("2024-01-31T10:20:30.123Z").size());
  EXPECT_EQ(time[10], 'T');
  EXPECT_EQ(time.back(), 'Z');
}

TEST(Log, EscapesHostileValuesAndNonNumbers) {
  set_log_level(LogLevel::Info);
  std::string text = written_by([] {
    log(LogLevel::Info, "a\"b\n{}",
        {{"path", std::string_view("x\r\n\0\xff\"", 6)},
         {"inf", std::numeric_limits<double>::infinity()},
         {"nan", std::nan("")}});
  });
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["event"], "a\"b\n{}");
  EXPECT_EQ(line["path"], std::string("x\r\n\0", 4) + "\xEF\xBF\xBD\"");
  EXPECT_TRUE(line["inf"].is_string());
  EXPECT_TRUE(line["nan"].is_string());
}

TEST(Log, HoldsTheLevel) {
  set_log_level(LogLevel::Warn);
  std::string text = written_by([] {
    log(LogLevel::Debug, "no");
    log(LogLevel::Info, "no");
    log(LogLevel::Warn, "yes");
    log(LogLevel::Error, "yes");
  });
  set_log_level(LogLevel::Info);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(text.find("no"), std::string::npos);
}

TEST(Log, TextFormCannotBeForged) {
  set_log_level(LogLevel::Info, true);
  std::string text = written_by([] {
    log(LogLevel::Info, "listening", {{"port", 8080}, {"name", "a b\nc=d"}, {"empty", ""}});
  });
  set_log_level(LogLevel::Info, false);
  EXPECT_NE(text.find(" info  listening port=8080 name=\"a b\\u000ac=d\" empty=\"\"\n"),
            std::string::npos)
      << text;
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  set_log_level(LogLevel::Info);
  std::string text = written_by([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 100; ++i) log(LogLevel::Info, "tick", {{"thread", t}, {"i", i}});
      });
    }
    for (auto& thread : threads) thread.join();
  });
  std::istringstream lines(text);
  std::string line;
  int count = 0;
  for (; std::getline(lines, line); ++count) {
    EXPECT_EQ(nlohmann::json::parse(line)["event"], "tick");
  }
  EXPECT_EQ(count, 400);
}

}  // namespace
}  // namespace tintype
