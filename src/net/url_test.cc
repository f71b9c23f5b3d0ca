// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

const UrlRules kPublic{false, {80, 443}};
const UrlRules kAnyPort{true, {}};

TEST(Url, KnowsTheOrigin) {
  EXPECT_EQ(check_url("https://Dam.Example/a/b.jpg", kPublic)->origin, "https://dam.example:443");
  EXPECT_EQ(check_url("http://dam.example:8080/a", kAnyPort)->origin, "http://dam.example:8080");
  EXPECT_EQ(check_url("http://[2600::1]:80/a", kPublic)->origin, "http://[2600::1]:80");
}

TEST(Url, RefusesWhatIsNotPlainHttp) {
  for (const char* text :
       {"file:///etc/passwd", "gopher://dam.example/", "ftp://dam.example/a", "dict://dam.example/",
        "scp://dam.example/a", "https://user@dam.example/", "https://user:secret@dam.example/",
        "https://127.0.0.1@dam.example/", "https://dam.example:8443/", "http://dam.example:22/",
        "http://dam.example:6379/", "https://dam.example\\@evil.example/",
        "https://dam.example/\r\nX: 1", "https://dam\t.example/",
        "https://127\xe3\x80\x82"
        "0\xe3\x80\x82"
        "0\xe3\x80\x82"
        "1/"}) {
    auto checked = check_url(text, kPublic);
    ASSERT_FALSE(checked) << text;
    EXPECT_EQ(checked.error().code, ErrorCode::Forbidden) << text;
    EXPECT_EQ(checked.error().message.find("secret"), std::string::npos);
    EXPECT_TRUE(checked.error().detail.empty()) << "a URL is nobody's business outside";
  }
}

TEST(Url, RefusesWhatIsNoUrl) {
  for (const char* text :
       {"", "http://", "http://dam.example:99999/", "//dam.example/a", "http://[::1/"}) {
    EXPECT_FALSE(check_url(text, kAnyPort)) << text;
  }
}

TEST(Url, FollowsRelativeAndAbsoluteLocations) {
  Url base = *check_url("https://dam.example/a/b.jpg?x=1", kPublic);
  EXPECT_EQ(follow(base, "c.jpg", kPublic)->text, "https://dam.example/a/c.jpg");
  EXPECT_EQ(follow(base, "/c.jpg", kPublic)->text, "https://dam.example/c.jpg");
  EXPECT_EQ(follow(base, "//cdn.example/c.jpg", kPublic)->text, "https://cdn.example/c.jpg");
  EXPECT_EQ(follow(base, "/with space", kPublic)->text, "https://dam.example/with%20space");
  EXPECT_EQ(follow(base, "https://cdn.example/", kPublic)->origin, "https://cdn.example:443");
}

TEST(Url, DoesNotFollowOutOfTheRules) {
  Url base = *check_url("https://dam.example/a", kPublic);
  for (const char* location : {"http://dam.example/a", "file:///etc/passwd", "gopher://x.example/",
                               "https://user@x.example/", "https://x.example:22/", "/a\nb"}) {
    auto next = follow(base, location, kPublic);
    ASSERT_FALSE(next) << location;
    EXPECT_EQ(next.error().code, ErrorCode::Forbidden) << location;
  }
}

}  // namespace
}  // namespace tintype
