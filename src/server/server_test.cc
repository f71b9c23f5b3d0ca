// SPDX-License-Identifier: Apache-2.0
// The real server on loopback, with answers put in by the test: what a client may rely on.
#include "server/server.h"

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
#include "server/server_test_client.h"

namespace tintype {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kLargeBytes = 5'000'000;

SharedEntry picture(std::size_t size_bytes) {
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

// Serves "/hit/<n>" and "/large" from memory, "/walk/<n>" after a while, "/held" when released.
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
    answer.vary_accept = true;
    answer.entry = viewing.target == "/large" ? large_ : small_;
    if (viewing.target == "/accept") {
      answer.entry = page_entry(200, "text/plain", viewing.hints.accept);
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
  std::atomic<bool> is_saturated_{false}, is_released_{false};
  std::atomic<int> walking_{0};
  int access_log_fd_ = -1;
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, AnswersManyRequestsOnOneConnection) {
  start();
  Client client(port());
  for (int i = 0; i < 200; ++i) {
    Reply reply = client.get("/a.jpg");
    ASSERT_EQ(reply.status, 200);
    ASSERT_EQ(reply.body, text_of(small_->body));
    ASSERT_EQ(reply.field("connection"), "");
  }
  Reply reply = client.get("/a.jpg");
  EXPECT_EQ(reply.field("etag"), "\"tag\"");
  EXPECT_EQ(reply.field("server"), "tintype");
  EXPECT_EQ(reply.field("vary"), "Accept");
  EXPECT_THAT(reply.field("cache-status"), testing::StartsWith("tintype; hit; ttl="));
  auto date = parse_http_date(reply.field("date"));
  ASSERT_TRUE(date);
  EXPECT_LE(std::abs(*date - clock_.unix_seconds()), 2);
}

TEST_F(ServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  Client client(port());
  std::string burst;
  constexpr int kCount = 300;  // more than one buffer, hits and misses mixed
  for (int i = 0; i < kCount; ++i) {
    std::string folder = i % 50 == 7 ? "/walk/" : "/hit/";
    burst += "GET " + folder + std::to_string(i) + " HTTP/1.1\r\nHost: t\r\n\r\n";
  }
  std::thread sender([&] { client.send(burst); });
  for (int i = 0; i < kCount; ++i) {
    Reply reply = client.read();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, std::to_string(i));
  }
  sender.join();
}

TEST_F(ServerTest, HeadsInPieces) {
  start();
  Client client(port());
  for (char c : std::string("GET /hit/7 HTTP/1.1\r\nHost: t\r\n\r\n")) {
    ASSERT_TRUE(client.send(std::string(1, c)));
    std::this_thread::sleep_for(1ms);
  }
  EXPECT_EQ(client.read().body, "7");
  // A head larger than the first buffer.
  std::string fields = "X: " + std::string(12'000, 'x') + "\r\nAccept: image/avif\r\n";
  EXPECT_EQ(client.get("/accept", fields).body, "image/avif");
  EXPECT_EQ(client.get("/hit/8").body, "8");
}

TEST_F(ServerTest, MissesSayWhatTheyCost) {
  start();
  Client client(port());
  Reply reply = client.get("/walk/5");
  EXPECT_EQ(reply.body, "5");
  EXPECT_EQ(reply.field("cache-status"), "tintype; fwd=miss; stored");
  EXPECT_THAT(reply.field("server-timing"), HasSubstr("render;dur=20.0, total;dur="));
  Reply failed = client.get("/throws");
  EXPECT_EQ(failed.status, 500);
  EXPECT_THAT(failed.body, Not(HasSubstr("on purpose")));
}

TEST_F(ServerTest, HeadHasNoBody) {
  start();
  Client client(port());
  Reply reply = client.ask("HEAD /a.jpg HTTP/1.1\r\nHost: t\r\nRange: bytes=0-1\r\n\r\n");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.field("content-length"), "20000");
  EXPECT_EQ(client.get("/hit/1").body, "1") << "nothing of a body may precede this";
}

TEST_F(ServerTest, ConditionalRequests) {
  start();
  Client client(port());
  Reply same = client.get("/a.jpg", "If-None-Match: \"x\", W/\"tag\"\r\n");
  EXPECT_EQ(same.status, 304);
  EXPECT_EQ(same.field("etag"), "\"tag\"");
  EXPECT_EQ(same.field("vary"), "Accept");
  EXPECT_EQ(same.field("content-length"), "");
  EXPECT_EQ(client.get("/a.jpg", "If-None-Match: \"x\"\r\n").body.size(), 20'000u);
  EXPECT_EQ(client.get("/a.jpg", "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\n").status,
            304);
  EXPECT_EQ(client.get("/walk/1", "If-None-Match: *\r\n").status, 200) << "it has no tag";
}

TEST_F(ServerTest, Ranges) {
  start();
  Client client(port());
  Reply part = client.get("/a.jpg", "Range: bytes=100-199\r\n");
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.field("content-range"), "bytes 100-199/20000");
  EXPECT_EQ(part.body, text_of(small_->body).substr(100, 100));
  Reply outside = client.get("/a.jpg", "Range: bytes=20000-\r\n");
  EXPECT_EQ(outside.status, 416);
  EXPECT_EQ(outside.field("content-range"), "bytes */20000");
  EXPECT_EQ(client.get("/a.jpg", "Range: bytes=0-1,3-4\r\n").status, 200);
  EXPECT_EQ(client.get("/a.jpg", "Range: bytes=0-1\r\nIf-Range: \"old\"\r\n").status, 200);
}

TEST_F(ServerTest, Http10) {
  start();
  Client client(port());
  Reply kept = client.ask("GET /hit/1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.field("connection"), "keep-alive");
  Reply last = client.ask("GET /hit/2 HTTP/1.0\r\n\r\n");
  EXPECT_EQ(last.body, "2");
  EXPECT_EQ(last.field("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, RefusedRequestsEndTheirConnection) {
  start();
  struct Row {
    std::string bytes;
    int status;
  };
  const std::string host = " HTTP/1.1\r\nHost: t\r\n";
  std::string many;
  for (int i = 0; i < 101; ++i) many += "X: y\r\n";
  for (const Row& row :
       {Row{"GET /" + std::string(8192, 'a') + host + "\r\n", 414},
        Row{"GET /" + host + "X: " + std::string(20'000, 'x') + "\r\n\r\n", 431},
        Row{"GET /" + host + many + "\r\n", 431},
        Row{"GET /" + host + "Content-Length: 3\r\n\r\nabc", 400},
        Row{"GET /" + host + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501},
        Row{"GET /" + host + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400},
        Row{"GET /" + host + "Host: u\r\n\r\n", 400},
        Row{"GET /" + host + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
        Row{"GET /" + host + "X: a\r\n b\r\n\r\n", 400}, Row{"GET / HTTP/1.1\nHost: t\n\n", 400},
        Row{"GET / HTTP/1.1\r\nHost : t\r\n\r\n", 400}, Row{"GET / HTTP/1.1\r\n\r\n", 400},
        Row{"GET / HTTP/2.0\r\nHost: t\r\n\r\n", 505},
        Row{"POST /" + host + "Content-Length: 3\r\n\r\nabc", 405},
        Row{"OPTIONS /" + host + "\r\n", 405}}) {
    Client client(port());
    // What follows must never be taken for a request.
    Reply reply = client.ask(row.bytes + "GET /hit/smuggled HTTP/1.1\r\nHost: t\r\n\r\n");
    EXPECT_EQ(reply.status, row.status) << row.bytes.substr(0, 60);
    EXPECT_EQ(reply.field("connection"), "close");
    EXPECT_EQ(reply.field("content-type"), "application/problem+json");
    EXPECT_EQ(nlohmann::json::parse(reply.body)["status"], row.status);
    EXPECT_TRUE(client.is_closed());
    EXPECT_EQ(reply.field("allow"), row.status == 405 ? "GET, HEAD" : "");
  }
}

TEST_F(ServerTest, SlowHeadsAreCutOff) {
  ServerSettings settings;
  settings.head_timeout_ms = 300ms;
  start(settings);
  Client client(port());
  client.send("GET /hit/1 HTTP/1.1\r\nHost: t\r\n");
  std::atomic<bool> is_over{false};
  // Dripping does not help: the deadline is of the whole head.
  std::thread drip([&] {
    while (!is_over && client.send("X: y\r\n")) std::this_thread::sleep_for(50ms);
  });
  Reply reply = client.read();
  is_over = true;
  drip.join();
  EXPECT_EQ(reply.status, 408);
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, IdleConnectionsAreClosedWithoutAWord) {
  ServerSettings settings;
  settings.keep_alive_timeout_ms = 100ms;
  start(settings);
  Client silent(port());
  EXPECT_TRUE(silent.is_closed());
  Client client(port());
  EXPECT_EQ(client.get("/hit/1").body, "1");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, LargeAnswersReachSlowReaders) {
  start();
  Client client(port(), 4096);
  client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\nGET /hit/2 HTTP/1.1\r\nHost: t\r\n\r\n");
  std::this_thread::sleep_for(100ms);
  Reply reply = client.read();
  EXPECT_TRUE(reply.is_whole);
  EXPECT_TRUE(reply.body == text_of(large_->body));
  EXPECT_EQ(client.read().body, "2");
}

TEST_F(ServerTest, ClientsThatTakeNothingAreLetGo) {
  ServerSettings settings;
  settings.write_window_ms = 200ms;
  settings.min_write_rate_bytes_per_s = 1'000'000'000;
  start(settings);
  Client client(port(), 4096);
  client.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
  wait_until([&] { return metrics_.connections() == 1; });
  wait_until([&] { return metrics_.connections() == 0; });
  EXPECT_FALSE(client.read().is_whole);
}

TEST_F(ServerTest, ClientsMayLeaveInTheMiddle) {
  start();
  for (int i = 0; i < 20; ++i) {
    Client gone(port(), 4096);
    gone.send("GET /large HTTP/1.1\r\nHost: t\r\n\r\n");
    Client gone_too(port());
    gone_too.send("GET /walk/1 HTTP/1.1\r\nHost: t\r\n\r\n");
    Client half(port());
    half.send("GET /wa");
  }
  wait_until([&] { return metrics_.connections() == 0; });
  Client client(port());
  EXPECT_EQ(client.get("/hit/1").body, "1");
}

TEST_F(ServerTest, ClientsMayShutTheirSendingSide) {
  start();
  Client client(port());
  client.send("GET /walk/1 HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.read().body, "1");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, ConnectionsAboveTheCapAreToldSo) {
  ServerSettings settings;
  settings.max_connections = 3;
  start(settings);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(port()));
    EXPECT_EQ(clients.back()->get("/hit/1").status, 200);
  }
  Client fourth(port());
  Reply reply = fourth.read();
  EXPECT_EQ(reply.status, 503);
  EXPECT_EQ(reply.field("retry-after"), "1");
  EXPECT_TRUE(fourth.is_closed());
  clients.pop_back();
  wait_until([&] { return metrics_.connections() == 2; });
  Client fifth(port());
  EXPECT_EQ(fifth.get("/hit/1").status, 200);
}

TEST_F(ServerTest, RequestsPerConnectionAreCounted) {
  ServerSettings settings;
  settings.max_requests_per_connection = 2;
  start(settings);
  Client client(port());
  EXPECT_EQ(client.get("/hit/1").field("connection"), "");
  EXPECT_EQ(client.get("/hit/2").field("connection"), "close");
  EXPECT_TRUE(client.is_closed());
}

TEST_F(ServerTest, DrainFinishesWhatIsInFlight) {
  start();
  Client idle(port()), busy(port()), again(port());
  EXPECT_EQ(idle.get("/hit/1").status, 200);
  EXPECT_EQ(again.get("/hit/1").status, 200);
  busy.send("GET /held HTTP/1.1\r\nHost: t\r\n\r\n");
  wait_until([&] { return walking_ == 1; });
  server_->begin_drain();
  auto drained = std::async(std::launch::async, [this] { return server_->wait(); });
  EXPECT_TRUE(idle.is_closed());
  wait_until([&] { return !Client(port()).is_connected(); });
  EXPECT_EQ(drained.wait_for(50ms), std::future_status::timeout) << "an answer is in flight";
  Client admin(server_->admin_port());
  EXPECT_EQ(admin.get("/_/health").status, 503);
  is_released_ = true;
  Reply reply = busy.read();
  EXPECT_EQ(reply.body, "held");
  EXPECT_EQ(reply.field("connection"), "close");
  EXPECT_TRUE(drained.get());
}

TEST_F(ServerTest, DrainKeepsAcceptingWhileTheBalancerNotices) {
  ServerSettings settings;
  settings.drain_accept_ms = 1'000ms;
  start(settings);
  Client admin(server_->admin_port());
  EXPECT_EQ(admin.get("/_/ready").status, 200);
  server_->begin_drain();
  Reply ready = admin.get("/_/ready");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(nlohmann::json::parse(ready.body)["reasons"][0], "draining");
  Client late(port());
  Reply reply = late.get("/hit/1");
  EXPECT_EQ(reply.body, "1");
  EXPECT_EQ(reply.field("connection"), "close");
}

TEST_F(ServerTest, DrainGivesUpAtItsDeadline) {
  ServerSettings settings;
  settings.drain_timeout_ms = 200ms;
  start(settings);
  Client busy(port());
  busy.send("GET /held HTTP/1.1\r\nHost: t\r\n\r\n");
  wait_until([&] { return walking_ == 1; });
  server_->begin_drain();
  EXPECT_FALSE(server_->wait());
  server_.reset();  // this walk only waits for its loop's timer, so it may be destroyed
  EXPECT_EQ(metrics_.connections(), 0);
}

TEST_F(ServerTest, AdminAnswersOnItsOwnPort) {
  start();
  Client admin(server_->admin_port());
  EXPECT_EQ(admin.get("/_/health").body, "{\"status\":\"ok\"}\n");
  EXPECT_EQ(admin.get("/_/ready").status, 200);
  is_saturated_ = true;
  Reply ready = admin.get("/_/ready?verbose=1");
  EXPECT_EQ(ready.status, 503);
  EXPECT_EQ(nlohmann::json::parse(ready.body)["reasons"], nlohmann::json::array({"saturated"}));
  EXPECT_EQ(admin.get("/_/health").status, 200);
  EXPECT_THAT(admin.get("/_/metrics").body, HasSubstr("tintype_requests_total"));
  EXPECT_EQ(admin.get("/a.jpg").status, 404);
  EXPECT_EQ(admin.ask("POST /_/health HTTP/1.1\r\nHost: t\r\n\r\n").status, 405);
  Client image(port());
  EXPECT_EQ(image.get("/_/health").status, 404);
  EXPECT_EQ(image.get("/").status, 404) << "the studio is off";
}

TEST_F(ServerTest, StudioIsServedWhereItIsOn) {
  ServerSettings settings;
  settings.studio = true;
  start(settings);
  Client client(port());
  Reply page = client.get("/");
  EXPECT_EQ(page.field("content-type"), "text/html; charset=utf-8");
  std::ifstream file(TINTYPE_ROOT "/studio/index.html", std::ios::binary);
  EXPECT_TRUE(page.body == std::string(std::istreambuf_iterator<char>(file), {}));
  EXPECT_EQ(client.get("/_/studio/pictures").body, R"({"sites":[]})");
  auto explained = nlohmann::json::parse(
      client.get("/_/studio/explain?url=%2Fshop%2Fa.jpg%3Fw%3D1&accept=image%2Favif").body);
  EXPECT_EQ(explained["target"], "/shop/a.jpg?w=1");
  EXPECT_EQ(explained["accept"], "image/avif");
  EXPECT_EQ(client.get("/_/studio/explain").status, 400);
  EXPECT_EQ(client.get("/_/studio/explain?url=%zz").status, 400);
  EXPECT_EQ(client.get("/_/other").status, 404);
  EXPECT_EQ(client.get("/hit/1").body, "1");
}

TEST_F(ServerTest, AccessLogHasALineForEachRequest) {
  FILE* file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  access_log_fd_ = fileno(file);
  start();
  {
    Client client(port());
    client.get("/hit/1", "User-Agent: \"quoted\" \xFF\r\nX-Request-Id: id-7\r\n");
    client.get("/a.jpg", "If-None-Match: *\r\n");
    client.ask("POST /p HTTP/1.1\r\nHost: t\r\n\r\n");
  }
  server_->begin_drain();
  EXPECT_TRUE(server_->wait());
  std::rewind(file);
  std::vector<nlohmann::json> lines;
  char line[4096];
  while (std::fgets(line, sizeof line, file) != nullptr)
    lines.push_back(nlohmann::json::parse(line));
  std::fclose(file);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0]["client"], "127.0.0.1");
  EXPECT_EQ(lines[0]["target"], "/hit/1");
  EXPECT_EQ(lines[0]["request_id"], "id-7");
  EXPECT_EQ(lines[0]["outcome"], "memory-hit");
  EXPECT_EQ(lines[1]["status"], 304);
  EXPECT_EQ(lines[1]["outcome"], "not-modified");
  EXPECT_EQ(lines[1]["key"], "/shop/a.jpg/_/w-100.webp");
  EXPECT_EQ(lines[2]["method"], "POST");
  EXPECT_EQ(lines[2]["status"], 405);
  EXPECT_EQ(lines[2]["error"], "method-not-allowed");
}

TEST_F(ServerTest, APortInUseIsAnError) {
  start();
  ServerSettings settings;
  settings.port = port();
  settings.admin_port = 0;
  settings.loops = 2;
  auto second = Server::start(ServerParts{.metrics = metrics_, .clock = clock_}, settings);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, HasSubstr("port " + std::to_string(port())));
}

TEST_F(ServerTest, RunningOutOfDescriptorsPausesAcceptingOnly) {
  start();
  Client kept(port());
  EXPECT_EQ(kept.get("/hit/1").status, 200);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // A client's descriptor is made first; then none is left for the server's side.
  Client waiting(port());
  wait_until([&] { return metrics_.connections() == 2; });
  int client_fd = ::socket(AF_INET, SOCK_STREAM, 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(client_fd) + 1;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port()));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(client_fd, reinterpret_cast<sockaddr*>(&at), sizeof at), 0)
      << "by the kernel";
  std::this_thread::sleep_for(150ms);
  EXPECT_EQ(metrics_.connections(), 2);
  EXPECT_EQ(kept.get("/hit/2").body, "2") << "who is in is served on";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  wait_until([&] { return metrics_.connections() == 3; });
  ::close(client_fd);
}

}  // namespace
}  // namespace tintype
