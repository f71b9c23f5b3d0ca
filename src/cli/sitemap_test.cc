// SPDX-License-Identifier: Apache-2.0
#include "cli/sitemap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Sitemap, PagesAndPictures) {
  Sitemap map = parse_sitemap(R"(<?xml version="1.0"?>
<!-- <url><loc>https://x/no</loc></url> -->
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="x">
  <url>
    <loc> https://shop.example/p/1?a=1&amp;b=&#50;&#x33; </loc><lastmod>2026-11-24</lastmod>
    <image:image><image:loc><![CDATA[https://img.example/a&b.jpg]]></image:loc>
      <image:title>A <b>loc</b></image:title></image:image>
    <image:image><image:loc>https://img.example/b.jpg</image:loc></image:image>
  </url>
  <url><loc>https://shop.example/p/2</loc><empty/></url>
</urlset>)");
  EXPECT_THAT(map.pages,
              ElementsAre("https://shop.example/p/1?a=1&b=23", "https://shop.example/p/2"));
  EXPECT_THAT(map.pictures,
              ElementsAre("https://img.example/a&b.jpg", "https://img.example/b.jpg"));
  EXPECT_THAT(map.sitemaps, IsEmpty());
}

TEST(Sitemap, Index) {
  Sitemap map = parse_sitemap(
      "<sitemapindex><sitemap><loc>https://x/1.xml.gz</loc></sitemap>"
      "<sitemap><loc>https://x/2.xml</loc></sitemap></sitemapindex>");
  EXPECT_THAT(map.sitemaps, ElementsAre("https://x/1.xml.gz", "https://x/2.xml"));
  EXPECT_THAT(map.pages, IsEmpty());
}

TEST(Sitemap, AnythingElseIsEmpty) {
  for (const char* text :
       {"", "<", "<loc>x</loc>", "<url><loc>x", "</url>", "<url><loc></loc></url>",
        "hello & good bye", "<!--", "<![CDATA[", "<html><body>&#999;</body>"}) {
    Sitemap map = parse_sitemap(text);
    EXPECT_TRUE(map.pages.empty() && map.pictures.empty() && map.sitemaps.empty()) << text;
  }
}

}  // namespace
}  // namespace tintype
