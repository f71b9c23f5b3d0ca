// SPDX-License-Identifier: Apache-2.0
#include "net/aws_client.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"
#include "net/aws_signing.h"
#include "net/http_client_fixture.h"

namespace tintype {
namespace {

using Request = ScriptedOrigin::Request;
using Step = std::function<bool(Connection&)>;

Step answer(int status, std::string body = "x", std::string headers = {}) {
  auto text = ScriptedOrigin::answer(status, body, headers);
  return [text](Connection& connection) { return connection.send(text); };
}
Step xml_error(int status, std::string code, std::string headers = {}) {
  return answer(status, "<Error><Code>" + code + "</Code></Error>", std::move(headers));
}
Step json_error(std::string code, std::string message = {}) {
  return answer(400, R"({"__type":"com.amazonaws#)" + code + R"(","message":")" + message + "\"}");
}
Step reset() {
  return [](Connection& connection) {
    connection.reset();
    return false;
  };
}
Step silence() {
  return [](Connection& connection) {
    connection.wait(milliseconds(60'000));
    return false;
  };
}
Step torn() {
  return [](Connection& connection) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nshort");
    return false;
  };
}

// One step a request; the last goes on for ever.
ScriptedOrigin::Script in_turn(std::vector<Step> steps) {
  auto next = std::make_shared<std::atomic<std::size_t>>(0);
  return [steps = std::move(steps), next](Connection& connection, const Request&) {
    return steps[std::min((*next)++, steps.size() - 1)](connection);
  };
}

// Hands out K1, and the next one after each refusal if it may.
class CountedCredentials final : public AwsCredentialSource {
 public:
  explicit CountedCredentials(bool renews = true) : renews_(renews) {}
  Task<Result<AwsCredentials>> credentials(Deadline /*deadline*/) override {
    co_return AwsCredentials{"K" + std::to_string(number_), "secret", "token"};
  }
  void reject(const AwsCredentials& refused) override {
    rejected.push_back(refused.access_key_id);
    number_ += renews_ ? 1 : 0;
  }

  std::vector<std::string> rejected;

 private:
  bool renews_;
  int number_ = 1;
};

class NoCredentials final : public AwsCredentialSource {
 public:
  Task<Result<AwsCredentials>> credentials(Deadline /*deadline*/) override {
    co_return fail_private(ErrorCode::Forbidden, "none");
  }
  void reject(const AwsCredentials& /*refused*/) override {}
};

class AwsClientTest : public testing::Test {
 protected:
  static AwsClientSettings hasty() {
    AwsClientSettings settings;
    settings.base_backoff_ms = Milliseconds(1);
    settings.max_backoff_ms = Milliseconds(4);
    return settings;
  }
  static AwsCall call_to(const ScriptedOrigin& origin) {
    AwsCall call;
    call.service = "s3";
    call.region = "eu-central-1";
    call.base_url = origin.url("");
    call.path = "/bucket/a.jpg";
    return call;
  }
  Result<IncomingResponse> make(AwsCall call) { return run_to_end(client_->call(std::move(call))); }
  void restart(AwsClientSettings settings) {
    client_ = std::make_unique<AwsClient>(http_, credentials_, clock_, settings);
  }
  std::string outcome_of(AwsCall call) {
    auto got = make(std::move(call));
    return got ? std::to_string(got->status) : std::string(name_of(got.error().code));
  }

  ManualClock clock_;
  HttpClient http_{quick(), kClock};
  CountedCredentials credentials_;
  std::unique_ptr<AwsClient> client_ =
      std::make_unique<AwsClient>(http_, credentials_, clock_, hasty());
};

// ---- what is sent

// The service's half: makes the signature anew from what came over the wire.
std::string expected_signature(const Request& seen, const AwsScope& scope, std::int64_t time) {
  AwsSigningRequest request;
  request.method = seen.method;
  request.host = seen.header("host");
  auto question = seen.target.find('?');
  request.path = seen.target.substr(0, question);
  if (question != std::string::npos) {
    for (std::string_view pair : split(std::string_view(seen.target).substr(question + 1), '&')) {
      auto equals = pair.find('=');
      request.query.emplace_back(*percent_decode(pair.substr(0, equals)),
                                 *percent_decode(pair.substr(equals + 1)));
    }
  }
  request.headers = {{"x-amz-meta-a", seen.header("x-amz-meta-a")},
                     {"content-type", seen.header("content-type")}};
  request.payload_hash = aws_payload_hash(view_of(seen.body));
  AwsSigner signer;
  return signer.sign(request, {"K1", "secret", "token"}, scope, time).back().second;
}

TEST_F(AwsClientTest, SignsWhatGoesOverTheWire) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  for (const char* service : {"s3", "dynamodb"}) {
    AwsCall call = call_to(origin);
    call.service = service;
    call.method = "PUT";
    call.path = "/bucket/a b/\u00e9+=,:(')@!*$&;%?#//~[]{}\\^|<>";
    call.query = {{"x-id", "Put/Object"}, {"acl", ""}, {"a b", "\u00e9&="}};
    call.headers = {{"X-Amz-Meta-A", "  two   words "}, {"Content-Type", "image/avif"}};
    call.body = share(Bytes{1, 2, 3});
    ASSERT_EQ(outcome_of(std::move(call)), "200");
    auto seen = origin.requests().back();
    EXPECT_EQ(seen.header("authorization"),
              expected_signature(seen, {"eu-central-1", service}, clock_.unix_seconds()));
    EXPECT_EQ(seen.header("host"), "127.0.0.1:" + std::to_string(origin.port()));
    EXPECT_EQ(seen.header("x-amz-security-token"), "token");
    EXPECT_EQ(seen.body, std::string("\1\2\3"));
    EXPECT_TRUE(seen.target.starts_with("/bucket/a%20b/%C3%A9%2B%3D%2C%3A%28%27%29%40%21%2A%24"))
        << seen.target;
    EXPECT_TRUE(seen.target.ends_with("?a%20b=%C3%A9%26%3D&acl=&x-id=Put%2FObject"));
  }
}

TEST_F(AwsClientTest, ADotSegmentWouldNotArriveAndIsNotSent) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  for (const char* path : {"/bucket/../other", "/bucket/.", "/./a"}) {
    AwsCall call = call_to(origin);
    call.path = path;
    EXPECT_EQ(outcome_of(std::move(call)), "not-found");
  }
  EXPECT_EQ(origin.connections(), 0);
}

TEST_F(AwsClientTest, WithoutCredentialsNothingIsSent) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  NoCredentials none;
  AwsClient client(http_, none, clock_);
  auto got = run_to_end(client.call(call_to(origin)));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::Forbidden);
  EXPECT_EQ(origin.connections(), 0);
}

