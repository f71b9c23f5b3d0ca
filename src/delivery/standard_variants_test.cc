// SPDX-License-Identifier: Apache-2.0
#include "delivery/standard_variants.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/text.h"
#include "delivery/naming.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

SharedPolicy policy_of(const std::string& rules) {
  auto policy = parse_policy("sites:\n  shop:\n    origin: { folder: ./x }\n" + rules, "/etc");
  if (!policy) ADD_FAILURE() << policy.error().detail;
  return std::make_shared<const Policy>(std::move(*policy));
}

const std::string kPresets =
    "    presets: { card: 'w=400&h=400&fit=cover', hero: 'w=1600&f=webp' }\n";

std::vector<std::string> paths_of(const SitePolicy& site, const std::string& source,
                                  const std::vector<std::string>& presets) {
  std::vector<std::string> accepts = accepts_of(site);
  auto variants = standard_variants(site, {source, presets, accepts});
  std::vector<std::string> paths;
  if (!variants) {
    ADD_FAILURE() << variants.error().detail;
    return paths;
  }
  for (const StandardVariant& variant : *variants) paths.push_back(variant.path);
  return paths;
}

TEST(StandardVariants, EachFormatOfEachPreset) {
  SharedPolicy policy = policy_of(kPresets);
  EXPECT_THAT(paths_of(policy->sites.at("shop"), "p/a b.jpg", {"card", "hero"}),
              ElementsAre("/shop/p/a%20b.jpg/_/fit-cover_h-400_w-400.avif",
                          "/shop/p/a%20b.jpg/_/fit-cover_h-400_w-400.webp",
                          "/shop/p/a%20b.jpg/_/fit-cover_h-400_w-400.jpeg",
                          "/shop/p/a%20b.jpg/_/w-1600.webp"));
}

// They are worth nothing unless they are what browsers come to.
TEST(StandardVariants, AreWhatRequestsComeTo) {
  SharedPolicy policy = policy_of(kPresets + "    formats: [webp]\n    defaults: { q: 70 }\n");
  const SitePolicy& site = policy->sites.at("shop");
  std::vector<std::string> asked;
  for (const char* accept : {"image/avif,image/webp,*/*", ""}) {
    auto named = name_variant({.target = "/shop/cut-out.png?p=card", .hints = {.accept = accept}},
                              policy, 1);
    ASSERT_TRUE(named) << named.error().detail;
    asked.push_back(named->path);
  }
  EXPECT_EQ(paths_of(site, "cut-out.png", {"card"}), asked);
}

TEST(StandardVariants, SayWhatIsWrong) {
  SharedPolicy policy = policy_of(kPresets);
  const SitePolicy& site = policy->sites.at("shop");
  const std::vector<std::string> accepts = accepts_of(site), known = {"card"}, other = {"zoom"};
  auto fault = standard_variants(site, {"a.jpg", other, accepts});
  ASSERT_FALSE(fault);
  EXPECT_THAT(fault.error().detail, HasSubstr("zoom"));
  EXPECT_FALSE(standard_variants(site, {"../a.jpg", known, accepts}));
  EXPECT_FALSE(standard_variants(site, {"", known, accepts}));
}

}  // namespace
}  // namespace tintype
