// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_hooks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kSecret[] = "0123456789abcdef";

Result<Policy> policy_of(const std::string& hooks) {
  return parse_policy(
      "sites:\n  shop:\n    origin: { folder: ./x }\n"
      "    presets: { card: 'w=400', hero: 'w=1600' }\n    hooks:\n" +
          hooks,
      "/etc/tintype");
}

std::string fault_of(const std::string& hook) {
  auto policy = policy_of("      dam: " + hook + "\n");
  EXPECT_FALSE(policy) << hook;
  return policy ? "" : policy.error().detail;
}

HookRule rule_of(const std::string& hook) {
  auto policy = policy_of("      dam: " + hook + "\n");
  if (!policy) {
    ADD_FAILURE() << policy.error().detail;
    return {};
  }
  return policy->sites.at("shop").hooks.at(0);
}

TEST(ParseHooks, ReadsEverything) {
  HookRule rule = rule_of(
      "{ recipe: generic, secrets: [ 0123456789abcdef, 'the older secret' ],"
      " source: /asset/path, event: /what, strip_prefix: 'https://dam.example/', "
      "warm: [hero, card] }");
  EXPECT_EQ(rule.name, "dam");
  EXPECT_EQ(rule.recipe, HookRule::Recipe::Generic);
  EXPECT_THAT(rule.secrets, ElementsAre(kSecret, "the older secret"));
  EXPECT_EQ(rule.source_pointer, "/asset/path");
  EXPECT_EQ(rule.event_pointer, "/what");
  EXPECT_EQ(rule.strip_prefix, "https://dam.example/");
  EXPECT_THAT(rule.warm_presets, ElementsAre("hero", "card"));
}

TEST(ParseHooks, SeveralHooksAndNone) {
  auto policy = policy_of(
      "      a: { secrets: [ 0123456789abcdef ], source: /p }\n"
      "      b: { recipe: s3, secrets: [ 0123456789abcdef ] }\n");
  ASSERT_TRUE(policy) << policy.error().detail;
  ASSERT_EQ(policy->sites.at("shop").hooks.size(), 2u);
  EXPECT_EQ(policy->sites.at("shop").hooks[1].name, "b");
  EXPECT_TRUE(parse_policy("sites: { shop: { origin: { folder: x } } }", "/")
                  ->sites.at("shop")
                  .hooks.empty());
}

TEST(ParseHooks, RecipesKnowTheirFields) {
  const std::string secrets = "secrets: [ 0123456789abcdef ]";
  HookRule aprimo = rule_of("{ recipe: aprimo, " + secrets + " }");
  EXPECT_EQ(aprimo.source_pointer, "/source");
  EXPECT_EQ(aprimo.event_pointer, "/event");
  HookRule bynder = rule_of("{ recipe: bynder, " + secrets + ", source: /media/name }");
  EXPECT_EQ(bynder.source_pointer, "/media/name");
  EXPECT_TRUE(bynder.event_pointer.empty());
  EXPECT_EQ(rule_of("{ recipe: cloudinary, " + secrets + " }").recipe,
            HookRule::Recipe::Cloudinary);
  EXPECT_EQ(rule_of("{ recipe: s3, " + secrets + " }").recipe, HookRule::Recipe::S3);
}

TEST(ParseHooks, EveryRecipeHasItsName) {
  for (std::string name : {"generic", "aprimo", "bynder", "cloudinary", "s3"}) {
    std::string source = name == "generic" ? ", source: /p" : "";
    HookRule rule =
        rule_of("{ recipe: " + name + ", secrets: [ 0123456789abcdef ]" + source + " }");
    EXPECT_EQ(name_of(rule.recipe), name);
  }
}

TEST(ParseHooks, NamesWhatIsWrong) {
  EXPECT_THAT(fault_of("yes"), HasSubstr("line 6"));
  EXPECT_THAT(fault_of("{ source: /p }"), HasSubstr("secrets is missing"));
  EXPECT_THAT(fault_of("{ secrets: [], source: /p }"), HasSubstr("one secret"));
  EXPECT_THAT(fault_of("{ secrets: [a, b, c], source: /p }"), HasSubstr("one secret"));
  EXPECT_THAT(fault_of("{ secrets: [ tooshort ], source: /p }"), HasSubstr("at least 16"));
  const std::string secrets = "secrets: [ 0123456789abcdef ]";
  EXPECT_THAT(fault_of("{ " + secrets + " }"), HasSubstr("source is missing"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: asset.path }"), HasSubstr("JSON pointer"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: '/a~2' }"), HasSubstr("JSON pointer"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: /p, event: '~' }"), HasSubstr("JSON pointer"));
  EXPECT_THAT(fault_of("{ " + secrets + ", recipe: aem, source: /p }"), HasSubstr("aem"));
  EXPECT_THAT(fault_of("{ " + secrets + ", recipe: s3, source: /p }"), HasSubstr("by itself"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: /p, warm: [zoom] }"), HasSubstr("'zoom'"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: /p, warm: card }"), HasSubstr("a list"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: /p, warm: [card, card] }"), HasSubstr("twice"));
  EXPECT_THAT(fault_of("{ " + secrets + ", source: /p, preset: card }"), HasSubstr("preset"));
  auto policy = policy_of("      'a/b': { recipe: s3, " + secrets + " }\n");
  ASSERT_FALSE(policy);
  EXPECT_THAT(policy.error().detail, HasSubstr("not a hook's name"));
}

TEST(ParseHooks, ShowsNoSecret) {
  EXPECT_THAT(fault_of("{ secrets: [ hush ], source: /p }"), Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace tintype
