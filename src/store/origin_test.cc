// SPDX-License-Identifier: Apache-2.0
// MemoryOrigin and HttpOrigin.
#include "store/origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/scripted_origin.h"
#include "store/http_origin.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const SystemClock kClock;

TEST(MemoryOrigin, GivesWhatWasPut) {
  MemoryOrigin origin;
  origin.put("b.jpg", Bytes{1, 2}, 77);
  origin.put("a.jpg", Bytes{3});
  auto got = run(origin.fetch("b.jpg", {}));
  ASSERT_TRUE(got);
  EXPECT_THAT(*got->bytes, ElementsAre(1, 2));
  EXPECT_EQ(got->modified_unix_seconds, 77);
  EXPECT_EQ(run(origin.fetch("c.jpg", {})).error().code, ErrorCode::NotFound);
  EXPECT_EQ(origin.fetches(), 2);
  EXPECT_THAT(*run(origin.list(9)), ElementsAre("a.jpg", "b.jpg"));
  EXPECT_THAT(*run(origin.list(1)), ElementsAre("a.jpg"));
  origin.remove("b.jpg");
  EXPECT_EQ(run(origin.fetch("b.jpg", {})).error().code, ErrorCode::NotFound);
}

TEST(MemoryOrigin, FailsAndRecoversOnRequest) {
  MemoryOrigin origin;
  origin.put("a.jpg", Bytes{1});
  origin.fail_with(ErrorCode::Timeout);
  origin.delay(Milliseconds(1));
  EXPECT_EQ(run(origin.fetch("a.jpg", {})).error().code, ErrorCode::Timeout);
  origin.fail_with(std::nullopt);
  EXPECT_TRUE(run(origin.fetch("a.jpg", {})));
  EXPECT_EQ(origin.fetches(), 2);
}

