// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "net/http_client_fixture.h"

namespace tintype {
namespace {

void expect_code(const Result<IncomingResponse>& result, ErrorCode code) {
  ASSERT_FALSE(result) << "status " << result->status;
  EXPECT_EQ(result.error().code, code) << result.error().message;
  EXPECT_TRUE(result.error().detail.empty()) << "messages of the network are private";
}

TEST(HttpClient, GivesStatusHeadersAndBody) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(
      200, std::string("pic\0ture", 8), "ETag:  \"x\" \r\nX-Two: a\r\nx-two: b\r\n")));
  auto got = get(origin);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(text_of(got->body), std::string_view("pic\0ture", 8));
  EXPECT_EQ(got->header("etag"), "\"x\"");
  EXPECT_EQ(got->header("x-two"), "a");
  EXPECT_EQ(got->header("absent"), "");
}

TEST(HttpClient, AsksForIdentityAndSendsTheHeadersOfTheRequest) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(quick(), kClock);
  auto request = request_of(origin.url("/a%20b"));
  request.headers = {{"Authorization", "Bearer x"}, {"X-Empty", ""}};
  ASSERT_TRUE(send(client, std::move(request)));
  std::string head = origin.heads().at(0);
  EXPECT_TRUE(head.starts_with("GET /a%20b HTTP/1.1\r\n")) << head;
  EXPECT_NE(head.find("Accept-Encoding: identity\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("Authorization: Bearer x\r\n"), std::string::npos) << head;
  EXPECT_NE(head.find("X-Empty:"), std::string::npos) << head;
}

TEST(HttpClient, RefusesARequestHeaderThatHoldsALineBreak) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(quick(), kClock);
  auto request = request_of(origin.url("/"));
  request.headers = {{"X-A", "1\r\nX-B: 2"}};
  expect_code(send(client, std::move(request)), ErrorCode::Internal);
  EXPECT_TRUE(origin.heads().empty());
}

TEST(HttpClient, AnyStatusIsASuccess) {
  for (int status : {204, 206, 300, 304, 400, 404, 410, 500, 503}) {
    bool has_body = status != 204 && status != 304;
    ScriptedOrigin origin(always(has_body
                                     ? ScriptedOrigin::answer(status, "why")
                                     : "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n\r\n"));
    auto got = get(origin);
    ASSERT_TRUE(got) << status << got.error().message;
    EXPECT_EQ(got->status, status);
  }
}

TEST(HttpClient, DoesNotDecodeACompressedBody) {
  ScriptedOrigin origin(
      always(ScriptedOrigin::answer(200, "\x1f\x8b junk", "Content-Encoding: gzip\r\n")));
  auto got = get(origin);
  ASSERT_TRUE(got);
  EXPECT_EQ(text_of(got->body), "\x1f\x8b junk");
}

TEST(HttpClient, IgnoresInformationalAnswersAndTrailers) {
  ScriptedOrigin origin(
      always("HTTP/1.1 103 Early Hints\r\nETag: early\r\n\r\n"
             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: final\r\n\r\n"
             "3\r\nabc\r\n0\r\nX-Trailer: late\r\n\r\n"));
  auto got = get(origin);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 200);
  EXPECT_EQ(text_of(got->body), "abc");
  EXPECT_EQ(got->header("etag"), "final");
  EXPECT_EQ(got->header("x-trailer"), "");
}

// ---- origins that lie

TEST(HttpClient, ABodyShorterThanAnnouncedFails) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort");
    return false;
  });
  expect_code(get(origin), ErrorCode::OriginFailed);
}

TEST(HttpClient, ABodyLongerThanAnnouncedIsCutAndNeverLeaksIntoTheNextAnswer) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "exact") + "HTTP/1.1 666 Evil\r\n\r\n"));
  HttpClient client(quick(), kClock);
  for (int i = 0; i < 2; ++i) {
    auto got = send(client, request_of(origin.url("/a")));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(text_of(got->body), "exact");
  }
}

TEST(HttpClient, AnUnfinishedChunkedBodyFails) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n");
    return false;
  });
  expect_code(get(origin), ErrorCode::OriginFailed);
}

TEST(HttpClient, AnEndlessChunkedBodyIsTooLarge) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    std::string chunk = "1000\r\n" + std::string(4096, 'x') + "\r\n";
    while (connection.send(chunk)) {
    }
    return false;
  });
  HttpClient client(quick(), kClock);
  auto request = request_of(origin.url("/"));
  request.max_body_bytes = 1'000'000;
  expect_code(send(client, std::move(request)), ErrorCode::TooLarge);
}

TEST(HttpClient, TheSizeLimitIsExactAndHoldsForWhatIsReceived) {
  ScriptedOrigin announced(always(ScriptedOrigin::answer(200, std::string(1001, 'x'))));
  ScriptedOrigin unannounced([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + std::string(1001, 'x'));
    return false;
  });
  HttpClient client(quick(), kClock);
  for (const ScriptedOrigin* origin : {&announced, &unannounced}) {
    auto request = request_of(origin->url("/"));
    request.max_body_bytes = 1000;
    expect_code(send(client, request), ErrorCode::TooLarge);
    request.max_body_bytes = 1001;
    auto got = send(client, request);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->body.size(), 1001u);
  }
}

TEST(HttpClient, HugeHeadersFail) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 40'000; ++i) {
      if (!connection.send("X-" + std::to_string(i) + ": " + std::string(1000, 'h') + "\r\n"))
        break;
    }
    return false;
  });
  expect_code(get(origin), ErrorCode::OriginFailed);
}

