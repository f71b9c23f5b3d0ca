// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/signature.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Result<Policy> policy_of(const std::string& rules) {
  return parse_policy("sites:\n  shop:\n    origin: { folder: ./x }\n" + rules, "/etc/tintype");
}

std::string fault_of(const std::string& rules) {
  auto policy = policy_of("    " + rules + "\n");
  EXPECT_FALSE(policy) << rules;
  return policy ? "" : policy.error().detail;
}

TEST(ParseRules, ReadsEverything) {
  auto policy = policy_of(R"(
    signing: { keys: [ "0123456789abcdef", "an older key of the shop" ] }
    allowed_options: [w, height, p]
    quality_steps: [50, 75]
    snap_widths: true
    spellings: serve
)");
  ASSERT_TRUE(policy) << policy.error().detail;
  const SitePolicy& shop = policy->sites.at("shop");
  EXPECT_THAT(shop.signing_keys, ElementsAre("0123456789abcdef", "an older key of the shop"));
  EXPECT_EQ(shop.allowed_options,
            bit_of(OptionId::Width) | bit_of(OptionId::Height) | bit_of(OptionId::Preset));
  EXPECT_THAT(shop.quality_steps, ElementsAre(50, 75));
  EXPECT_TRUE(shop.snap_widths);
  EXPECT_FALSE(shop.redirects || shop.verify_at_service);
  EXPECT_TRUE(policy_of("    spellings: redirect\n")->sites.at("shop").redirects);
  for (const char* place : {"edge", "service"}) {
    auto signing = policy_of(
        "    signing: { keys: [ 0123456789abcdef ], verify_at: " + std::string(place) + " }\n");
    ASSERT_TRUE(signing) << signing.error().detail;
    EXPECT_EQ(signing->sites.at("shop").verify_at_service, place == std::string("service"));
  }
}

TEST(ParseRules, WithoutThemEverythingIsAllowed) {
  const SitePolicy shop = policy_of("")->sites.at("shop");
  EXPECT_TRUE(shop.signing_keys.empty());
  EXPECT_FALSE(shop.allowed_options);
  EXPECT_TRUE(shop.quality_steps.empty());
  EXPECT_FALSE(shop.snap_widths || shop.redirects);
}

TEST(ParseRules, NamesWhatIsWrong) {
  EXPECT_THAT(fault_of("signing: yes"), HasSubstr("line 4"));
  EXPECT_THAT(fault_of("signing: { keys: [] }"), HasSubstr("one key"));
  EXPECT_THAT(fault_of("signing: { keys: [ short ] }"), HasSubstr("at least 16"));
  EXPECT_THAT(fault_of("signing: { kyes: [ x ] }"), HasSubstr("kyes"));
  EXPECT_THAT(fault_of("signing: { keys: [ 0123456789abcdef ], verify_at: origin }"),
              HasSubstr("'origin' is not allowed; expected edge or service"));
  EXPECT_THAT(fault_of("signing: { verify_at: service }"), HasSubstr("one key"));
  EXPECT_THAT(fault_of("allowed_options: [w, zoom]"), HasSubstr("zoom"));
  EXPECT_THAT(fault_of("allowed_options: w"), HasSubstr("a list"));
  EXPECT_THAT(fault_of("quality_steps: [75, 50]"), HasSubstr("ascend"));
  EXPECT_THAT(fault_of("quality_steps: [0]"), HasSubstr("1"));
  EXPECT_THAT(fault_of("snap_widths: maybe"), HasSubstr("maybe"));
  EXPECT_THAT(fault_of("spellings: send"), HasSubstr("serve or redirect"));
}

TEST(ParseRules, RefusesRulesThatExcludeEachOther) {
  constexpr char kKeys[] = "signing: { keys: [ 0123456789abcdef ] }\n    ";
  EXPECT_THAT(fault_of(std::string(kKeys) + "spellings: redirect"), HasSubstr("signature"));
  EXPECT_THAT(fault_of("allowed_options: [p]\n    spellings: redirect"), HasSubstr("limited"));
  EXPECT_THAT(fault_of(std::string(kKeys) + "mounts: [ { path: /is, dialect: scene7 } ]"),
              HasSubstr("this way in would be open"));
  EXPECT_THAT(fault_of("allowed_options: [p]\n    mounts: [ { path: /i, dialect: imgix } ]"),
              HasSubstr("a language of its own"));
  auto policy = policy_of("    " + std::string(kKeys) +
                          "mounts: [ { path: /i, dialect: imgix, keys: [ token ] } ]\n");
  EXPECT_TRUE(policy) << policy.error().detail;
}

TEST(Caller, TheEdgeNeedsNoSignature) {
  SitePolicy site;
  site.name = "shop";
  site.signing_keys = {"0123456789abcdef"};
  Ask ask;
  ask.site = "shop";
  ask.source = "a.jpg";
  auto refused = check_caller(ask, site, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Forbidden);
  EXPECT_FALSE(check_caller(ask, site, {.is_edge = true})) << "it has checked canonical paths only";
  ask.is_canonical = true;
  EXPECT_TRUE(check_caller(ask, site, {.is_edge = true}));
  ask.is_canonical = false;
  ask.signature = sign(ask, site.signing_keys[0]);
  EXPECT_TRUE(check_caller(ask, site, {}));
  ask.expires_unix_seconds = 100;
  EXPECT_FALSE(check_caller(ask, site, {.now_unix_seconds = 100}));
  ask.signature = sign(ask, site.signing_keys[0]);
  EXPECT_TRUE(check_caller(ask, site, {.now_unix_seconds = 100}));
  EXPECT_EQ(check_caller(ask, site, {.now_unix_seconds = 101}).error().option, "expires");
}

TEST(Caller, WhereTheServiceVerifiesNobodyIsTrusted) {
  SitePolicy site;
  site.name = "shop";
  site.signing_keys = {"0123456789abcdef"};
  site.verify_at_service = true;
  Ask ask;
  ask.site = "shop";
  ask.source = "a.jpg";
  ask.is_canonical = true;
  EXPECT_FALSE(check_caller(ask, site, {}));
  EXPECT_FALSE(check_caller(ask, site, {.is_edge = true})) << "the edge has checked nothing";
  ask.signature = sign(ask, site.signing_keys[0]);
  EXPECT_TRUE(check_caller(ask, site, {.is_edge = true}));
  EXPECT_TRUE(check_caller(ask, site, {}));
  ask.expires_unix_seconds = 100;
  ask.signature = sign(ask, site.signing_keys[0]);
  EXPECT_FALSE(check_caller(ask, site, {.now_unix_seconds = 101, .is_edge = true}));
}

}  // namespace
}  // namespace tintype
