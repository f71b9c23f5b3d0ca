// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_scope.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "delivery/naming.h"
#include "transform/canonical_path.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using What = PurgeOrder::What;

constexpr const char* kPolicy = R"(
sites:
  shop:
    origin: {folder: /pictures}
    presets:
      card: "w=400&h=500&fit=cover&q=70"
      wide: "w=auto&ar=16:9"
      soft: "blur=2"
  other:
    origin: {folder: /pictures}
)";

class PurgeScopeTest : public testing::Test {
 protected:
  void SetUp() override {
    auto policy = parse_policy(kPolicy, "/");
    ASSERT_TRUE(policy) << policy.error().detail;
    policy_ = std::make_shared<Policy>(std::move(*policy));
  }
  PurgeScope scope(What what, const std::string& value) const {
    auto made = scope_of({.site = "shop", .what = what, .value = value}, *policy_);
    EXPECT_TRUE(made) << made.error().detail;
    return made ? std::move(*made) : PurgeScope{};
  }
  // What the walk calls the variant of a request.
  std::string path(const std::string& target, const std::string& accept = "") const {
    Viewing viewing{.target = target};
    viewing.hints.accept = accept;
    auto named = name_variant(viewing, policy_, 0);
    EXPECT_TRUE(named) << target;
    return named ? named->path : "";
  }
  static EntryMeta meta(const std::string& key, const std::string& tags = "",
                        const std::string& error = "") {
    EntryMeta meta;
    meta.key = key;
    meta.tags = tags;
    meta.error_code = error;
    return meta;
  }

  std::shared_ptr<Policy> policy_;
};

TEST_F(PurgeScopeTest, ASourceIsItsVariantsAndItsFailures) {
  PurgeScope s = scope(What::Source, "p/a b.jpg");
  EXPECT_TRUE(s.covers_path(path("/shop/p/a%20b.jpg?w=400")));
  EXPECT_TRUE(s.covers(meta("source:/shop/p/a%20b.jpg?v=")));
  EXPECT_TRUE(s.covers(meta("source:/shop/p/a%20b.jpg?v=7")));
  EXPECT_FALSE(s.covers_path(path("/shop/p/a%20b.jpg2?w=400")));
  EXPECT_FALSE(s.covers_path(path("/other/p/a%20b.jpg?w=400")));
  EXPECT_FALSE(s.covers(meta("source:/shop/p/a%20b.jpgx?v=")));
  EXPECT_THAT(s.edge_paths, ElementsAre("/shop/p/a%20b.jpg/_/*"));
  EXPECT_THAT(s.sources, ElementsAre("p/a b.jpg"));
}

TEST_F(PurgeScopeTest, APrefixIsThatOfTheSourcesPath) {
  PurgeScope s = scope(What::Prefix, "p/47");
  EXPECT_TRUE(s.covers_path(path("/shop/p/4711/a.jpg?w=400")));
  EXPECT_TRUE(s.covers_path(path("/shop/p/47.jpg?w=400")));
  EXPECT_TRUE(s.covers(meta("source:/shop/p/4711/a.jpg?v=")));
  EXPECT_FALSE(s.covers_path(path("/shop/p/48.jpg?w=400")));
  EXPECT_THAT(s.edge_paths, ElementsAre("/shop/p/47*"));
}

// "_" alone is written %5F in canonical paths, "_x" is not.
TEST_F(PurgeScopeTest, APrefixThatEndsInAnUnderscoreMissesNoSpelling) {
  PurgeScope s = scope(What::Prefix, "p/_");
  for (const char* target :
       {"/shop/p/_x/a.jpg?w=40", "/shop/p/%5F/a.jpg?w=40", "/shop/p/%5F?w=40"}) {
    EXPECT_TRUE(s.covers_path(path(target))) << path(target);
  }
}