TEST(HttpClient, WhatIsNotHttpFails) {
  for (const char* text : {"picture without a head", "HTTP/1.1 abc\r\n\r\n", ""}) {
    ScriptedOrigin origin([text](Connection& connection, const std::string&) {
      connection.send(text);
      return false;
    });
    expect_code(get(origin), ErrorCode::OriginFailed);
  }
}

TEST(HttpClient, NobodyListeningFails) {
  std::string url;
  {
    ScriptedOrigin gone(always(""));
    url = gone.url("/");
  }
  HttpClient client(quick(), kClock);
  expect_code(send(client, request_of(url)), ErrorCode::OriginFailed);
}

// ---- slow origins

TEST(HttpClient, ASilentOriginTimesOutAtTheFirstByte) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.wait(milliseconds(60'000));
    return false;
  });
  expect_code(get(origin), ErrorCode::Timeout);
}

TEST(HttpClient, ADrippingOriginTimesOutByItsSpeed) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (connection.send("x") && connection.wait(milliseconds(20))) {
    }
    return false;
  });
  expect_code(get(origin), ErrorCode::Timeout);
}

TEST(HttpClient, TheDeadlineAndTheTimeoutEndAFetchThatIsFastEnough) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n");
    std::string part(2000, 'x');
    while (connection.send(part) && connection.wait(milliseconds(20))) {
    }
    return false;
  });
  HttpClient client(HttpClientSettings{}, kClock);
  auto by_deadline = request_of(origin.url("/"));
  by_deadline.max_body_bytes = 200'000'000;
  by_deadline.deadline = Deadline::after(kClock, Milliseconds(200));
  expect_code(send(client, std::move(by_deadline)), ErrorCode::Timeout);
  auto by_timeout = request_of(origin.url("/"));
  by_timeout.max_body_bytes = 200'000'000;
  by_timeout.timeout_ms = Milliseconds(200);
  expect_code(send(client, std::move(by_timeout)), ErrorCode::Timeout);
}

TEST(HttpClient, APassedDeadlineSendsNothing) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(quick(), kClock);
  auto request = request_of(origin.url("/"));
  request.deadline = {kClock.now()};
  expect_code(send(client, std::move(request)), ErrorCode::Timeout);
  EXPECT_EQ(origin.connections(), 0);
}

TEST(HttpClient, ASlowOriginDoesNotHoldUpAnother) {
  ScriptedOrigin slow([](Connection& connection, const std::string&) {
    connection.wait(milliseconds(60'000));
    return false;
  });
  ScriptedOrigin fast(always(ScriptedOrigin::answer(200, "x")));
  HttpClientSettings settings;
  settings.max_connections_per_host = 2;
  HttpClient client(settings, kClock);
  asio::io_context loop;
  int timeouts = 0, answers = 0, answers_when_slow_ended = 0;
  for (int i = 0; i < 6; ++i) {
    auto request = request_of(slow.url("/"));
    request.timeout_ms = Milliseconds(1500);
    asio::co_spawn(
        loop,
        [&, request]() -> Task<> {
          auto got = co_await client.send(request);
          timeouts += !got && got.error().code == ErrorCode::Timeout;
          answers_when_slow_ended = std::max(answers_when_slow_ended, answers);
        },
        asio::detached);
  }
  for (int i = 0; i < 20; ++i) {
    asio::co_spawn(
        loop,
        [&]() -> Task<> {
          auto got = co_await client.send(request_of(fast.url("/")));
          answers += got.has_value();
        },
        asio::detached);
  }
  loop.run();
  EXPECT_EQ(timeouts, 6);
  EXPECT_EQ(answers, 20);
  EXPECT_EQ(answers_when_slow_ended, 20);
  EXPECT_LE(slow.connections(), 2);
}

// ---- connections

TEST(HttpClient, KeepsConnectionsAndReplacesClosedOnes) {
  ScriptedOrigin origin([](Connection& connection, const std::string& head) {
    connection.send(ScriptedOrigin::answer(200, "x"));
    return !head.starts_with("GET /last ");
  });
  HttpClient client(quick(), kClock);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(send(client, request_of(origin.url("/a"))));
  EXPECT_EQ(origin.connections(), 1);
  ASSERT_TRUE(send(client, request_of(origin.url("/last"))));
  EXPECT_EQ(origin.connections(), 1);
  auto got = send(client, request_of(origin.url("/a")));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(origin.connections(), 2);
}

TEST(HttpClient, ManyAtOnceFromSeveralLoops) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(HttpClientSettings{}, kClock);
  std::atomic<int> good{0};
  std::vector<std::thread> loops;
  for (int t = 0; t < 3; ++t) {
    loops.emplace_back([&] {
      asio::io_context loop;
      for (int i = 0; i < 50; ++i) {
        asio::co_spawn(
            loop,
            [&]() -> Task<> {
              auto got = co_await client.send(request_of(origin.url("/a")));
              good += got.has_value();
            },
            asio::detached);
      }
      loop.run();
    });
  }
  for (auto& loop : loops) loop.join();
  EXPECT_EQ(good, 150);
  EXPECT_LE(origin.connections(), 64);
}

TEST(HttpClient, TheDestructorEndsWhatIsUnderWay) {
  ScriptedOrigin origin([](Connection& connection, const std::string&) {
    connection.wait(milliseconds(60'000));
    return false;
  });
  auto client = std::make_unique<HttpClient>(HttpClientSettings{}, kClock);
  asio::io_context loop;
  std::optional<Result<IncomingResponse>> result;
  asio::co_spawn(
      loop, [&]() -> Task<> { result = co_await client->send(request_of(origin.url("/"))); },
      asio::detached);
  loop.run_for(milliseconds(50));
  ASSERT_FALSE(result);
  client.reset();
  loop.run();
  ASSERT_TRUE(result);
  expect_code(*result, ErrorCode::OriginFailed);
}

}  // namespace
}  // namespace tintype
