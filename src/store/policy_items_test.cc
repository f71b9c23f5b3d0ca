// SPDX-License-Identifier: Apache-2.0
#include "store/policy_items.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/policy.h"
#include "store/policy_print.h"
#include "store/policy_tree.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kShop[] = R"(server: {port: 1}
sites:
  shop:
    origin: { url: "https://dam.example/", headers: { Authorization: "Bearer 0123" } }
    limits: { max_width: 2000 }
    presets:
      card: { w: 400, h: "400", fit: cover }
      hero: w=1600&q=70
    mounts:
      - { path: /is/image, dialect: imgix, keys: [abc] }
      - { path: /x, dialect: imgix, keys: ["on", "12345678901234567890"] }
    signing: { keys: ["0123456789abcdef-\u00e9\n"] }
    cache: { browser: 1h }
  blog:
    origin: { folder: pictures }
    presets: {}
)";

SiteItems items_of(const std::string& yaml, const std::string& site) {
  auto items = split_policy(yaml);
  EXPECT_TRUE(items) << items.error().detail;
  return (*items)[site];
}

std::vector<std::string> names_of(const SiteItems& items) {
  std::vector<std::string> names;
  for (const PolicyItem& item : items) names.push_back(item.kind + "#" + item.name);
  return names;
}

TEST(PolicyItems, APieceAnItem) {
  SiteItems shop = items_of(kShop, "shop");
  EXPECT_THAT(names_of(shop),
              ElementsAre("key#signing", "mount#@000", "mount#@001", "origin#origin", "preset#card",
                          "preset#hero", "site#rules"));
  EXPECT_EQ(shop[4].doc, R"({"fit": "cover", "h": 400, "w": 400})");
  EXPECT_EQ(shop[6].doc, R"({"cache": {"browser": "1h"}, "limits": {"max_width": 2000}})");
  EXPECT_THAT(names_of(items_of(kShop, "blog")), ElementsAre("origin#origin", "site#rules"));
}

TEST(PolicyItems, PutTogetherTheyAreTheSamePolicy) {
  auto items = split_policy(kShop);
  ASSERT_TRUE(items);
  auto text = assemble_policy(*items);
  ASSERT_TRUE(text) << text.error().detail;
  auto before = parse_policy(kShop, "/base"), after = parse_policy(text->text, "/base");
  ASSERT_TRUE(before) << before.error().detail;
  ASSERT_TRUE(after) << after.error().detail << "\n" << text->text;
  EXPECT_EQ(before->sites, after->sites);
  auto again = split_policy(text->text);
  ASSERT_TRUE(again);
  EXPECT_EQ(*again, *items);
  EXPECT_EQ(text->lines.size(),
            static_cast<std::size_t>(std::count(text->text.begin(), text->text.end(), '\n')));
}

TEST(PolicyItems, AwkwardTextsSurvive) {
  PolicyTree rules = PolicyTree::object();
  for (const char* text : {"",
                           " ",
                           "null",
                           "~",
                           "true",
                           "TRUE",
                           "-0",
                           "007",
                           "1e3",
                           "- x",
                           "a: b",
                           "#",
                           "'",
                           "\"",
                           "\\",
                           "{a}",
                           "\t",
                           "a\nb",
                           "\x7f",
                           "\x01",
                           "é😀",
                           "1234567890123456",
                           "-999999999999999",
                           "@",
                           "yes",
                           "0x1F",
                           "a #b"}) {
    rules["k" + std::to_string(rules.size())] = text;
    rules[std::string("key ") + text] = "v";
  }
  PolicyItems items{{"shop", {{"preset", "a b: #c", json_of(rules)}, {"site", "rules", "{}"}}}};
  auto text = assemble_policy(items);
  ASSERT_TRUE(text);
  auto again = split_policy(text->text);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(*again, items);
  auto yaml = policy_as_yaml(items);
  ASSERT_TRUE(yaml) << yaml.error().detail;
  auto read = split_policy(*yaml);
  ASSERT_TRUE(read) << read.error().detail << *yaml;
  EXPECT_EQ(*read, items) << *yaml;
}