TEST_F(AwsClientTest, WhatTheServiceMeansIsNotAskedTwice) {
  for (auto& [status, code] : std::vector<std::pair<int, std::string>>{{200, ""},
                                                                       {301, "PermanentRedirect"},
                                                                       {304, ""},
                                                                       {403, "AccessDenied"},
                                                                       {404, "NoSuchKey"},
                                                                       {409, "BucketNotEmpty"},
                                                                       {412, "PreconditionFailed"},
                                                                       {501, "NotImplemented"}}) {
    auto text = status == 304 ? Step([](Connection& connection) {
      return connection.send("HTTP/1.1 304 Not Modified\r\n\r\n");
    })
                              : xml_error(status, code, "Location: /elsewhere\r\n");
    ScriptedOrigin origin(in_turn({text}));
    EXPECT_EQ(outcome_of(call_to(origin)), std::to_string(status));
    EXPECT_EQ(origin.requests().size(), 1u) << status;
  }
  EXPECT_EQ(client_->counts().calls, 8u);
  EXPECT_EQ(client_->counts().retries, 0u);
  EXPECT_TRUE(credentials_.rejected.empty());
}

TEST_F(AwsClientTest, AnAddressThatMayNotBeReachedIsRefusedOnce) {
  ScriptedOrigin origin(always(ScriptedOrigin::answer(200, "x")));
  AwsCall call = call_to(origin);
  call.allow_private_addresses = false;
  EXPECT_EQ(outcome_of(std::move(call)), "forbidden");
  EXPECT_EQ(client_->counts().retries, 0u);
}

// ---- retries

TEST_F(AwsClientTest, WhatPassesIsTriedAgain) {
  std::vector<Step> faults{answer(500),
                           answer(502),
                           answer(503),
                           answer(504),
                           answer(429),
                           xml_error(503, "SlowDown"),
                           xml_error(400, "RequestTimeout"),
                           xml_error(409, "ConditionalRequestConflict"),
                           json_error("ThrottlingException"),
                           json_error("ProvisionedThroughputExceededException"),
                           reset(),
                           torn()};
  for (std::size_t i = 0; i < faults.size(); ++i) {
    ScriptedOrigin origin(in_turn({faults[i], answer(200)}));
    EXPECT_EQ(outcome_of(call_to(origin)), "200") << i;
    EXPECT_EQ(origin.requests().size(), 2u) << i;
  }
  EXPECT_EQ(client_->counts().retries, faults.size());
  EXPECT_EQ(client_->counts().throttled, 4u);
}