TEST_F(PurgeScopeTest, EverythingStaysWithinTheSite) {
  PurgeScope s = scope(What::All, "");
  EXPECT_TRUE(s.covers_path(path("/shop/a.jpg?w=40")));
  EXPECT_TRUE(s.covers(meta("source:/shop/a.jpg?v=")));
  EXPECT_FALSE(s.covers_path(path("/other/a.jpg?w=40")));
  EXPECT_FALSE(s.covers_path("/shop2/a.jpg/_/full.jpeg"));
  EXPECT_THAT(s.edge_paths, ElementsAre("/shop/*"));
}

TEST_F(PurgeScopeTest, ATagIsWhatCarriesItAndWhatItsRulesName) {
  policy_->sites["shop"].tags = {{"sale/", {"sale", "x"}}, {"q/", {"other"}}};
  PurgeScope s = scope(What::Tag, "sale");
  EXPECT_TRUE(s.covers(meta("/shop/a.jpg/_/w-4.webp", "new sale")));
  EXPECT_TRUE(s.covers(meta("/shop/sale/a.jpg/_/w-4.webp")));  // from before the rule
  EXPECT_FALSE(s.covers(meta("/shop/a.jpg/_/w-4.webp", "new sales")));
  EXPECT_FALSE(s.covers(meta("/shop/q/a.jpg/_/w-4.webp")));
  EXPECT_FALSE(s.covers(meta("/other/a.jpg/_/w-4.webp", "sale")));
  // Failures know no tags: all of the site's are forgotten.
  EXPECT_TRUE(s.covers(meta("source:/shop/a.jpg?v=", "", "not-found")));
  EXPECT_TRUE(s.covers(meta("/shop/a.jpg/_/w-4.webp", "", "corrupt")));
  EXPECT_FALSE(s.covers(meta("source:/other/a.jpg?v=", "", "not-found")));
}

TEST_F(PurgeScopeTest, APresetIsWhatHasItsOptionsInAnyFormatQualityAndDpr) {
  PurgeScope s = scope(What::Preset, "card");
  const char* covered[] = {"/shop/a.jpg?p=card",        "/shop/a.jpg?p=card&f=avif",
                           "/shop/a.jpg?p=card&f=png",  "/shop/a.jpg?p=card&q=90",
                           "/shop/a.jpg?p=card&dpr=2",  "/shop/b/c.jpg?p=card&dpr=0.5&sharpen=1",
                           "/shop/a.jpg?p=card&q=auto", "/shop/a.jpg?w=800&h=1000&fit=cover&v=7"};
  for (const char* target : covered) {
    for (const char* accept : {"", "image/avif,image/webp", "image/webp"}) {
      EXPECT_TRUE(s.covers_path(path(target, accept))) << path(target, accept);
    }
  }
  const char* others[] = {"/shop/a.jpg?w=400", "/shop/a.jpg?w=400&h=400&fit=cover",
                          "/shop/a.jpg?w=400&h=500&fit=pad", "/shop/a.jpg",
                          "/other/a.jpg?w=400&h=500&fit=cover"};
  for (const char* target : others) EXPECT_FALSE(s.covers_path(path(target))) << path(target);
  EXPECT_THAT(s.edge_paths, ElementsAre("/shop/*"));
  EXPECT_FALSE(s.covers(meta("source:/shop/a.jpg?v=")));  // the source is what it was
}

TEST_F(PurgeScopeTest, APresetThatLeavesTheWidthToTheClientIsAnyWidth) {
  PurgeScope s = scope(What::Preset, "wide");
  Viewing viewing{.target = "/shop/a.jpg?p=wide"};
  viewing.hints.width = "777";
  auto named = name_variant(viewing, policy_, 0);
  ASSERT_TRUE(named);
  EXPECT_TRUE(s.covers_path(named->path)) << named->path;
  PurgeScope soft = scope(What::Preset, "soft");
  EXPECT_TRUE(soft.covers_path(path("/shop/a.jpg?p=soft&w=50")));
  EXPECT_FALSE(soft.covers_path(path("/shop/a.jpg?w=50")));
  EXPECT_FALSE(soft.covers_path(path("/shop/a.jpg?w=50&blur=3")));
}

