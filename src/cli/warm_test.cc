// SPDX-License-Identifier: Apache-2.0
#include "cli/warm.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/naming.h"
#include "delivery/standard_variants.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;
using testing::UnorderedElementsAre;

SharedPolicy policy_of(const std::string& more = {}) {
  auto policy = parse_policy(
      "sites:\n  shop:\n    origin: { folder: x }\n    formats: [webp]\n"
      "    presets: { card: 'w=400' }\n" +
          more,
      "/etc");
  EXPECT_TRUE(policy) << policy.error().detail;
  return std::make_shared<const Policy>(std::move(*policy));
}

class WarmTest : public testing::Test {
 protected:
  WarmTest() : policy_(policy_of()), plan_(plan_of(policy_->sites.at("shop"))) {}

  static WarmPlan plan_of(const SitePolicy& site) {
    return {.site = site,
            .sources = {"a.jpg", "b.jpg"},
            .presets = {"card"},
            .accepts = accepts_of(site),
            .servers = {"http://one"},
            .rate_per_second = 1e6,
            .at_once = 2,
            .tries = 3};
  }

  Task<Result<WarmReply>> ask(std::string url) {
    asked_.push_back(url);
    if (stop_after_ > 0 && --stop_after_ == 0) run_->stop();
    auto answers = answers_.find(url);
    if (answers == answers_.end() || answers->second.empty()) {
      co_return WarmReply{.status = 200, .size_bytes = 10};
    }
    int status = answers->second.front();
    answers->second.erase(answers->second.begin());
    if (status == 0) co_return fail_public(ErrorCode::OriginFailed, "connection refused");
    co_return WarmReply{.status = status, .size_bytes = 10};
  }

