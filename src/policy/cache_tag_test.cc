// SPDX-License-Identifier: Apache-2.0
#include "policy/cache_tag.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace tintype {
namespace {

TEST(CacheTag, IsAWordThatNeedsNoEscape) {
  for (const char* word : {"a", "campaign:spring", "A-Z.a_z~09"}) EXPECT_TRUE(is_cache_tag(word));
  EXPECT_TRUE(is_cache_tag(std::string(64, 'a')));
  EXPECT_FALSE(is_cache_tag(std::string(65, 'a')));
  for (const char* word : {"", "a b", "a,b", "a/b", "a;b", "ä", "a\n", "a*"}) {
    EXPECT_FALSE(is_cache_tag(word)) << word;
  }
}

TEST(CacheTag, ReadsCommasAndSpaces) {
  EXPECT_EQ(read_cache_tags("a,b, c  d\te"), "a b c");
  EXPECT_EQ(read_cache_tags(" b a,,b "), "b a");
  EXPECT_EQ(read_cache_tags("good <script> other;"), "good");
  EXPECT_EQ(read_cache_tags(""), "");
  std::string many;
  for (int i = 0; i < 20; ++i) many += "t" + std::to_string(i) + ",";
  EXPECT_EQ(split(read_cache_tags(many), ' ').size(), 16u);
}

TEST(CacheTag, AddsTheSitesRules) {
  SitePolicy site;
  site.tags = {{"", {"all"}}, {"p/", {"product", "x"}}, {"q/", {"other"}}};
  EXPECT_EQ(cache_tags_of(site, "p/a.jpg", "x y"), "all product x y");
  EXPECT_EQ(cache_tags_of(site, "a.jpg", ""), "all");
  for (int i = 0; i < 40; ++i) site.tags.push_back({"p/", {"t" + std::to_string(i)}});
  EXPECT_EQ(split(cache_tags_of(site, "p/a.jpg", ""), ' ').size(), 32u);
}

}  // namespace
}  // namespace tintype
