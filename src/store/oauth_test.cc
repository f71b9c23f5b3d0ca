// SPDX-License-Identifier: Apache-2.0
// OAuthTokens, and HttpOrigin with them.
#include "store/oauth.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/scripted_origin.h"
#include "store/http_origin.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::Not;

class OAuth : public testing::Test {
 protected:
  // Answers /token by the script, numbered from 1; /assets/ with what it was shown.
  void serve(std::function<std::string(int number)> token) {
    server_ = std::make_unique<ScriptedOrigin>(
        [this, token = std::move(token)](ScriptedOrigin::Connection& connection,
                                         const ScriptedOrigin::Request& request) {
          if (request.target == "/token") return connection.send(token(++tokens_));
          std::string shown = request.header("authorization");
          int status = shown == refused_ ? 401 : 200;
          return connection.send(ScriptedOrigin::answer(status, shown));
        });
    rule_ = {.token_url = server_->url("/token"),
             .client_id = "id:1",
             .client_secret = "hush &",
             .scope = "api read"};
  }
  static std::string numbered(int number, const std::string& more = ",\"expires_in\":100") {
    return ScriptedOrigin::answer(200, "{\"access_token\":\"t" + std::to_string(number) +
                                           "\",\"token_type\":\"Bearer\"" + more + "}");
  }
  OAuthTokens open() { return OAuthTokens(rule_, true, http_, clock_); }
  Result<std::string> token(OAuthTokens& tokens) {
    return run(tokens.token(Deadline::after(clock_, Milliseconds(20'000))));
  }

  ManualClock clock_;
  HttpClient http_{HttpClientSettings{}, clock_};
  std::atomic<int> tokens_{0};
  std::string refused_;
  std::unique_ptr<ScriptedOrigin> server_;
  OAuthRule rule_;
};

TEST_F(OAuth, AsksAsTheStandardSays) {
  serve([](int number) { return numbered(number); });
  auto tokens = open();
  EXPECT_EQ(token(tokens), "t1");
  auto request = server_->requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.header("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.body, "grant_type=client_credentials&scope=api%20read");
  // base64("id%3A1:hush%20%26")
  EXPECT_EQ(request.header("authorization"), "Basic aWQlM0ExOmh1c2glMjAlMjY=");
}

TEST_F(OAuth, KeepsATokenAndReplacesItAheadOfItsEnd) {
  serve([](int number) { return numbered(number); });
  auto tokens = open();
  EXPECT_EQ(token(tokens), "t1");
  clock_.advance(Milliseconds(89'000));
  EXPECT_EQ(token(tokens), "t1");
  EXPECT_EQ(tokens_, 1);
  clock_.advance(Milliseconds(2'000));
  EXPECT_EQ(token(tokens), "t1") << "behind this call a new one is made";
  EXPECT_EQ(tokens_, 2);
  EXPECT_EQ(token(tokens), "t2");
  clock_.advance(Milliseconds(200'000));
  EXPECT_EQ(token(tokens), "t3") << "the old one is dead";
}

TEST_F(OAuth, AFailedRefreshLeavesTheLivingToken) {
  serve([](int number) {
    return number == 1 ? numbered(1) : ScriptedOrigin::answer(503, "{\"error\":\"overloaded\"}");
  });
  auto tokens = open();
  token(tokens).value();
  clock_.advance(Milliseconds(95'000));
  EXPECT_EQ(token(tokens), "t1");
  EXPECT_EQ(token(tokens), "t1");
  EXPECT_EQ(tokens_, 2) << "not tried again at once";
  clock_.advance(Milliseconds(5'000));
  auto dead = token(tokens);
  ASSERT_FALSE(dead);
  EXPECT_EQ(dead.error().code, ErrorCode::OriginFailed);
}

TEST_F(OAuth, ManyAskForOneToken) {
  serve([](int number) { return numbered(number); });
  auto tokens = open();
  asio::io_context loop;
  int answered = 0;
  auto ask = [&]() -> Task<> {
    auto got = co_await tokens.token(Deadline::after(clock_, Milliseconds(20'000)));
    if (got && *got == "t1") ++answered;
  };
  for (int i = 0; i < 50; ++i) asio::co_spawn(loop, ask(), asio::detached);
  loop.run();
  EXPECT_EQ(answered, 50);
  EXPECT_EQ(tokens_, 1);
}

TEST_F(OAuth, ReadsLivesOfAllKinds) {
  serve([](int number) {
    return numbered(number, number == 1   ? ",\"expires_in\":\"50\""
                            : number == 2 ? ""
                                          : ",\"expires_in\":-5");
  });
  auto tokens = open();
  EXPECT_EQ(token(tokens), "t1");
  clock_.advance(Milliseconds(51'000));
  EXPECT_EQ(token(tokens), "t2");
  clock_.advance(Milliseconds(269'000));
  EXPECT_EQ(token(tokens), "t2") << "300 s where none is named";
  clock_.advance(Milliseconds(40'000));
  EXPECT_EQ(token(tokens), "t3");
}

TEST_F(OAuth, AnswersThatAreNoTokenAreFailures) {
  const std::vector<std::pair<std::string, const char*>> answers{
      {ScriptedOrigin::answer(401, "{\"error\":\"invalid_client\"}"), "status 401 invalid_client"},
      {ScriptedOrigin::answer(400, "{\"error\":\"Secret hush & shown\"}"), "status 400"},
      {ScriptedOrigin::answer(200, "<html>"), "no JSON object"},
      {ScriptedOrigin::answer(200, "[]"), "no JSON object"},
      {ScriptedOrigin::answer(200, "{}"), "no access_token"},
      {ScriptedOrigin::answer(200, "{\"access_token\":7}"), "no access_token"},
      {ScriptedOrigin::answer(200, "{\"access_token\":\"\"}"), "that is none"},
      {ScriptedOrigin::answer(200, "{\"access_token\":\"a\\r\\nX: b\"}"), "that is none"},
      {ScriptedOrigin::answer(200, "{\"access_token\":\"a\",\"token_type\":\"mac\"}"),
       "no bearer token"}};
  for (const auto& [answer, says] : answers) {
    serve([answer = answer](int) { return answer; });
    auto tokens = open();
    auto got = token(tokens);
    ASSERT_FALSE(got) << answer;
    EXPECT_EQ(got.error().code, ErrorCode::OriginFailed);
    EXPECT_THAT(got.error().message, HasSubstr(says));
    EXPECT_THAT(got.error().message, Not(HasSubstr("hush")));
    EXPECT_EQ(got.error().detail, "");
  }
}

TEST_F(OAuth, TheOriginIsShownTheTokenAndARefusedOneIsMadeAnewOnce) {
  serve([](int number) { return numbered(number); });
  OriginRule rule{.kind = OriginRule::Kind::Http,
                  .base_url = server_->url("/assets/"),
                  .oauth = rule_,
                  .allow_private_addresses = true};
  auto origin = open_http_origin(rule, http_, clock_);
  auto fetch = [&] {
    return run(origin->fetch("a.jpg", Deadline::after(clock_, Milliseconds(20'000))));
  };
  EXPECT_EQ(text_of(*fetch()->bytes), "Bearer t1");
  refused_ = "Bearer t1";
  EXPECT_EQ(text_of(*fetch()->bytes), "Bearer t2");
  EXPECT_EQ(text_of(*fetch()->bytes), "Bearer t2");
  EXPECT_EQ(tokens_, 2);
}

TEST_F(OAuth, AnOriginThatRefusesEveryTokenIsForbidden) {
  serve([](int) { return numbered(1); });
  refused_ = "Bearer t1";
  OriginRule rule{.kind = OriginRule::Kind::Http,
                  .base_url = server_->url("/assets/"),
                  .oauth = rule_,
                  .allow_private_addresses = true};
  auto origin = open_http_origin(rule, http_, clock_);
  auto got = run(origin->fetch("a.jpg", Deadline::after(clock_, Milliseconds(20'000))));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::Forbidden);
  EXPECT_EQ(tokens_, 2);
}

}  // namespace
}  // namespace tintype
