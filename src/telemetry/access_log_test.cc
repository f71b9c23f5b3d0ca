// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_log.h"

#include <sstream>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>
#include <unistd.h>

namespace tintype {
namespace {

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
    if (write_end >= 0) ::close(write_end);
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

AccessRecord a_record() {
  return {.client = "192.0.2.7",
          .method = "GET",
          .target = "/shop/a.jpg?w=600",
          .key = "/shop/a.jpg/_/w-600.webp",
          .status = 200,
          .sent_bytes = 20480,
          .duration_us = 41,
          .outcome = "memory-hit",
          .user_agent = "Mozilla/5.0"};
}

TEST(AccessLog, WritesFieldsInOrderAtFlush) {
  Pipe pipe;
  AccessLog log(pipe.write_end);
  log.write(a_record(), 784111777);
  EXPECT_EQ(pipe.drain(), "");
  log.flush();
  EXPECT_EQ(pipe.drain(),
            "{\"time\":\"1994-11-06T08:49:37Z\",\"client\":\"192.0.2.7\",\"method\":\"GET\","
            "\"target\":\"/shop/a.jpg?w=600\",\"key\":\"/shop/a.jpg/_/w-600.webp\",\"status\":200,"
            "\"sent_bytes\":20480,\"duration_us\":41,\"outcome\":\"memory-hit\","
            "\"user_agent\":\"Mozilla/5.0\"}\n");
}

TEST(AccessLog, NamesTheTraceOfARequest) {
  Pipe pipe;
  AccessLog log(pipe.write_end);
  AccessRecord record = a_record();
  record.trace_id = "67891233abcdef012345678912345678";
  record.amzn_trace = "1-67891233-abcdef012345678912345678";
  log.write(record, 784111777);
  log.flush();
  auto line = nlohmann::json::parse(pipe.drain(), nullptr, false);
  EXPECT_EQ(line["trace_id"], record.trace_id);
  EXPECT_EQ(line["amzn_trace"], record.amzn_trace);
}

// What another writer puts into a pipe that is full stands between lines, never within one.
TEST(AccessLog, APipeGetsWholeLinesHoweverFullItIs) {
  Pipe pipe;
  AccessLog log(pipe.write_end);
  std::string filling(61'000, 'x');
  ASSERT_EQ(::write(pipe.write_end, filling.data(), filling.size()), 61'000);
  for (int i = 0; i < 400; ++i) log.write(a_record(), 784111777);
  log.flush();
  std::string first = pipe.drain();
  EXPECT_TRUE(first.ends_with("}\n") || first == filling);
  const std::string other = "{\"from\":\"another writer\"}\n";
  ASSERT_EQ(::write(pipe.write_end, other.data(), other.size()),
            static_cast<ssize_t>(other.size()));
  std::string rest;
  for (int i = 0; i < 3; ++i) {
    log.flush();
    rest += pipe.drain();
  }
  std::istringstream lines(first.substr(filling.size()) + rest);
  int seen = 0;
  for (std::string line; std::getline(lines, line); ++seen) {
    EXPECT_FALSE(nlohmann::json::parse(line, nullptr, false).is_discarded()) << line;
  }
  EXPECT_EQ(seen, 401);
}

TEST(AccessLog, TimeFollowsTheClock) {
  Pipe pipe;
  AccessLog log(pipe.write_end);
  for (std::int64_t second : {0, 0, 1}) log.write(a_record(), second);
  log.flush();
  std::istringstream lines(pipe.drain());
  for (const char* time :
       {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z"}) {
    std::string line;
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(nlohmann::json::parse(line)["time"], time);
  }
}

TEST(AccessLog, AnyBytesStayOneJsonLine) {
  EXPECT_TRUE(rc::check("any target and agent", [](const std::string& target, std::string agent) {
    Pipe pipe;
    AccessLog log(pipe.write_end);
    AccessRecord record = a_record();
    record.target = target;
    record.user_agent = agent;
    log.write(record, 1);
    log.flush();
    std::string text = pipe.drain();
    RC_ASSERT(std::count(text.begin(), text.end(), '\n') == 1);
    auto line = nlohmann::json::parse(text);
    bool ascii = std::all_of(target.begin(), target.end(), [](char c) { return c >= 0; });
    if (ascii) RC_ASSERT(line["target"].get<std::string>() == target);
  }));
}

TEST(AccessLog, HidesSignatures) {
  auto shown = [](std::string_view target) {
    Pipe pipe;
    AccessLog log(pipe.write_end);
    AccessRecord record = a_record();
    record.target = target;
    log.write(record, 1);
    log.flush();
    return nlohmann::json::parse(pipe.drain())["target"].get<std::string>();
  };
  EXPECT_EQ(shown("/shop/a.jpg?w=8&s=secret"), "/shop/a.jpg?w=8&s=***");
  EXPECT_EQ(shown("/shop/a.jpg?s=secret&w=8"), "/shop/a.jpg?s=***&w=8");
  EXPECT_EQ(shown("/_/ask/,,,/%2Fa.jpg%3Fw%3D8%26s%3Dsecret%26h%3D9"),
            "/_/ask/,,,/%2Fa.jpg%3Fw%3D8%26s%3D***%26h%3D9");
  EXPECT_EQ(shown("/_/ask/,,,/%2Fa.jpg%3Fs%3Dsecret"), "/_/ask/,,,/%2Fa.jpg%3Fs%3D***");
  EXPECT_EQ(shown("/s=a.jpg?bus=1&ts=2"), "/s=a.jpg?bus=1&ts=2");
}

TEST(AccessLog, WritesByItselfWhenFull) {
  Pipe pipe;
  AccessLog log(pipe.write_end);
  std::string target(8000, 'x');
  AccessRecord record = a_record();
  record.target = target;
  for (int i = 0; i < 7; ++i) log.write(record, 1);
  EXPECT_EQ(pipe.drain().size(), 0u);
  log.write(record, 1);                       // 8 lines of some 8,200 bytes are above 64 KB
  EXPECT_GT(pipe.drain().size(), 6 * 8000u);  // a pipe's 16 pages hold as many whole lines
  log.flush();
  std::string rest = pipe.drain();
  EXPECT_TRUE(rest.ends_with("}\n"));
}

TEST(AccessLog, SlowReaderKeepsThenDropsWholeLines) {
  Pipe pipe;
  AccessLog log(pipe.write_end);
  std::string target(1000, 'x');
  AccessRecord record = a_record();
  record.target = target;
  const int total = 2000;
  for (int i = 0; i < total; ++i) log.write(record, i);
  EXPECT_GT(log.dropped(), 0u);
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += pipe.drain();
    log.flush();
  }
  text += pipe.drain();
  std::istringstream lines(text);
  std::string line;
  std::uint64_t whole = 0;
  for (; std::getline(lines, line); ++whole) ASSERT_TRUE(nlohmann::json::accept(line)) << line;
  EXPECT_EQ(whole + log.dropped(), static_cast<std::uint64_t>(total));
}

TEST(AccessLog, FailedDescriptorCountsDrops) {
  int fd = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  {
    AccessLog log(fd);
    log.write(a_record(), 1);
    log.write(a_record(), 1);
    log.flush();
    EXPECT_EQ(log.dropped(), 2u);
  }
  ::close(fd);
}

TEST(AccessLog, KeepsNothingWithoutDescriptor) {
  AccessLog log(-1);
  log.write(a_record(), 1);
  log.flush();
  EXPECT_EQ(log.dropped(), 0u);
}

TEST(AccessLog, FlushesWhenDestroyed) {
  Pipe pipe;
  { AccessLog(pipe.write_end).write(a_record(), 1); }
  EXPECT_NE(pipe.drain(), "");
}

}  // namespace
}  // namespace tintype