TEST(PolicyItems, AFaultNamesThePiece) {
  auto items = split_policy(kShop);
  ASSERT_TRUE(items);
  auto spoil = [&](const char* name, const char* doc) {
    PolicyItems spoilt = *items;
    for (PolicyItem& item : spoilt["shop"]) {
      if (item.name == name) item.doc = doc;
    }
    auto text = assemble_policy(spoilt);
    if (!text) return text.error().detail;
    auto policy = parse_policy(text->text, "/base");
    if (policy) return std::string("fine");
    EXPECT_EQ(text->site_of(policy.error()), "shop");
    return text->explain(policy.error()).detail;
  };
  EXPECT_THAT(spoil("card", R"({"w": 99999})"),
              StartsWith("site shop, preset card: sites.shop.presets.card.w: "));
  EXPECT_THAT(spoil("@001", R"({"path": "x", "dialect": "imgix"})"),
              StartsWith("site shop, mount [1]: sites.shop.mounts[1].path: "));
  EXPECT_THAT(spoil("origin", "{}"), StartsWith("site shop, origin: "));
  EXPECT_THAT(spoil("signing", "{}"), StartsWith("site shop, signing: "));
  EXPECT_THAT(spoil("rules", R"({"limts": 1})"), StartsWith("site shop: sites.shop.limts: "));
  EXPECT_THAT(spoil("rules", R"({"presets": {}})"), HasSubstr("twice"));
  EXPECT_THAT(spoil("card", "{w: 1}"), StartsWith("site shop, preset card: is not JSON"));
  EXPECT_THAT(spoil("card", std::string(100'000, '[').c_str()), HasSubstr("nested too deeply"));
  EXPECT_THAT(spoil("rules", "[]"), HasSubstr("is not a JSON object"));
}

TEST(PolicyItems, PiecesThatDoNotFitAreRefused) {
  PolicyItem rules{"site", "rules", "{}"};
  auto assembled = [&](SiteItems items) { return assemble_policy({{"shop", std::move(items)}}); };
  EXPECT_FALSE(assembled({{"mount", "@000", "{}"}, {"mount", "a", "{}"}, rules}));
  EXPECT_FALSE(assembled({{"wand", "a", "{}"}, rules}));
  EXPECT_FALSE(assembled({{"origin", "elsewhere", "{}"}, rules}));
  EXPECT_TRUE(assembled({rules}));
}

TEST(PolicyItems, SortKeys) {
  PolicyItem item{"preset", "a#b", "{}"};
  EXPECT_EQ(sort_key_of(12, item), "00000012#preset#a#b");
  auto key = parse_sort_key("00000012#preset#a#b");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->version, 12);
  EXPECT_EQ(key->kind, "preset");
  EXPECT_EQ(key->name, "a#b");
  for (const char* text : {"", "12#preset#a", "00000012#preset", "0000001x#a#b", "00000000#a#b"}) {
    EXPECT_FALSE(parse_sort_key(text)) << text;
  }
}

TEST(PolicyItems, TheRevisionIsThatOfThePieces) {
  SiteItems shop = items_of(kShop, "shop"), other = shop;
  EXPECT_EQ(revision_of(shop), revision_of(other));
  other[0].doc += " ";
  EXPECT_NE(revision_of(shop), revision_of(other));
}

TEST(PolicyPrint, TheYamlIsReadable) {
  auto yaml = policy_as_yaml(*split_policy(kShop));
  ASSERT_TRUE(yaml);
  EXPECT_THAT(*yaml, HasSubstr("  shop:\n    cache: { browser: 1h }\n"));
  EXPECT_THAT(*yaml, HasSubstr("      card: { fit: cover, h: 400, w: 400 }\n"));
  EXPECT_THAT(*yaml,
              HasSubstr("      - dialect: imgix\n        keys: [abc]\n        path: /is/image\n"));
  EXPECT_EQ(*split_policy(*yaml), *split_policy(kShop)) << *yaml;
}

TEST(PolicyPrint, ADifferenceNamesFieldsAndHidesSecrets) {
  SiteItems before = items_of(kShop, "shop"), after = before;
  for (PolicyItem& item : after) {
    if (item.name == "card") item.doc = R"({"w": 420, "h": "400", "fit": "cover", "q": 80})";
    if (item.name == "signing") item.doc = R"({"keys": ["another-secret-key"]})";
    if (item.name == "@000")
      item.doc = R"({ "dialect":"imgix","path":"/is/image","keys":["abc"] })";
    if (item.name == "hero") item.name = "banner";
  }
  EXPECT_EQ(diff_of_site(before, after, {}),
            "  ~ signing\n"
            "      - keys[0]: (hidden)\n"
            "      + keys[0]: (hidden)\n"
            "  ~ preset card\n"
            "      - w: 400\n"
            "      + w: 420\n"
            "      + q: 80\n"
            "  - preset hero\n"
            "  + preset banner\n"
            "      + w=1600&q=70\n");
  EXPECT_EQ(diff_of_site(before, before, {}), "");
  SiteItems origins{{"origin", "origins",
                     R"([{"url": "https://a/", "bearer": "b-1"}, {"oauth": {"client_secret": "c-2",
                         "client_id": "id-3"}}, {"headers": {"X-Key": "h-4"}}])"},
                    {"hook", "dam", R"({"secrets": ["s-5"], "recipe": "s3"})"}};
  std::string shown = diff_of_site({}, origins, {});
  for (const char* secret : {"b-1", "c-2", "h-4", "s-5"}) {
    EXPECT_THAT(shown, Not(HasSubstr(secret)));
  }
  EXPECT_THAT(shown, HasSubstr("[1].oauth.client_id: id-3"));
  EXPECT_THAT(diff_of_site(before, after, {.with_colour = true}), HasSubstr("\x1b[32m+ w: 420"));
  EXPECT_THAT(diff_of_site({}, after, {}), Not(HasSubstr("another")));
  EXPECT_THAT(diff_of_site({}, after, {}), Not(HasSubstr("Bearer")));
}

}  // namespace
}  // namespace tintype
