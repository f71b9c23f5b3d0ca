// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "net/http_client.h"
#include "net/http_client_fixture.h"

namespace tintype {
namespace {

SharedBytes body_of(std::string_view text) {
  auto bytes = view_of(text);
  return share(Bytes(bytes.begin(), bytes.end()));
}

OutgoingRequest asking(std::string method, const ScriptedOrigin& origin, SharedBytes body) {
  OutgoingRequest request = request_of(origin.url("/a?b=c"));
  request.method = std::move(method);
  request.body = std::move(body);
  return request;
}

using HttpClientMethod = testing::TestWithParam<const char*>;

TEST_P(HttpClientMethod, GoesOutWithItsBodyAndNothingThatWasNotAskedFor) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(201, "made", "ETag: x\r\n")));
  HttpClient client(quick(), kClock);
  std::string large(3'000'000, 'z');
  for (const std::string& body : {std::string("pic\0ture", 8), large, std::string()}) {
    auto request = asking(GetParam(), origin, body_of(body));
    request.headers = {{"X-A", "1"}};
    auto got = send(client, std::move(request));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 201);
    EXPECT_EQ(text_of(got->body), "made");
    auto seen = origin.requests().back();
    EXPECT_EQ(seen.method, GetParam());
    EXPECT_EQ(seen.target, "/a?b=c");
    EXPECT_TRUE(seen.body == body) << seen.body.size();
    EXPECT_EQ(seen.header("content-length"), std::to_string(body.size()));
    EXPECT_EQ(seen.header("x-a"), "1");
    EXPECT_EQ(seen.header("expect"), "");
    EXPECT_EQ(seen.header("content-type"), "");
    EXPECT_EQ(seen.header("transfer-encoding"), "");
  }
  EXPECT_EQ(origin.connections(), 1) << "one connection serves them all";
}
INSTANTIATE_TEST_SUITE_P(Each, HttpClientMethod, testing::Values("PUT", "POST", "DELETE"));

TEST(HttpClientMethods, APutAndAPostWithoutABodySayThatItIsEmpty) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(quick(), kClock);
  for (const char* method : {"PUT", "POST"}) {
    ASSERT_TRUE(send(client, asking(method, origin, nullptr)));
    EXPECT_EQ(origin.requests().back().method, method);
    EXPECT_EQ(origin.requests().back().header("content-length"), "0");
  }
  ASSERT_TRUE(send(client, asking("DELETE", origin, nullptr)));
  EXPECT_EQ(origin.requests().back().method, "DELETE");
}

TEST(HttpClientMethods, HeadBringsHeadersOnly) {
  ScriptedOrigin origin(always("HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: x\r\n\r\n"));
  HttpClient client(quick(), kClock);
  for (int i = 0; i < 2; ++i) {
    auto got = send(client, asking("HEAD", origin, nullptr));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->header("content-length"), "12345");
    EXPECT_EQ(got->header("etag"), "x");
    EXPECT_TRUE(got->body.empty());
  }
  EXPECT_EQ(origin.connections(), 1);
  EXPECT_EQ(origin.requests().at(0).method, "HEAD");
}

TEST(HttpClientMethods, RefusesUnknownMethodsAndBodiesOfFetches) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(quick(), kClock);
  for (auto& request :
       {asking("PATCH", origin, nullptr), asking("get", origin, nullptr),
        asking("G\r\nX: 1", origin, nullptr), asking("GET", origin, body_of("x"))}) {
    auto got = send(client, request);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, ErrorCode::Internal);
  }
  EXPECT_EQ(origin.connections(), 0);
}

