// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "policy/bucket_name.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

Result<SitePolicy> read(const std::string& body) {
  TRY(Policy policy, parse_policy("sites:\n  shop:\n" + body, "/etc/tintype"));
  return policy.sites.at("shop");
}

std::string fault_of(const std::string& body) {
  auto site = read(body);
  EXPECT_FALSE(site) << body;
  if (site) return {};
  EXPECT_EQ(site.error().code, ErrorCode::BadRequest);
  EXPECT_THAT(site.error().detail, StartsWith("line "));
  return site.error().detail;
}

std::string fault_of_origin(const std::string& fields) {
  return fault_of("    origin: { " + fields + " }\n");
}

TEST(ParseOrigin, ReadsAChainInItsOrder) {
  auto site = read(R"(
    origins:
      - { s3: shop-originals, prefix: photos, region: eu-central-1, timeout: 2s, max_source: 20MB }
      - s3: old.bucket
        endpoint: "http://127.0.0.1:9000/"
      - url: "https://dam.example/assets"
        oauth: { token_url: "https://dam.example/token?t=1", client_id: id, client_secret: hush,
                 scope: "api read" }
      - { url: "https://cdn.example/", bearer: abc.def }
      - { folder: ./samples }
    cache: { sources: 2m }
)");
  ASSERT_TRUE(site) << site.error().detail;
  EXPECT_EQ(site->origin.kind, OriginRule::Kind::S3);
  EXPECT_EQ(site->origin.bucket, "shop-originals");
  EXPECT_EQ(site->origin.prefix, "photos/");
  EXPECT_EQ(site->origin.region, "eu-central-1");
  EXPECT_EQ(site->origin.timeout_ms, Milliseconds(2'000));
  EXPECT_EQ(site->origin.max_source_bytes, 20'000'000);
  EXPECT_EQ(describe(site->origin), "s3://shop-originals/photos/");
  ASSERT_EQ(site->fallback_origins.size(), 4u);
  EXPECT_EQ(site->fallback_origins[0].endpoint, "http://127.0.0.1:9000");
  EXPECT_EQ(site->fallback_origins[0].prefix, "");
  const OAuthRule oauth{"https://dam.example/token?t=1", "id", "hush", "api read"};
  EXPECT_EQ(site->fallback_origins[1].oauth, oauth);
  EXPECT_THAT(site->fallback_origins[1].headers, IsEmpty());
  EXPECT_EQ(describe(site->fallback_origins[1]), "https://dam.example/assets/");
  EXPECT_THAT(site->fallback_origins[2].headers,
              ElementsAre(Pair("Authorization", "Bearer abc.def")));
  EXPECT_EQ(describe(site->fallback_origins[3]), "/etc/tintype/samples");
  EXPECT_EQ(site->source_ttl, Seconds(120));
}

TEST(ParseOrigin, OneOrSeveralButNotBoth) {
  EXPECT_THAT(fault_of("    origin: { folder: a }\n    origins: [{ folder: b }]\n"),
              HasSubstr("line 4: sites.shop.origins: only one of origin and origins"));
  EXPECT_THAT(fault_of("    formats: [webp]\n"), HasSubstr("origin is missing"));
  EXPECT_THAT(fault_of("    origins: []\n"), HasSubstr("1 to 8 origins"));
  EXPECT_THAT(fault_of("    origins: { folder: a }\n"), HasSubstr("1 to 8 origins"));
  std::string nine = "    origins:\n";
  for (int i = 0; i < 9; ++i) nine += "      - { folder: a }\n";
  EXPECT_THAT(fault_of(nine), HasSubstr("1 to 8 origins"));
  EXPECT_THAT(fault_of("    origins:\n      - { folder: a }\n      - { url: 'ftp://b/' }\n"),
              HasSubstr("line 5: sites.shop.origins[1].url: 'ftp://b/' is not allowed"));
  EXPECT_THAT(fault_of("    origins: [{}]\n"), HasSubstr("exactly one of folder, url and s3"));
  EXPECT_THAT(fault_of("    origins: [{ s3: abc, folder: a }]\n"), HasSubstr("exactly one"));
}

TEST(ParseOrigin, RefusesBadBuckets) {
  for (const char* name : {"ab", "Shop", "a_b", "-abc", "abc-", "a..b", "1.2.3.4", "a/b", "''"}) {
    EXPECT_THAT(fault_of_origin("s3: " + std::string(name)), HasSubstr("origin.s3: ")) << name;
    EXPECT_FALSE(is_bucket_name(name)) << name;
  }
  EXPECT_FALSE(is_bucket_name(std::string(64, 'a')));
  EXPECT_TRUE(is_bucket_name(std::string(63, 'a')));
  EXPECT_TRUE(is_bucket_name("1.2.3.4a"));
  for (const char* prefix : {"/a", "a/../b", ".", "\"a\\nb\""}) {
    EXPECT_THAT(fault_of_origin("s3: abc, prefix: " + std::string(prefix)),
                HasSubstr("the beginning of keys"))
        << prefix;
  }
  for (const char* region : {"EU", "''", "a.b", "a/b"}) {
    EXPECT_THAT(fault_of_origin("s3: abc, region: " + std::string(region)),
                HasSubstr("is not a region"));
  }
  for (const char* url : {"127.0.0.1:9000", "http://h:1/path", "http://h?x=1", "http://"}) {
    EXPECT_THAT(fault_of_origin("s3: abc, endpoint: '" + std::string(url) + "'"),
                HasSubstr("is not allowed"));
  }
  EXPECT_THAT(fault_of_origin("s3: abc, headers: {}"), HasSubstr("headers: is not a known field"));
}

TEST(ParseOrigin, OneWayToSayWhoWeAre) {
  const std::string url = "url: 'https://a/', ";
  const std::string oauth = "oauth: { token_url: 'https://a/t', client_id: i, client_secret: s }";
  EXPECT_TRUE(read("    origin: { " + url + oauth + " }\n"));
  EXPECT_THAT(fault_of_origin(url + "bearer: x, " + oauth), HasSubstr("at most one of bearer"));
  EXPECT_THAT(fault_of_origin(url + "bearer: x, headers: { authorization: y }"),
              HasSubstr("at most one of bearer"));
  EXPECT_THAT(fault_of_origin(url + "headers: { Authorization: y }, " + oauth),
              HasSubstr("at most one of bearer"));
  EXPECT_THAT(fault_of_origin(url + "bearer: ''"), HasSubstr("bearer: a text without"));
  EXPECT_THAT(fault_of_origin(url + "bearer: \"hush\\r\\nX: y\""), Not(HasSubstr("hush")));
  EXPECT_THAT(fault_of_origin("folder: a, bearer: x"), HasSubstr("is not a known field"));
}

TEST(ParseOrigin, RefusesBadOAuth) {
  auto fault = [](const std::string& fields, const std::string& more = "") {
    return fault_of_origin("url: 'https://a/', " + more + "oauth: { " + fields + " }");
  };
  EXPECT_THAT(fault("client_id: i, client_secret: s"), HasSubstr("token_url is missing"));
  EXPECT_THAT(fault("token_url: 'https://a/t', client_secret: s"),
              HasSubstr("client_id is missing"));
  EXPECT_THAT(fault("token_url: 'https://a/t', client_id: i"),
              HasSubstr("client_secret is missing"));
  EXPECT_THAT(fault("token_url: 'http://a/t', client_id: i, client_secret: s"),
              HasSubstr("expected https://"));
  EXPECT_TRUE(
      read("    origin: { url: 'http://a/', allow_private_addresses: true, oauth: { "
           "token_url: 'http://a/t', client_id: i, client_secret: s } }\n"));
  EXPECT_THAT(fault("token_url: 'https://u:hush@a/t', client_id: i, client_secret: s"),
              Not(HasSubstr("hush")));
  EXPECT_THAT(fault("grant: x"), HasSubstr("grant: is not a known field"));
  EXPECT_THAT(fault_of_origin("url: 'https://a/', oauth: x"), HasSubstr("expected { token_url"));
}

TEST(ParseOrigin, ReadsTags) {
  auto site = read(
      "    origin: { folder: a }\n"
      "    tags: [{ tags: [shop] }, { prefix: p/spring/, tags: [\"campaign:spring\", p] }]\n");
  ASSERT_TRUE(site) << site.error().detail;
  EXPECT_THAT(site->tags,
              ElementsAre(TagRule{"", {"shop"}}, TagRule{"p/spring/", {"campaign:spring", "p"}}));
  auto fault = [](const std::string& tags) {
    return fault_of("    origin: { folder: a }\n    tags: " + tags + "\n");
  };
  EXPECT_THAT(fault("[]"), HasSubstr("a list of 1 to 100 rules"));
  EXPECT_THAT(fault("[shop]"), HasSubstr("tags[0]: expected { prefix"));
  EXPECT_THAT(fault("[{ prefix: a }]"), HasSubstr("1 to 16 tags"));
  EXPECT_THAT(fault("[{ tags: [a b] }]"),
              HasSubstr("line 4: sites.shop.tags[0].tags[0]: 'a b' is not a tag"));
  EXPECT_THAT(fault("[{ prefix: /a, tags: [a] }]"), HasSubstr("do not begin with '/'"));
  EXPECT_THAT(fault("[{ prefx: a, tags: [a] }]"), HasSubstr("prefx: is not a known field"));
}

}  // namespace
}  // namespace tintype