TEST_F(PurgeScopeTest, WhatIsNotThereIsRefusedByName) {
  auto site = scope_of({.site = "shup", .what = What::All}, *policy_);
  ASSERT_FALSE(site);
  EXPECT_THAT(site.error().detail, HasSubstr("shup"));
  auto preset = scope_of({.site = "shop", .what = What::Preset, .value = "crad"}, *policy_);
  ASSERT_FALSE(preset);
  EXPECT_THAT(preset.error().detail, HasSubstr("card, soft, wide"));
}

// The edge passes other languages on in paths that no wildcard can tell apart.
TEST_F(PurgeScopeTest, ASiteOfOtherLanguagesLosesWhatTheEdgePassedOn) {
  policy_->mounts.push_back({.path = "/is/image", .dialect = Dialect::Scene7, .site = "shop"});
  EXPECT_THAT(scope(What::Source, "a.jpg").edge_paths, ElementsAre("/shop/a.jpg/_/*", "/_/ask/*"));
}

TEST(TagMarkers, NameTheSourceAndComeBack) {
  auto markers = tag_markers("/shop/p/a%20b.jpg/_/w-4.webp", "sale sku:4/7~x");
  EXPECT_THAT(markers, ElementsAre("/_tags/shop/sale/p/a%20b.jpg",
                                   "/_tags/shop/sku~3A4~2F7~7Ex/p/a%20b.jpg"));
  for (const std::string& marker : markers) {
    EXPECT_EQ(prefix_of_marker(marker), "/shop/p/a%20b.jpg/_/") << marker;
  }
  EXPECT_TRUE(markers[1].starts_with(marker_prefix("shop", "sku:4/7~x")));
  EXPECT_TRUE(markers[1].starts_with(marker_prefix("shop")));
  EXPECT_TRUE(tag_markers("/shop/p/a.jpg/_/w-4.webp", "").empty());
  EXPECT_TRUE(tag_markers("no path", "sale").empty());
}

// As a store lists it that keeps keys decoded.
TEST(TagMarkers, AreReadInAnySpelling) {
  EXPECT_EQ(prefix_of_marker("/_tags/shop/sale/p/_/a.jpg"), "/shop/p/%5F/a.jpg/_/");
  EXPECT_EQ(prefix_of_marker("/_tags/shop/sale/p/%5F/a.jpg"), "/shop/p/%5F/a.jpg/_/");
  for (const char* bad : {"", "/_tags/", "/_tags/shop/", "/_tags/shop/sale", "/_tags/shop/sale/",
                          "/shop/a.jpg/_/w-4.webp", "/_tags/shop/sale/%zz"}) {
    EXPECT_EQ(prefix_of_marker(bad), "") << bad;
  }
}

TEST(TagMarkers, ATooLongOneStandsForThePathsBeginning) {
  std::string folder = "/shop/" + std::string(400, 'a') + "/" + std::string(400, 'b') + "/";
  std::string source = folder + std::string(400, 'c') + ".jpg";
  auto markers = tag_markers(source + "/_/w-4.webp", "sale");
  ASSERT_EQ(markers.size(), 1u);
  EXPECT_LE(markers[0].size(), 1000u);
  EXPECT_EQ(prefix_of_marker(markers[0]), folder);
  EXPECT_TRUE((source + "/_/w-4.webp").starts_with(prefix_of_marker(markers[0])));
  markers = tag_markers("/shop/" + std::string(1500, 'c') + ".jpg/_/w-4.webp", "sale");
  ASSERT_EQ(markers.size(), 1u);
  EXPECT_EQ(prefix_of_marker(markers[0]), "/shop/");
}

}  // namespace
}  // namespace tintype
