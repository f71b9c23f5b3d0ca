// SPDX-License-Identifier: Apache-2.0
#include "store/policy_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/dynamodb_testing.h"
#include "store/policy_versions.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PolicyTableTest : public testing::Test {
 protected:
  std::unique_ptr<PolicyTable> open() {
    return PolicyTable::open({.dynamo = bench_.client, .clock = clock_, .base_folder = "/base"},
                             settings_);
  }
  void push(const std::string& site, const std::string& rules, std::int64_t base) {
    PolicyVersions versions(bench_.client, clock_);
    PolicyVersions::Push order{
        .site = site,
        .items = {{"origin", "origin", R"({"folder": "/srv"})"}, {"site", "rules", rules}},
        .base = base,
        .by = "ann"};
    auto version = run(versions.push(std::move(order), bench_.soon()));
    ASSERT_TRUE(version && *version) << "the push went wrong";
  }
  // The policy after a look that the interval allows.
  SharedPolicy look(PolicyTable& table) {
    clock_.advance(settings_.refresh_ms * 2);
    return run_here(table.refresh());
  }
  // On a loop that outlives the table, because a look may end after whoever waited for it has gone.
  template <class T>
  T run_here(Task<T> task) {
    std::optional<T> result;
    auto keep = [](Task<T> awaited, std::optional<T>& kept) -> Task<> {
      kept = co_await std::move(awaited);
    };
    asio::co_spawn(loop_, keep(std::move(task), result), asio::detached);
    loop_.restart();
    loop_.run();
    return std::move(*result);
  }
  void refuse_everything() {
    bench_.fake.set_fault([](FakeDynamo::Connection& connection, const std::string&) {
      connection.send(FakeDynamo::refusal("AccessDeniedException"));
      return true;
    });
  }
  void hang() {
    bench_.fake.set_fault([](FakeDynamo::Connection& connection, const std::string&) {
      connection.wait(Milliseconds(20'000));
      return true;
    });
  }
  template <class F>
  std::string log_of(F act) {
    testing::internal::CaptureStderr();
    act();
    return testing::internal::GetCapturedStderr();
  }
  static int count(const std::string& text, const std::string& what) {
    int n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }

  asio::io_context loop_;
  TestFolder folder_;
  DynamoBench bench_;
  PushedClock& clock_ = bench_.clock;
  PolicyTableSettings settings_{.table = "tintype",
                                .snapshot = (folder_ / "state/policy.json").string(),
                                .patience_ms = Milliseconds(20'000),
                                .start_patience_ms = Milliseconds(20'000)};
};

TEST_F(PolicyTableTest, ReadsAtOnceAndFollows) {
  push("shop", "{}", 0);
  auto table = open();
  ASSERT_NE(table->current()->find("shop"), nullptr);
  EXPECT_THAT(table->unready_reasons(), IsEmpty());
  push("shop", R"({"snap_widths": true})", 1);
  push("blog", "{}", 0);
  EXPECT_FALSE(run_here(table->refresh())->find("shop")->snap_widths)
      << "the last look is too young";
  SharedPolicy policy = look(*table);
  EXPECT_TRUE(policy->find("shop")->snap_widths);
  EXPECT_NE(policy->find("blog"), nullptr);
  EXPECT_EQ(table->state().sites, 2);
  EXPECT_EQ(table->state().looks, 2u);
}

TEST_F(PolicyTableTest, ALookAtAnUnchangedTableIsOneQuery) {
  push("shop", "{}", 0);
  auto table = open();
  int before = bench_.fake.calls("Query");
  SharedPolicy policy = table->current();
  EXPECT_EQ(look(*table), policy);
  EXPECT_EQ(bench_.fake.calls("Query"), before + 1);
}

TEST_F(PolicyTableTest, ABadVersionIsRefusedSaidOnceAndCounted) {
  push("shop", "{}", 0);
  push("blog", "{}", 0);
  auto table = open();
  std::string said = log_of([&] {
    push("shop", R"({"limts": 1})", 1);
    push("blog", R"({"snap_widths": true})", 1);
    for (int i = 0; i < 3; ++i) look(*table);
  });
  EXPECT_EQ(count(said, "policy.refused"), 1) << said;
  EXPECT_THAT(said, HasSubstr("site shop: sites.shop.limts"));
  EXPECT_EQ(table->state().refused, 1u);
  EXPECT_NE(table->current()->find("shop"), nullptr) << "its old version stays";
  EXPECT_TRUE(table->current()->find("blog")->snap_widths) << "the others get theirs";
  push("shop", R"({"snap_widths": true})", 2);
  EXPECT_TRUE(look(*table)->find("shop")->snap_widths);
}

TEST_F(PolicyTableTest, AVersionWithAPieceMissingIsRefused) {
  push("shop", "{}", 0);
  auto table = open();
  bench_.fake.put("_sites", "shop",
                  {{"version", {{"N", "7"}}}, {"items", {{"N", "2"}}}, {"revision", {{"S", "x"}}}});
  std::string said = log_of([&] { EXPECT_NE(look(*table)->find("shop"), nullptr); });
  EXPECT_THAT(said, HasSubstr("site shop, version 7: the table holds 0 of its 2 items"));
  EXPECT_EQ(table->state().failed_looks, 0u);
}

TEST_F(PolicyTableTest, ATableThatIsDownKeepsTheLastGoodVersion) {
  push("shop", "{}", 0);
  auto table = open();
  SharedPolicy good = table->current();
  refuse_everything();
  std::string said = log_of([&] {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(look(*table), good);
  });
  EXPECT_EQ(count(said, "policy.unreachable"), 1) << said;
  EXPECT_EQ(table->state().failed_looks, 3u);
  EXPECT_EQ(table->state().age_seconds, 3 * 2 * settings_.refresh_ms.count() / 1'000);
  bench_.fake.set_fault({});
  said = log_of([&] { look(*table); });
  EXPECT_EQ(count(said, "policy.reachable"), 1);
  EXPECT_EQ(table->state().age_seconds, 0);
}

TEST_F(PolicyTableTest, StartsFromTheSnapshotWhileTheTableIsDown) {
  push("shop", R"({"snap_widths": true})", 0);
  open();
  struct stat state {};
  ASSERT_EQ(stat(settings_.snapshot.c_str(), &state), 0);
  EXPECT_EQ(state.st_mode & 0777, 0600u) << "it holds secrets";
  refuse_everything();
  auto table = open();
  ASSERT_NE(table->current()->find("shop"), nullptr);
  EXPECT_TRUE(table->current()->find("shop")->snap_widths);
  EXPECT_TRUE(table->state().is_from_snapshot);
  EXPECT_EQ(table->state().age_seconds, -1);
  EXPECT_THAT(table->unready_reasons(), IsEmpty());
  bench_.fake.set_fault({});
  push("shop", "{}", 1);
  EXPECT_FALSE(look(*table)->find("shop")->snap_widths);
  EXPECT_FALSE(table->state().is_from_snapshot);
}

TEST_F(PolicyTableTest, WithNeitherItStartsUnreadyAndGoesOnTrying) {
  refuse_everything();
  auto table = open();
  EXPECT_TRUE(table->current()->sites.empty());
  EXPECT_THAT(table->unready_reasons(), ElementsAre("policy-missing"));
  bench_.fake.set_fault({});
  push("shop", "{}", 0);
  clock_.advance(Milliseconds(3'000));  // much less than the usual interval
  EXPECT_NE(run_here(table->refresh())->find("shop"), nullptr);
  EXPECT_THAT(table->unready_reasons(), IsEmpty());
}

TEST_F(PolicyTableTest, ADamagedSnapshotIsSaidAndIgnored) {
  folder_.write("state/policy.json", "{\"sites\":");
  push("shop", "{}", 0);
  std::string said = log_of([&] { EXPECT_NE(open()->current()->find("shop"), nullptr); });
  EXPECT_EQ(count(said, "policy.snapshot-unreadable"), 1);
}

TEST_F(PolicyTableTest, AnEmptiedTableTakesNoSiteDown) {
  push("shop", "{}", 0);
  auto table = open();
  bench_.fake.put("_sites", "shop", {});
  std::string said = log_of([&] { EXPECT_NE(look(*table)->find("shop"), nullptr); });
  EXPECT_THAT(said, HasSubstr("holds no sites any more"));
}

TEST_F(PolicyTableTest, ASlowTableHoldsARequestOnlyAsLongAsItsPatience) {
  settings_.patience_ms = Milliseconds(50);
  settings_.look_timeout_ms = Milliseconds(600);
  push("shop", "{}", 0);
  auto table = open();
  SharedPolicy good = table->current();
  hang();
  EXPECT_EQ(look(*table), good);
  EXPECT_EQ(table->state().looks, 1u) << "the second look is still under way";
  EXPECT_EQ(look(*table), good) << "and nobody starts a third beside it";
}

TEST_F(PolicyTableTest, ALookRunsBesideTheFetchOfTheSource) {
  push("shop", "{}", 0);
  auto table = open();
  push("shop", R"({"snap_widths": true})", 1);
  clock_.advance(settings_.refresh_ms * 2);
  // A source that comes only once DynamoDB has been asked: one after the other would never end.
  auto source = [](FakeDynamo& fake, int before) -> Task<bool> {
    while (fake.calls("Query") == before) co_await sleep_for(Milliseconds(1));
    co_return true;
  };
  auto [has_come, policy] =
      run_here(both(source(bench_.fake, bench_.fake.calls("Query")), table->refresh()));
  EXPECT_TRUE(has_come);
  EXPECT_TRUE(policy->find("shop")->snap_widths);
}

TEST_F(PolicyTableTest, ALookEndsWithWhatItRunsBeside) {
  settings_.look_timeout_ms = Milliseconds(600);
  push("shop", "{}", 0);
  auto table = open();
  hang();
  clock_.advance(settings_.refresh_ms * 2);
  auto quick = []() -> Task<int> { co_return 7; };
  // Patience is 20 s: the first task's end is what lets it go.
  auto [seven, policy] = run_here(both_until_first(quick(), table->refresh()));
  EXPECT_EQ(seven, 7);
  EXPECT_EQ(policy, table->current());
  EXPECT_EQ(table->state().looks, 1u);
}

}  // namespace
}  // namespace tintype