TEST(HttpClientMethods, OnlyGetAndHeadFollowRedirects) {
  for (const char* method : {"GET", "HEAD"}) {
    ScriptedOrigin origin([](Connection& connection, const ScriptedOrigin::Request& request) {
      if (request.target != "/b") return connection.send(redirect("/b"));
      return connection.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    HttpClient client(quick(), kClock);
    auto got = send(client, asking(method, origin, nullptr));
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(got->status, 200);
    EXPECT_EQ(origin.requests().back().method, method);
  }
  for (const char* method : {"PUT", "POST", "DELETE"}) {
    for (int status : {301, 302, 303, 307, 308}) {
      ScriptedOrigin origin(
          always(ScriptedOrigin::answer(status, "why", "Location: /elsewhere\r\n")));
      HttpClient client(quick(), kClock);
      auto got = send(client, asking(method, origin, body_of("x")));
      ASSERT_TRUE(got) << got.error().message;
      EXPECT_EQ(got->status, status);
      EXPECT_EQ(text_of(got->body), "why");
      EXPECT_EQ(origin.requests().size(), 1u);
    }
  }
}

TEST(HttpClientMethods, ARedirectIsAnAnswerForWhoeverAsksForThat) {
  ScriptedOrigin origin(always(redirect("/b")));
  HttpClient client(quick(), kClock);
  auto request = asking("GET", origin, nullptr);
  request.follow_redirects = false;
  auto got = send(client, std::move(request));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 302);
  EXPECT_EQ(got->header("location"), "/b");
  EXPECT_EQ(origin.requests().size(), 1u);
}

// ---- connections that end

// Answers the first request of a connection and resets it at the second.
ScriptedOrigin::Script reset_at_second() {
  auto served = std::make_shared<std::atomic<int>>(0);
  return [served](Connection& connection, const ScriptedOrigin::Request&) {
    if (++*served == 2) {
      connection.reset();
      return false;
    }
    return connection.send(ScriptedOrigin::answer(200, "x"));
  };
}

TEST(HttpClientMethods, APooledConnectionThatIsResetIsReplacedForIdempotentRequests) {
  for (const char* method : {"GET", "PUT", "DELETE"}) {
    ScriptedOrigin origin(reset_at_second());
    HttpClient client(quick(), kClock);
    SharedBytes body = std::string_view(method) == "PUT" ? body_of("whole") : nullptr;
    for (int i = 0; i < 2; ++i) {
      auto got = send(client, asking(method, origin, body));
      ASSERT_TRUE(got) << method << got.error().message;
    }
    ASSERT_EQ(origin.requests().size(), 3u) << method;
    EXPECT_EQ(origin.requests().at(2).body, body ? "whole" : "");
    EXPECT_EQ(origin.connections(), 2);
  }
}

TEST(HttpClientMethods, APostIsNeverSentTwice) {
  ScriptedOrigin origin(reset_at_second());
  HttpClient client(quick(), kClock);
  ASSERT_TRUE(send(client, asking("POST", origin, body_of("x"))));
  auto got = send(client, asking("POST", origin, body_of("x")));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::OriginFailed);
  EXPECT_EQ(origin.requests().size(), 2u);
}

TEST(HttpClientMethods, TellsWhetherTheRequestMayHaveArrived) {
  std::string gone_url;
  {
    ScriptedOrigin gone(always(""));
    gone_url = gone.url("/");
  }
  ScriptedOrigin closes([](Connection&, const ScriptedOrigin::Request&) { return false; });
  HttpClient client(quick(), kClock);
  for (const std::string& url : {gone_url, closes.url("/")}) {
    auto request = request_of(url);
    request.method = "POST";
    request.may_have_arrived = std::make_shared<std::atomic<bool>>(false);
    auto arrived = request.may_have_arrived;
    ASSERT_FALSE(send(client, std::move(request)));
    EXPECT_EQ(arrived->load(), url != gone_url);
  }
}

// ---- uploads

TEST(HttpClientMethods, AnUploadThatNobodyReadsTimesOut) {
  ScriptedOrigin origin([](Connection& connection, const ScriptedOrigin::Request&) {
    connection.wait(milliseconds(60'000));
    return false;
  });
  origin.leave_bodies_unread();
  HttpClient client(quick(), kClock);
  auto got = send(client, asking("PUT", origin, share(Bytes(50'000'000))));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::Timeout);
}

TEST(HttpClientMethods, AnAnswerBeforeTheEndOfTheUploadIsHeard) {
  ScriptedOrigin origin([](Connection& connection, const ScriptedOrigin::Request&) {
    connection.send(ScriptedOrigin::answer(403, "no", "Connection: close\r\n"));
    connection.wait(milliseconds(60'000));
    return false;
  });
  origin.leave_bodies_unread();
  HttpClient client(quick(), kClock);
  auto got = send(client, asking("PUT", origin, share(Bytes(50'000'000))));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 403);
}

TEST(HttpClientMethods, AnUploadDoesNotHoldUpOthers) {
  ScriptedOrigin stuck([](Connection& connection, const ScriptedOrigin::Request&) {
    connection.wait(milliseconds(60'000));
    return false;
  });
  stuck.leave_bodies_unread();
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  HttpClient client(HttpClientSettings{}, kClock);
  asio::io_context loop;
  bool is_stuck_over = false;
  int answers = 0;
  auto upload = [&]() -> Task<> {
    auto request = asking("PUT", stuck, share(Bytes(50'000'000)));
    request.timeout_ms = Milliseconds(1'000);
    co_await client.send(std::move(request));
    is_stuck_over = true;
  };
  asio::co_spawn(loop, upload, asio::detached);
  for (int i = 0; i < 20; ++i) {
    auto fetch = [&]() -> Task<> {
      auto request = asking("POST", origin, share(Bytes(100'000)));
      auto got = co_await client.send(std::move(request));
      answers += got.has_value() && !is_stuck_over;
    };
    asio::co_spawn(loop, fetch, asio::detached);
  }
  loop.run();
  EXPECT_EQ(answers, 20);
}

TEST(HttpClientMethods, QueriesStandInNoMessage) {
  ScriptedOrigin origin([](Connection&, const ScriptedOrigin::Request&) { return false; });
  HttpClient client(quick(), kClock);
  auto got = send(client, request_of(origin.url("/a?X-Amz-Signature=secret")));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().message.find("secret"), std::string::npos) << got.error().message;
  EXPECT_NE(got.error().message.find("/a"), std::string::npos) << got.error().message;
}

}  // namespace
}  // namespace tintype
