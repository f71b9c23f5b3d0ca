// SPDX-License-Identifier: Apache-2.0
// What a client on one connection may rely on.
#include "server/server_testing.h"

namespace tintype {
namespace {

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
    clients.back()->send("GET /hit/2");  // at work: an idle one would make room
  }
  wait_until([&] { return metrics_.connections() == 3; });
  std::this_thread::sleep_for(20ms);  // the half heads arrive
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

TEST_F(ServerTest, IdleConnectionsMakeRoomWhenTheHouseFillsUp) {
  ServerSettings settings;
  settings.max_connections = 10;
  settings.loops = 1;
  start(settings);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 30; ++i) {
    clients.push_back(std::make_unique<Client>(port()));
    EXPECT_EQ(clients.back()->get("/hit/1").status, 200) << i;
  }
  EXPECT_TRUE(clients.front()->is_closed()) << "who has waited longest goes";
  EXPECT_EQ(clients.back()->get("/hit/1").status, 200);
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

}  // namespace
}  // namespace tintype
