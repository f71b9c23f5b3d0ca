// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_mounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/policy.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Policy> policy_of(const std::string& rules) {
  return parse_policy("sites:\n  shop:\n    origin: { folder: ./x }\n" + rules, "/etc/tintype");
}

std::string fault_of(const std::string& mount) {
  auto policy = policy_of("    mounts: [ " + mount + " ]\n");
  EXPECT_FALSE(policy) << mount;
  return policy ? "" : policy.error().detail;
}

TEST(ParseMounts, ReadsEverything) {
  auto policy = policy_of(R"(
    width_ladder: [320, 640]
    mounts:
      - { path: /is/image/, dialect: scene7 }
      - { path: /, dialect: imgix, keys: [old, new] }
      - path: /i
        dialect: imgproxy
        keys: [ { key: "0aFF", salt: "00" } ]
        sources: [ "https://cdn.shop.example/", "s3://bucket/" ]
)");
  ASSERT_TRUE(policy) << policy.error().detail;
  EXPECT_THAT(policy->sites.at("shop").width_ladder, ElementsAre(320, 640));
  ASSERT_EQ(policy->mounts.size(), 3u);
  EXPECT_EQ(policy->mounts[0],
            (Mount{.path = "/is/image", .dialect = Dialect::Scene7, .site = "shop"}));
  EXPECT_THAT(policy->mounts[1].keys, ElementsAre(MountKey{.key = "old"}, MountKey{.key = "new"}));
  EXPECT_EQ(policy->mounts[2].keys[0].key, "\x0a\xff");
  EXPECT_EQ(policy->mounts[2].keys[0].salt, std::string(1, '\0'));
  EXPECT_THAT(policy->mounts[2].sources, ElementsAre("https://cdn.shop.example/", "s3://bucket/"));
}

TEST(ParseMounts, NamesWhatIsWrong) {
  EXPECT_THAT(fault_of("{ dialect: imgix }"), HasSubstr("path is missing"));
  EXPECT_THAT(fault_of("{ path: /a }"), HasSubstr("dialect is missing"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: akamai }"), HasSubstr("known are: bunny, cloudflare"));
  EXPECT_THAT(fault_of("{ path: a, dialect: imgix }"), HasSubstr("is not a mount's path"));
  EXPECT_THAT(fault_of("{ path: /_/a, dialect: imgix }"), HasSubstr("is not a mount's path"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: imgix, kyes: [x] }"), HasSubstr("kyes"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: fastly, keys: [x] }"), HasSubstr("no signatures"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: imgproxy, keys: [x] }"), HasSubstr("salt"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: imgproxy, keys: [{key: abc, salt: ab}] }"),
              HasSubstr("hex digits"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: imgix, sources: [shop.example] }"),
              HasSubstr("ends with /"));
  EXPECT_THAT(fault_of("{ path: /a, dialect: imgix }, { path: /a/, dialect: ipx }"),
              HasSubstr("mounted twice"));
  EXPECT_THAT(fault_of("{ path: /shop/p, dialect: thumbor }"), HasSubstr("hide canonical paths"));
  EXPECT_FALSE(policy_of("    width_ladder: [640, 320]\n"));
}

TEST(Mounts, TheLongestPathThatEndsAtASegmentIsTaken) {
  const std::vector<Mount> mounts = {{.path = "/", .site = "root"},
                                     {.path = "/is/image", .site = "image"},
                                     {.path = "/is", .site = "is"}};
  auto site = [&](std::string_view path) { return find_mount(mounts, path)->site; };
  EXPECT_EQ(site("/is/image/a"), "image");
  EXPECT_EQ(site("/is/image"), "image");
  EXPECT_EQ(site("/is/imagery"), "is");
  EXPECT_EQ(site("/isx"), "root");
  EXPECT_EQ(find_mount({}, "/a"), nullptr);
}

}  // namespace
}  // namespace tintype
