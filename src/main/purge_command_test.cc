// SPDX-License-Identifier: Apache-2.0
#include "main/purge_command.h"

#include <cstdlib>
#include <mutex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/purge_report.h"
#include "net/scripted_origin.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A service's admin port: counts what the test says, and is done after so many questions.
class PurgeCommandTest : public testing::Test {
 protected:
  PurgeCommandTest()
      : admin_(
            [this](ScriptedOrigin::Connection& connection, const ScriptedOrigin::Request& request) {
              return connection.send(answer(request));
            }) {
    ::setenv("TINTYPE_ADMIN_TOKEN", "secret-token-for-tests", 1);
    arguments_.servers = {admin_.url("")};
    arguments_.site = "shop";
    arguments_.source = "a.jpg";
  }
  ~PurgeCommandTest() override { ::unsetenv("TINTYPE_ADMIN_TOKEN"); }

  std::string answer(const ScriptedOrigin::Request& request) {
    std::lock_guard lock(mutex_);
    tokens_.push_back(request.header("authorization"));
    if (status_ != 0) return ScriptedOrigin::answer(status_, R"({"detail":"no such token"})");
    PurgeReport report;
    report.id = "id-1";
    report.counts = {.memory = 1, .disk = 2, .store = stored_, .edge_paths = 1};
    if (request.method == "POST") {
      orders_.push_back(request.body);
      report.order = *parse_purge_order(request.body);
      bool is_long = questions_ > 0 && !report.order.dry_run;
      report.state = is_long ? PurgeReport::State::Running : PurgeReport::State::Done;
      order_ = report.order;
      return ScriptedOrigin::answer(is_long ? 202 : 200, as_json(report));
    }
    asked_.push_back(request.target);
    report.order = order_;
    report.state = --questions_ > 0 ? PurgeReport::State::Running : final_state_;
    if (report.state == PurgeReport::State::Failed) report.error = "store: timeout";
    return ScriptedOrigin::answer(200, as_json(report));
  }
  int run() {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    int code = run_purge(arguments_);
    out_ = testing::internal::GetCapturedStdout();
    err_ = testing::internal::GetCapturedStderr();
    return code;
  }

  std::mutex mutex_;
  std::vector<std::string> orders_, asked_, tokens_;
  PurgeOrder order_;
  std::uint64_t stored_ = 3;
  int questions_ = 0, status_ = 0;
  PurgeReport::State final_state_ = PurgeReport::State::Done;
  ScriptedOrigin admin_;
  PurgeArguments arguments_;
  std::string out_, err_;
};

constexpr const char* kDry = R"({"site":"shop","source":"a.jpg","dry_run":true})";
constexpr const char* kReal = R"({"site":"shop","source":"a.jpg"})";

TEST_F(PurgeCommandTest, CountsFirstThenPurges) {
  EXPECT_EQ(run(), 0) << err_;
  EXPECT_THAT(orders_, ElementsAre(kDry, kReal));
  EXPECT_THAT(tokens_,
              ElementsAre("Bearer secret-token-for-tests", "Bearer secret-token-for-tests"));
  EXPECT_THAT(out_, HasSubstr("source a.jpg of shop would lose:"));
  EXPECT_THAT(out_, HasSubstr(admin_.url("") + "           1           2           3           1"));
  EXPECT_THAT(out_, HasSubstr("purged:"));
}

TEST_F(PurgeCommandTest, ADryRunIsAll) {
  arguments_.dry_run = true;
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(orders_, ElementsAre(kDry));
}

TEST_F(PurgeCommandTest, ManyWantAYes) {
  stored_ = 1'000;
  EXPECT_EQ(run(), 2);
  EXPECT_THAT(err_, HasSubstr("1003 variants would go; say --yes"));
  EXPECT_THAT(orders_, ElementsAre(kDry));
  arguments_.yes = true;
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(orders_, ElementsAre(kDry, kDry, kReal));
}

TEST_F(PurgeCommandTest, ALongOneIsFollowedToItsEnd) {
  questions_ = 2;
  EXPECT_EQ(run(), 0) << err_;
  EXPECT_THAT(asked_, ElementsAre("/_/purge/id-1", "/_/purge/id-1"));
  EXPECT_THAT(err_, HasSubstr("6/6 variants"));
}

TEST_F(PurgeCommandTest, AFailureIsSaid) {
  questions_ = 1;
  final_state_ = PurgeReport::State::Failed;
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err_, HasSubstr("store: timeout"));
  status_ = 401;
  EXPECT_EQ(run(), 1);
  EXPECT_THAT(err_, HasSubstr("answered 401: \"no such token\""));
}

TEST_F(PurgeCommandTest, SeveralServicesAreAskedInTurn) {
  arguments_.servers.push_back(admin_.url("/"));
  EXPECT_EQ(run(), 0);
  EXPECT_THAT(orders_, ElementsAre(kDry, kDry, kReal, kReal));
}

TEST_F(PurgeCommandTest, WhatIsMissingIsNamed) {
  arguments_.tag = "sale";
  EXPECT_EQ(run(), 2);
  EXPECT_THAT(err_, HasSubstr("exactly one of"));
  arguments_.tag.clear();
  ::unsetenv("TINTYPE_ADMIN_TOKEN");
  EXPECT_EQ(run(), 2);
  EXPECT_THAT(err_, HasSubstr("TINTYPE_ADMIN_TOKEN"));
  arguments_.token_file = "/no/such/file";
  EXPECT_EQ(run(), 2);
  EXPECT_THAT(orders_, IsEmpty());
}

}  // namespace
}  // namespace tintype
