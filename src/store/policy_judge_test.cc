// SPDX-License-Identifier: Apache-2.0
#include "store/policy_judge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

LoadedSite site_of(std::int64_t version, const std::string& rules, const std::string& mount = "") {
  LoadedSite site;
  if (!mount.empty()) {
    site.items.push_back({"mount", "@000", R"({"dialect": "scene7", "path": ")" + mount + "\"}"});
  }
  site.items.push_back({"origin", "origin", R"({"folder": "/srv"})"});
  site.items.push_back({"site", "rules", rules});
  site.version = {.version = version,
                  .revision = revision_of(site.items),
                  .items = static_cast<std::int64_t>(site.items.size()),
                  .updated_unix_seconds = 1'700'000'000,
                  .by = "ann"};
  return site;
}
constexpr char kBad[] = R"({"limts": 1})";

TEST(PolicyJudge, ABadSiteKeepsItsOldVersionAndTheOthersGetTheirs) {
  LoadedSites before{{"blog", site_of(1, "{}")}, {"shop", site_of(4, "{}")}};
  LoadedSites wanted{{"blog", site_of(2, R"({"snap_widths": true})")},
                     {"news", site_of(1, kBad)},
                     {"shop", site_of(5, kBad)}};
  Judgement judgement = judge(before, wanted, "/base");
  EXPECT_EQ(judgement.accepted["blog"].version.version, 2);
  EXPECT_EQ(judgement.accepted["shop"].version.version, 4);
  EXPECT_FALSE(judgement.accepted.contains("news"));
  EXPECT_TRUE(judgement.policy->find("blog")->snap_widths);
  EXPECT_NE(judgement.policy->find("shop"), nullptr);
  EXPECT_EQ(judgement.policy->find("news"), nullptr);
  ASSERT_EQ(judgement.refused.size(), 2u);
  EXPECT_EQ(judgement.refused[1].site, "shop");
  EXPECT_EQ(judgement.refused[1].version, 5);
  EXPECT_THAT(judgement.refused[1].reason, StartsWith("site shop: sites.shop.limts: "));
}

TEST(PolicyJudge, WhoClaimsAnothersMountIsRefused) {
  LoadedSites before{{"shop", site_of(1, "{}", "/x")}};
  LoadedSites wanted{{"blog", site_of(1, "{}", "/x")},
                     {"news", site_of(1, "{}", "/y")},
                     {"shop", site_of(1, "{}", "/x")}};
  Judgement judgement = judge(before, wanted, "/base");
  ASSERT_EQ(judgement.refused.size(), 1u);
  EXPECT_EQ(judgement.refused[0].site, "blog") << "the one that was there first stays";
  EXPECT_THAT(judgement.refused[0].reason, HasSubstr("mounted twice"));
  EXPECT_EQ(judgement.accepted.size(), 2u);
  EXPECT_EQ(judgement.policy->mounts.size(), 2u);
  // The mount is given away: the order of names does not matter then.
  wanted["shop"] = site_of(2, "{}");
  judgement = judge(before, wanted, "/base");
  EXPECT_TRUE(judgement.refused.empty());
}

TEST(PolicyJudge, ASiteThatIsGoneIsGone) {
  LoadedSites before{{"blog", site_of(1, "{}")}, {"shop", site_of(4, "{}")}};
  Judgement judgement = judge(before, {{"shop", site_of(4, "{}")}}, "/base");
  EXPECT_EQ(judgement.policy->sites.size(), 1u);
  judgement = judge(before, {}, "/base");
  EXPECT_TRUE(judgement.policy->sites.empty());
}

TEST(PolicyJudge, ASnapshotComesBackAsItWas) {
  LoadedSites sites{{"blog", site_of(1, "{}")}, {"shop", site_of(4, R"({"a": "é"})", "/x")}};
  auto snapshot = read_snapshot(write_snapshot(sites, 1'700'000'123));
  ASSERT_TRUE(snapshot) << snapshot.error().message;
  EXPECT_EQ(snapshot->saved_unix_seconds, 1'700'000'123);
  ASSERT_EQ(snapshot->sites.size(), 2u);
  EXPECT_EQ(snapshot->sites["shop"].version, sites["shop"].version);
  EXPECT_EQ(snapshot->sites["shop"].items, sites["shop"].items);
}

TEST(PolicyJudge, ADamagedSnapshotIsRefused) {
  std::string whole = write_snapshot({{"shop", site_of(4, "{}")}}, 1);
  for (const std::string& text :
       {std::string(), whole.substr(0, whole.size() / 2), std::string("[]"),
        std::string(R"({"sites": 1})"), std::string(R"({"sites": {"shop": 1}})"),
        std::string(R"({"sites": {"shop": {"version": 0, "pieces": []}}})"),
        std::string(R"({"sites": {"shop": {"version": 1, "pieces": [1]}}})")}) {
    EXPECT_FALSE(read_snapshot(text)) << text;
  }
}

}  // namespace
}  // namespace tintype