  const WarmReport& run() {
    WarmRun::Parts parts{.ask = [this](std::string url) { return ask(std::move(url)); },
                         .on_step = [this](bool) { ++steps_; },
                         .state = state_,
                         .clock = clock_};
    run_ = std::make_unique<WarmRun>(plan_, std::move(parts));
    auto work = [this]() -> Task<> { co_await run_->run(); };
    asio::co_spawn(loop_, work(), asio::detached);
    // Sleeps are the loop's; the clock runs while it waits.
    while (loop_.run_one_for(Milliseconds(1'000)) > 0) clock_.advance(Milliseconds(1'000));
    loop_.restart();
    return run_->report();
  }

  SharedPolicy policy_;
  WarmPlan plan_;
  WarmState state_ = *WarmState::open("", "shop");
  ManualClock clock_;
  asio::io_context loop_;
  std::unique_ptr<WarmRun> run_;
  std::vector<std::string> asked_;
  std::map<std::string, std::vector<int>> answers_;
  int steps_ = 0, stop_after_ = 0;
};

TEST_F(WarmTest, AsksForEverythingOnce) {
  const WarmReport& report = run();
  EXPECT_THAT(asked_, UnorderedElementsAre("http://one/shop/a.jpg/_/w-400.webp",
                                           "http://one/shop/a.jpg/_/w-400.jpeg",
                                           "http://one/shop/b.jpg/_/w-400.webp",
                                           "http://one/shop/b.jpg/_/w-400.jpeg"));
  EXPECT_EQ(report.done, 4u);
  EXPECT_EQ(report.size_bytes, 40);
  EXPECT_TRUE(report.is_complete);
  EXPECT_EQ(steps_, 4);
}

TEST_F(WarmTest, GoesOnWhereARunStopped) {
  stop_after_ = 2;
  WarmReport first = run();
  EXPECT_FALSE(first.is_complete);
  EXPECT_LT(first.done, 4u);
  const WarmReport& second = run();
  EXPECT_TRUE(second.is_complete);
  EXPECT_EQ(second.skipped, first.done);
  EXPECT_EQ(second.done + first.done, 4u);
  EXPECT_THAT(asked_, SizeIs(4));
}

TEST_F(WarmTest, ABusyServerIsAskedAgain) {
  plan_.sources = {"a.jpg"};
  answers_["http://one/shop/a.jpg/_/w-400.webp"] = {503, 503};
  answers_["http://one/shop/a.jpg/_/w-400.jpeg"] = {0, 429};
  const WarmReport& report = run();
  EXPECT_EQ(report.done, 2u);
  EXPECT_EQ(report.failed, 0u);
  EXPECT_EQ(report.held_back, 3u);
  EXPECT_THAT(asked_, SizeIs(6));
}

TEST_F(WarmTest, WhatCannotBeMadeIsListed) {
  answers_["http://one/shop/a.jpg/_/w-400.webp"] = {404};
  answers_["http://one/shop/b.jpg/_/w-400.jpeg"] = {0, 0, 0};
  answers_["http://one/shop/b.jpg/_/w-400.webp"] = {502, 504, 500};
  const WarmReport& report = run();
  EXPECT_EQ(report.done, 1u);
  EXPECT_EQ(report.failed, 3u);
  EXPECT_TRUE(report.is_complete);
  EXPECT_THAT(
      report.faults,
      UnorderedElementsAre(std::pair("http://one/shop/a.jpg/_/w-400.webp", "answered with 404"),
                           std::pair("http://one/shop/b.jpg/_/w-400.jpeg", "connection refused"),
                           std::pair("http://one/shop/b.jpg/_/w-400.webp", "answered with 500")));
  // The next run asks for those again, and for nothing else.
  asked_.clear();
  EXPECT_EQ(run().done, 3u);
  EXPECT_THAT(asked_, SizeIs(3));
}

TEST_F(WarmTest, APresetThatIsNotThereIsAFaultOfEachSource) {
  plan_.presets = {"zoom"};
  const WarmReport& report = run();
  EXPECT_EQ(report.failed, 2u);
  EXPECT_THAT(report.faults.at(0).second, HasSubstr("zoom"));
}

TEST_F(WarmTest, ServersTakeTurnsOrAreAllAsked) {
  plan_.sources = {"a.jpg"};
  plan_.at_once = 1;
  plan_.servers = {"http://one", "http://two"};
  run();
  EXPECT_THAT(asked_, ElementsAre("http://one/shop/a.jpg/_/w-400.webp",
                                  "http://two/shop/a.jpg/_/w-400.jpeg"));
  asked_.clear();
  plan_.each_server = true;
  EXPECT_EQ(run().done, 4u);
  EXPECT_THAT(asked_, SizeIs(4));
}

TEST(WarmPace, KeepsTheRate) {
  WarmPace pace(10);
  Steady start{};
  EXPECT_EQ(pace.take(start), start);
  EXPECT_EQ(pace.take(start), start + Milliseconds(100));
  EXPECT_EQ(pace.take(start), start + Milliseconds(200));
  // Time that nobody used is not saved up.
  EXPECT_EQ(pace.take(start + Seconds(9)), start + Seconds(9));
  EXPECT_EQ(pace.take(start + Seconds(9)), start + Milliseconds(9'100));
}

TEST(WarmPace, HalvesAndComesBack) {
  WarmPace pace(16);
  Steady start{};
  pace.was_refused(start, 7);
  EXPECT_EQ(pace.take(start), start + Seconds(7));
  EXPECT_DOUBLE_EQ(pace.rate_per_second(), 8);
  for (int i = 0; i < 20; ++i) pace.was_refused(start, 0);
  EXPECT_DOUBLE_EQ(pace.rate_per_second(), 0.5);
  for (int i = 0; i < 200; ++i) pace.went_well();
  EXPECT_DOUBLE_EQ(pace.rate_per_second(), 16);
  pace.was_refused(start + Seconds(100), 86'400);
  EXPECT_EQ(pace.take(start), start + Seconds(160));
  WarmPace slow(0.1);
  slow.was_refused(start, 1);
  EXPECT_DOUBLE_EQ(slow.rate_per_second(), 0.1);
}

TEST(WarmUrl, IsSignedWhereTheSiteSigns) {
  SharedPolicy plain = policy_of(),
               strict = policy_of("    signing: { keys: [0123456789abcdef] }\n");
  const std::string path = "/shop/a%20b.jpg/_/w-400.webp";
  EXPECT_EQ(warm_url(plain->sites.at("shop"), "http://one", path), "http://one" + path);
  std::string url = warm_url(strict->sites.at("shop"), "", path);
  auto named = name_variant({.target = url}, strict, 1);
  ASSERT_TRUE(named) << named.error().detail;
  EXPECT_EQ(named->path, path);
  EXPECT_FALSE(name_variant({.target = path}, strict, 1));
}

}  // namespace
}  // namespace tintype
