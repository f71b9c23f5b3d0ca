// SPDX-License-Identifier: Apache-2.0
// ServerTest: the real server on loopback, with answers put in by the test, for the tests of what a
// client and an operator may rely on. One server a test; it ends with the test. For test programs
// only.
#pragma once

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/socket.h>

#include "server/head.h"
#include "server/problem.h"
#include "server/server.h"
#include "server/server_test_client.h"

namespace tintype {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kLargeBytes = 5'000'000;

inline SharedEntry picture(std::size_t size_bytes) {
  auto entry = std::make_shared<Entry>();
  entry->body.resize(size_bytes);
  for (std::size_t i = 0; i < size_bytes; ++i)
    entry->body[i] = static_cast<std::uint8_t>(i * 31 >> 3);
  entry->meta.key = "/shop/a.jpg/_/w-100.webp";
  entry->meta.media_type = "image/webp";
  entry->meta.etag = "\"tag\"";
  entry->meta.modified_unix_seconds = 1'700'000'000;
  entry->meta.max_age_seconds = 86'400;
  entry->meta.fresh_until_unix_seconds = 4'000'000'000;
  render_head(*entry);
  return entry;
}

// Serves "/hit/<n>" and "/large" from memory, "/walk/<n>" after a while, "/held" when
// released; "/blocks" holds its whole loop until released.
class ServerTest : public testing::Test {
 protected:
  void start(ServerSettings settings = {}) {
    settings.port = settings.admin_port = 0;
    if (settings.loops == 0) settings.loops = 2;
    if (settings.drain_accept_ms == 5000ms) settings.drain_accept_ms = 0ms;
    ServerParts parts{.metrics = metrics_, .clock = clock_};
    parts.access_log_fd = access_log_fd_;
    parts.answer_from_memory = [this](const Viewing& viewing) { return from_memory(viewing); };
    parts.answer = [this](Viewing viewing) { return walk(viewing); };
    parts.admin.is_saturated = [this] { return is_saturated_.load(); };
    parts.admin.metrics = [this] { return metrics_.expose(); };
    parts.studio.pictures_json = []() -> Task<std::string> { co_return R"({"sites":[]})"; };
    parts.studio.explain_json = [](std::string target, std::string accept) -> Task<std::string> {
      co_return "{\"target\":" + json_string(target) + ",\"accept\":" + json_string(accept) + "}";
    };
    auto server = Server::start(std::move(parts), settings);
    ASSERT_TRUE(server) << server.error().message;
    server_ = std::move(*server);
  }
  void TearDown() override {
    is_released_ = true;
    if (!server_) return;
    server_->begin_drain();
    EXPECT_TRUE(server_->wait());
    server_.reset();
    EXPECT_EQ(metrics_.connections(), 0);
  }

  std::optional<Answer> from_memory(const Viewing& viewing) {
    Answer answer;
    answer.outcome = Outcome::MemoryHit;
    answer.hints_read = kAcceptBit;
    answer.entry = viewing.target == "/large" ? large_ : small_;
    if (viewing.target == "/accept") {
      answer.entry = page_entry(200, "text/plain", viewing.hints.accept);
    } else if (viewing.target == "/blocks") {
      is_blocking_ = true;
      while (!is_released_) std::this_thread::sleep_for(1ms);
    } else if (viewing.target == "/throws") {
      return std::nullopt;
    } else if (viewing.target.starts_with("/hit/")) {
      answer.entry = numbered(viewing.target);
    } else if (viewing.target.starts_with("/walk/") || viewing.target == "/held") {
      return std::nullopt;
    }
    return answer;
  }
  static SharedEntry numbered(std::string_view target) {
    return page_entry(200, "text/plain", target.substr(target.rfind('/') + 1));
  }
  Task<Answer> walk(Viewing viewing) {
    if (viewing.target == "/throws") throw std::runtime_error("on purpose");
    ++walking_;
    co_await sleep_for(20ms);
    while (viewing.target == "/held" && !is_released_) co_await sleep_for(5ms);
    --walking_;
    Answer answer;
    answer.entry = numbered(viewing.target);
    answer.outcome = Outcome::Rendered;
    answer.timings.render_us = 20'000;
    co_return answer;
  }
  int port() const { return server_->port(); }
  void wait_until(const std::function<bool()>& is_true) {
    for (int i = 0; i < 2000 && !is_true(); ++i) std::this_thread::sleep_for(5ms);
    EXPECT_TRUE(is_true());
  }

  SystemClock clock_;
  Metrics metrics_;
  SharedEntry small_ = picture(20'000), large_ = picture(kLargeBytes);
  std::atomic<bool> is_saturated_{false}, is_released_{false}, is_blocking_{false};
  std::atomic<int> walking_{0};
  int access_log_fd_ = -1;
  std::unique_ptr<Server> server_;
};

}  // namespace tintype