TEST_F(AwsClientTest, ASlowAttemptIsGivenUpForAnother) {
  ScriptedOrigin origin(in_turn({silence(), answer(200)}));
  AwsCall call = call_to(origin);
  call.timeout_ms = Milliseconds(100);
  EXPECT_EQ(outcome_of(std::move(call)), "200");
  EXPECT_EQ(origin.requests().size(), 2u);
}

TEST_F(AwsClientTest, WhatMayHaveBeenDoneIsDoneOnce) {
  for (const Step& fault : {answer(500), answer(503), reset(), torn(), silence()}) {
    ScriptedOrigin origin(in_turn({fault, answer(200)}));
    AwsCall call = call_to(origin);
    call.method = "POST";
    call.is_idempotent = false;
    call.timeout_ms = Milliseconds(100);
    EXPECT_NE(outcome_of(std::move(call)), "200");
    EXPECT_EQ(origin.requests().size(), 1u);
  }
}

TEST_F(AwsClientTest, WhatWasCertainlyNotDoneIsTriedAgain) {
  for (const Step& fault : {xml_error(503, "SlowDown"), json_error("ThrottlingException")}) {
    ScriptedOrigin origin(in_turn({fault, answer(200)}));
    AwsCall call = call_to(origin);
    call.method = "POST";
    call.is_idempotent = false;
    EXPECT_EQ(outcome_of(std::move(call)), "200");
  }
  auto before = client_->counts().retries;
  AwsCall call;
  {
    ScriptedOrigin gone(always(""));
    call = call_to(gone);
  }
  call.method = "POST";
  call.is_idempotent = false;
  EXPECT_EQ(outcome_of(std::move(call)), "origin-failed");
  EXPECT_EQ(client_->counts().retries - before, 2u) << "nobody was listening";
}

TEST_F(AwsClientTest, TheLastAnswerIsGivenWhenTheAttemptsAreUsedUp) {
  ScriptedOrigin origin(in_turn({reset(), answer(500), xml_error(503, "SlowDown"), answer(200)}));
  EXPECT_EQ(outcome_of(call_to(origin)), "503");
  EXPECT_EQ(origin.requests().size(), 3u);
}

TEST_F(AwsClientTest, RetriesEndWhenTheTokensDo) {
  auto settings = hasty();
  settings.retry_tokens = 12;
  restart(settings);
  ScriptedOrigin down(always(ScriptedOrigin::answer(500, "x")));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(outcome_of(call_to(down)), "500");
  EXPECT_EQ(down.requests().size(), 5u + 2u) << "two retries for 10 of the 12 tokens";
  ScriptedOrigin up(always(ScriptedOrigin::answer(200, "x")));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(outcome_of(call_to(up)), "200");
  EXPECT_EQ(outcome_of(call_to(down)), "500");
  EXPECT_EQ(down.requests().size(), 7u + 2u) << "three good calls gave three tokens back";
  for (int i = 0; i < 40; ++i) outcome_of(call_to(up));
  for (int i = 0; i < 5; ++i) outcome_of(call_to(down));
  EXPECT_EQ(down.requests().size(), 9u + 5u + 2u) << "but never more than there were";
}

TEST_F(AwsClientTest, ATimeoutCostsTwice) {
  auto settings = hasty();
  settings.retry_tokens = 12;
  restart(settings);
  ScriptedOrigin origin(in_turn({silence()}));
  AwsCall call = call_to(origin);
  call.timeout_ms = Milliseconds(60);
  EXPECT_EQ(outcome_of(std::move(call)), "timeout");
  EXPECT_EQ(origin.requests().size(), 2u);
}

