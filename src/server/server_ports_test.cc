// SPDX-License-Identifier: Apache-2.0
// Draining, the admin port, the studio, the access log: what an operator may rely on.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include <sched.h>

#include "server/server_testing.h"

namespace tintype {
namespace {

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

TEST_F(ServerTest, DrainAnswersWhoIsInTheQueueAsTheDoorsClose) {
  ServerSettings settings;
  settings.loops = 1;
  start(settings);
  Client busy(port());
  busy.send("GET /blocks HTTP/1.1\r\nHost: t\r\n\r\n");  // the loop accepts nobody meanwhile
  wait_until([&] { return is_blocking_.load(); });
  server_->begin_drain();
  auto drained = std::async(std::launch::async, [this] { return server_->wait(); });
  std::this_thread::sleep_for(20ms);
  Client queued(port());  // by the kernel
  ASSERT_TRUE(queued.is_connected());
  is_released_ = true;
  wait_until([&] { return !Client(port()).is_connected(); });
  EXPECT_EQ(queued.get("/hit/1").body, "1");
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
  EXPECT_EQ(client.get("/_/studio/other").status, 404);
  EXPECT_EQ(client.get("/_/other").status, 200) << "the walk's: a dialect may be mounted at /";
  EXPECT_EQ(client.get("/?url=a").status, 200) << "likewise";
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

bool may_run_in_real_time() {
  return std::async(std::launch::async,
                    [] {
                      const sched_param lowest{.sched_priority = 1};
                      return ::pthread_setschedparam(::pthread_self(), SCHED_RR, &lowest) == 0;
                    })
      .get();
}

std::vector<int> policies_of_loops() {
  std::vector<int> policies;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    const pid_t id = std::stoi(task.path().filename().string());
    if (name == "loop") policies.push_back(::sched_getscheduler(id) & ~SCHED_RESET_ON_FORK);
  }
  return policies;
}

TEST_F(ServerTest, LoopsRunInRealTimeWhereAskedAndAllowed) {
  start();
  EXPECT_EQ(Client(port()).get("/hit/1").status, 200);
  EXPECT_THAT(policies_of_loops(), testing::Each(SCHED_OTHER));
  server_.reset();
  ServerSettings settings;
  settings.loops = 2;
  settings.realtime_loops = true;
  start(settings);
  EXPECT_EQ(Client(port()).get("/hit/1").status, 200) << "allowed or not";
  const int expected = may_run_in_real_time() ? SCHED_RR : SCHED_OTHER;
  wait_until([&] { return std::ranges::count(policies_of_loops(), expected) >= 2; });
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
