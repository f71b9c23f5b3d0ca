// SPDX-License-Identifier: Apache-2.0
#include "cli/warm_sources.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/signing.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class WarmSourcesTest : public testing::Test {
 protected:
  WarmSourcesTest() {
    auto policy = parse_policy(
        "sites: { shop: { origin: { folder: x }, mounts: [ { path: /img, dialect: imgix } ] }, "
        "press: { origin: { folder: y } } }",
        "/etc");
    EXPECT_TRUE(policy) << policy.error().detail;
    policy_ = std::move(*policy);
  }
  ~WarmSourcesTest() override { std::filesystem::remove(path_); }

  WarmSources from(const std::string& strip_prefix = {}) {
    return WarmSources(policy_, "shop", strip_prefix);
  }
  const std::string& file(const std::string& text) {
    std::ofstream(path_, std::ios::trunc) << text;
    return path_;
  }

  Policy policy_;
  std::string path_ = testing::TempDir() + "warm_sources_" +
                      testing::UnitTest::GetInstance()->current_test_info()->name();
};

TEST_F(WarmSourcesTest, ListsOfPaths) {
  WarmSources list = from();
  ASSERT_TRUE(list.add_skus(file("# pictures\n/p/a.jpg\r\n\n  p/b c.jpg \np/a.jpg\n../x\n"), ""));
  EXPECT_THAT(list.sources(), ElementsAre("p/a.jpg", "p/b c.jpg"));
  EXPECT_EQ(list.passed_over(), 1u);
  EXPECT_EQ(list.example(), "../x");
}

TEST_F(WarmSourcesTest, SkusInAPattern) {
  WarmSources list = from();
  ASSERT_TRUE(list.add_skus(file("4711\n4712\n"), "p/{}/front.jpg"));
  ASSERT_TRUE(list.add_skus(file("4711\n"), "p/{sku}/back.jpg"));
  EXPECT_THAT(list.sources(),
              ElementsAre("p/4711/front.jpg", "p/4712/front.jpg", "p/4711/back.jpg"));
  EXPECT_THAT(list.add_skus(file("4711\n"), "p/x.jpg").error().detail, HasSubstr("{}"));
  EXPECT_FALSE(list.add_skus("/does/not/exist", ""));
}

TEST_F(WarmSourcesTest, Listings) {
  WarmSources list = from("shop/");
  ASSERT_TRUE(list.add_listing(
      file("2026-11-24 17:00:01     123456 shop/a b.jpg\n2026-11-24 17:00:01  0 shop/folder/\n"
           "2026-11-24 17:00:02     99 shop/notes.txt\n2026-11-24 17:00:02 99 other/c.png\n"
           "shop/d.PNG\n")));
  EXPECT_THAT(list.sources(), ElementsAre("a b.jpg", "d.PNG"));
  EXPECT_EQ(list.passed_over(), 3u);
}

TEST_F(WarmSourcesTest, LogsTheMostAskedFirst) {
  std::string line = "192.0.2.7 - - [24/Nov/2026:12:00:00 +0000] \"GET ";
  std::string end = " HTTP/1.1\" 200 5 \"-\" \"-\"\n";
  std::string text;
  for (const char* target : {"/shop/b.jpg?w=1", "/img/a.jpg?w=100", "/shop/a.jpg/_/w-400.webp",
                             "/press/c.jpg", "/shop/c.jpg", "/favicon.ico"}) {
    text += line + target + end;
  }
  WarmSources list = from();
  ASSERT_TRUE(list.add_log(file(text), 10));
  EXPECT_THAT(list.sources(), ElementsAre("a.jpg", "b.jpg", "c.jpg"));
  EXPECT_EQ(list.passed_over(), 2u);
  WarmSources top = from();
  ASSERT_TRUE(top.add_log(path_, 1));
  EXPECT_THAT(top.sources(), ElementsAre("a.jpg"));
}

TEST_F(WarmSourcesTest, SitemapsAndTheirIndex) {
  std::map<std::string, std::string> web{
      {"index",
       "<sitemapindex><sitemap><loc>one</loc></sitemap>"
       "<sitemap><loc>index</loc></sitemap></sitemapindex>"},
      {"one",
       "<urlset><url><loc>https://shop.example/p/1</loc>"
       "<image:image><image:loc>https://img.example/shop/a.jpg?w=800&amp;f=auto</image:loc>"
       "</image:image><image:image><image:loc>https://dam.example/assets/b%20c.jpg?x=1</image:loc>"
       "</image:image></url><url><loc>https://img.example/img/d.webp</loc></url></urlset>"}};
  WarmSources list = from("https://dam.example/assets/");
  auto read = [&](const std::string& where) -> Result<std::string> { return web.at(where); };
  ASSERT_TRUE(list.add_sitemap("index", read));
  EXPECT_THAT(list.sources(), ElementsAre("a.jpg", "b c.jpg", "d.webp"));
  EXPECT_EQ(list.passed_over(), 1u);
  EXPECT_EQ(list.example(), "https://shop.example/p/1");
}

TEST_F(WarmSourcesTest, SitemapsThatCannotBeRead) {
  WarmSources list = from();
  auto gone = [](const std::string&) -> Result<std::string> {
    return fail_public(ErrorCode::NotFound, "gone");
  };
  EXPECT_FALSE(list.add_sitemap("x", gone));
  auto torn = [](const std::string&) -> Result<std::string> { return std::string("\x1f\x8b\x08"); };
  EXPECT_EQ(list.add_sitemap("x", torn).error().code, ErrorCode::Corrupt);
  EXPECT_THAT(list.sources(), IsEmpty());
}

}  // namespace
}  // namespace tintype