class HttpOrigin : public testing::Test {
 protected:
  // One fetch from an origin that always answers so.
  Result<Source> fetch(const std::string& answer, const std::string& path = "a.jpg") {
    ScriptedOrigin server([&](ScriptedOrigin::Connection& connection, const std::string&) {
      return connection.send(answer);
    });
    OriginRule rule = rule_;
    rule.kind = OriginRule::Kind::Http;
    rule.base_url = server.url("/assets/");
    auto origin = open_http_origin(rule, client_, kClock);
    auto got = run(origin->fetch(path, Deadline::after(kClock, Milliseconds(10'000))));
    heads_ = server.heads();
    return got;
  }

  OriginRule rule_{.headers = {{"X-Key", "k"}}, .allow_private_addresses = true};
  HttpClient client_{HttpClientSettings{}, kClock};
  std::vector<std::string> heads_;
};

TEST_F(HttpOrigin, JoinsThePathAndReadsTheHeaders) {
  auto got = fetch(
      ScriptedOrigin::answer(200, "picture",
                             "ETag: W/\"v1\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n"),
      "p/ä b?#%2e.jpg");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(text_of(*got->bytes), "picture");
  EXPECT_EQ(got->etag, "W/\"v1\"");
  EXPECT_EQ(got->modified_unix_seconds, 784111777);
  ASSERT_EQ(heads_.size(), 1u);
  EXPECT_THAT(heads_[0], HasSubstr("GET /assets/p/%C3%A4%20b%3F%23%252e.jpg HTTP/1.1\r\n"));
  EXPECT_THAT(heads_[0], HasSubstr("X-Key: k\r\n"));
}

TEST_F(HttpOrigin, UnknownTimeAndEtagStayEmpty) {
  auto got = fetch(ScriptedOrigin::answer(200, "x", "Last-Modified: yesterday\r\n"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->modified_unix_seconds, 0);
  EXPECT_EQ(got->etag, "");
}

TEST_F(HttpOrigin, StatusesBecomeCodes) {
  const std::vector<std::pair<int, ErrorCode>> expected{
      {404, ErrorCode::NotFound},     {410, ErrorCode::NotFound},
      {401, ErrorCode::Forbidden},    {403, ErrorCode::Forbidden},
      {201, ErrorCode::OriginFailed}, {206, ErrorCode::OriginFailed},
      {302, ErrorCode::OriginFailed}, {400, ErrorCode::OriginFailed},
      {429, ErrorCode::OriginFailed}, {500, ErrorCode::OriginFailed},
      {503, ErrorCode::OriginFailed}};
  for (auto [status, code] : expected) {
    auto got = fetch(ScriptedOrigin::answer(status, "body"));
    ASSERT_FALSE(got) << status;
    EXPECT_EQ(got.error().code, code) << status;
    EXPECT_EQ(got.error().detail, "") << "the origin is nobody's business outside";
  }
}

TEST_F(HttpOrigin, AShortOrCodedBodyIsNoSource) {
  EXPECT_EQ(fetch(ScriptedOrigin::answer(200, "x", "Content-Encoding: gzip\r\n")).error().code,
            ErrorCode::OriginFailed);
  EXPECT_TRUE(fetch(ScriptedOrigin::answer(200, "x", "Content-Encoding: identity\r\n")));
  ScriptedOrigin server([](ScriptedOrigin::Connection& connection, const std::string&) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort");
    return false;
  });
  rule_.base_url = server.url("/");
  auto got = run(open_http_origin(rule_, client_, kClock)->fetch("a.jpg", {}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::OriginFailed);
}

TEST_F(HttpOrigin, HoldsTheRulesLimits) {
  rule_.max_source_bytes = 4;
  EXPECT_EQ(fetch(ScriptedOrigin::answer(200, "12345")).error().code, ErrorCode::TooLarge);
  EXPECT_TRUE(fetch(ScriptedOrigin::answer(200, "1234")));
  rule_.timeout_ms = Milliseconds(100);
  EXPECT_EQ(fetch("HTTP/1.1 200 OK\r\n").error().code, ErrorCode::Timeout);
  rule_.allow_private_addresses = false;
  EXPECT_EQ(fetch(ScriptedOrigin::answer(200, "1234")).error().code, ErrorCode::Forbidden);
}

TEST_F(HttpOrigin, NamesTheTraceItFetchesFor) {
  ScriptedOrigin server([](ScriptedOrigin::Connection& connection, const std::string&) {
    return connection.send(ScriptedOrigin::answer(200, "x"));
  });
  rule_.base_url = server.url("/");
  auto origin = open_http_origin(rule_, client_, kClock);
  Deadline deadline = Deadline::after(kClock, Milliseconds(10'000));
  ASSERT_TRUE(run(origin->fetch("a.jpg", deadline)));
  deadline.trace.trace_id[15] = 7;
  deadline.trace.span_id[7] = 9;
  deadline.trace.is_sampled = true;
  ASSERT_TRUE(run(origin->fetch("a.jpg", deadline)));
  auto heads = server.heads();
  ASSERT_EQ(heads.size(), 2u);
  EXPECT_EQ(heads[0].find("traceparent"), std::string::npos);
  EXPECT_NE(
      heads[1].find("traceparent: 00-00000000000000000000000000000007-0000000000000009-01\r\n"),
      std::string::npos)
      << heads[1];
}

TEST_F(HttpOrigin, NeverAsksForAWayUp) {
  for (const char* path : {"../a.jpg", "p/../../a.jpg", "..", ".", "p/.", ""}) {
    auto got = fetch(ScriptedOrigin::answer(200, "x"), path);
    ASSERT_FALSE(got) << path;
    EXPECT_EQ(got.error().code, ErrorCode::NotFound);
    EXPECT_TRUE(heads_.empty());
  }
}

TEST_F(HttpOrigin, AsksConditionallyByEtagElseByDate) {
  std::atomic<int> asked{0};
  ScriptedOrigin server([&](ScriptedOrigin::Connection& connection, const std::string&) {
    return connection.send(++asked < 3 ? ScriptedOrigin::answer(304, "")
                                       : ScriptedOrigin::answer(200, "new"));
  });
  rule_.base_url = server.url("/");
  auto origin = open_http_origin(rule_, client_, kClock);
  auto ask = [&](SourceVersion known) {
    return run(origin->fetch_if_changed("a.jpg", std::move(known), {}));
  };
  auto by_etag = ask({.etag = "\"v1\"", .modified_unix_seconds = 784111777});
  ASSERT_TRUE(by_etag) << by_etag.error().message;
  EXPECT_FALSE(*by_etag);
  auto by_date = ask({.modified_unix_seconds = 784111777});
  ASSERT_TRUE(by_date) << by_date.error().message;
  EXPECT_FALSE(*by_date);
  EXPECT_TRUE(*ask({.etag = "\"v1\""}));
  EXPECT_TRUE(*ask({}));
  auto requests = server.requests();
  EXPECT_EQ(requests[0].header("if-none-match"), "\"v1\"");
  EXPECT_EQ(requests[0].header("if-modified-since"), "");
  EXPECT_EQ(requests[1].header("if-modified-since"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(requests[3].header("if-none-match") + requests[3].header("if-modified-since"), "");
}

TEST_F(HttpOrigin, A304ThatNobodyAskedForIsAFailure) {
  EXPECT_EQ(fetch(ScriptedOrigin::answer(304, "")).error().code, ErrorCode::OriginFailed);
}

TEST_F(HttpOrigin, CannotBeListed) {
  auto listed = run(open_http_origin(rule_, client_, kClock)->list(10));
  ASSERT_FALSE(listed);
  EXPECT_EQ(listed.error().code, ErrorCode::Unsupported);
}

}  // namespace
}  // namespace tintype