// The test would take an hour if the wait were begun.
TEST_F(AwsClientTest, AWaitThatWouldPassTheDeadlineIsNotBegun) {
  auto settings = hasty();
  settings.max_backoff_ms = std::chrono::hours(1);
  AwsClient client(http_, credentials_, kClock, settings);
  ScriptedOrigin origin(in_turn({answer(503, "x", "Retry-After: 3600\r\n"), answer(200)}));
  AwsCall call = call_to(origin);
  call.deadline = Deadline::after(kClock, Milliseconds(10'000));
  auto got = run_to_end(client.call(std::move(call)));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->status, 503);
  EXPECT_EQ(origin.requests().size(), 1u);
}

TEST_F(AwsClientTest, RetryAfterIsHeardUpToTheLongestWait) {
  for (std::string value : {std::string("3600"), http_date(clock_.unix_seconds() + 3'600),
                            std::string("-1"), std::string("soon")}) {
    ScriptedOrigin origin(
        in_turn({answer(503, "x", "Retry-After: " + value + "\r\n"), answer(200)}));
    EXPECT_EQ(outcome_of(call_to(origin)), "200") << value;
  }
}

// ---- clocks and credentials

std::string date_at(std::int64_t time) {
  return "Date: " + http_date(time) + "\r\n";
}

// Takes signatures of its own time only.
ScriptedOrigin::Script at(std::int64_t time, Step refusal) {
  return [time, refusal](Connection& connection, const Request& request) {
    bool is_now = request.header("x-amz-date") == aws_date(time);
    return is_now ? connection.send(ScriptedOrigin::answer(200, "x")) : refusal(connection);
  };
}

TEST_F(AwsClientTest, FollowsTheServicesClock) {
  for (std::int64_t skew : {3'600, -86'400}) {
    restart(hasty());
    std::int64_t time = clock_.unix_seconds() + skew;
    ScriptedOrigin origin(at(time, xml_error(403, "RequestTimeTooSkewed", date_at(time))));
    EXPECT_EQ(outcome_of(call_to(origin)), "200");
    EXPECT_EQ(origin.requests().size(), 2u);
    EXPECT_EQ(outcome_of(call_to(origin)), "200");
    EXPECT_EQ(origin.requests().size(), 3u) << "the offset is kept";
  }
}

TEST_F(AwsClientTest, FollowsTheClockOfServicesThatSpeakJson) {
  for (const char* message : {"Signature expired: 20230101T000000Z is now earlier than …",
                              "Signature not yet current: 20230101T000000Z is …"}) {
    restart(hasty());
    std::int64_t time = clock_.unix_seconds() + 400;
    auto body = std::string(R"({"__type":"x#InvalidSignatureException","message":")") + message;
    ScriptedOrigin origin(at(time, answer(400, body + "\"}", date_at(time))));
    EXPECT_EQ(outcome_of(call_to(origin)), "200") << message;
  }
}

TEST_F(AwsClientTest, AClockIsSetOncePerCall) {
  std::int64_t time = clock_.unix_seconds() + 3'600;
  ScriptedOrigin origin(in_turn({xml_error(403, "RequestTimeTooSkewed", date_at(time))}));
  EXPECT_EQ(outcome_of(call_to(origin)), "403");
  EXPECT_EQ(origin.requests().size(), 2u);
  ScriptedOrigin dateless(in_turn({xml_error(403, "RequestTimeTooSkewed")}));
  EXPECT_EQ(outcome_of(call_to(dateless)), "403");
  EXPECT_EQ(dateless.requests().size(), 1u);
}

TEST_F(AwsClientTest, AWordlessRefusalMeansTheClockOnlyIfThatIsFarOff) {
  auto refusal_at = [](std::int64_t time) {
    std::string text = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n" + date_at(time) + "\r\n";
    return Step([text](Connection& connection) { return connection.send(text); });
  };
  std::int64_t far = clock_.unix_seconds() + 301, near = clock_.unix_seconds() + 300;
  ScriptedOrigin near_origin(in_turn({refusal_at(near)}));
  ScriptedOrigin far_origin(in_turn({refusal_at(far)}));
  for (int i = 0; i < 2; ++i) {
    AwsCall head = call_to(near_origin);
    head.method = "HEAD";
    EXPECT_EQ(outcome_of(head), "403");
  }
  EXPECT_EQ(near_origin.requests().size(), 2u);
  for (int i = 0; i < 2; ++i) {
    AwsCall head = call_to(far_origin);
    head.method = "HEAD";
    EXPECT_EQ(outcome_of(head), "403");
  }
  EXPECT_EQ(far_origin.requests().size(), 3u) << "the first of them was tried again";
}

TEST_F(AwsClientTest, RefusedCredentialsAreReplacedOnce) {
  ScriptedOrigin origin(in_turn({xml_error(400, "ExpiredToken"), answer(200)}));
  EXPECT_EQ(outcome_of(call_to(origin)), "200");
  EXPECT_EQ(credentials_.rejected, std::vector<std::string>{"K1"});
  EXPECT_NE(origin.requests().at(1).header("authorization").find("K2/"), std::string::npos);
  ScriptedOrigin hard(in_turn({json_error("UnrecognizedClientException")}));
  EXPECT_EQ(outcome_of(call_to(hard)), "400");
  EXPECT_EQ(hard.requests().size(), 2u);
}

TEST_F(AwsClientTest, TheSameCredentialsAreNotShownTwice) {
  CountedCredentials same(false);
  AwsClient client(http_, same, clock_, hasty());
  ScriptedOrigin origin(in_turn({xml_error(403, "InvalidAccessKeyId")}));
  auto got = run_to_end(client.call(call_to(origin)));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->status, 403);
  EXPECT_EQ(origin.requests().size(), 1u);
  EXPECT_EQ(same.rejected.size(), 1u);
}

}  // namespace
}  // namespace tintype
