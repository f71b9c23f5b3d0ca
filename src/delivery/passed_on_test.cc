// SPDX-License-Identifier: Apache-2.0
#include "delivery/passed_on.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/text.h"
#include "delivery/naming.h"
#include "policy/signature.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

SharedPolicy shop() {
  Policy policy;
  policy.sites["shop"].name = "shop";
  policy.sites["shop"].signing_keys = {};
  policy.mounts.push_back({.path = "/is/image", .dialect = Dialect::Scene7, .site = "shop"});
  return std::make_shared<const Policy>(std::move(policy));
}

std::string path_of(std::string_view target, Hints hints = {}) {
  auto named = name_variant({.target = target, .hints = hints}, shop(), 0);
  return named ? named->path : "error " + named.error().option + ": " + named.error().detail;
}

TEST(PassedOn, IsNamedAsIfTheClientHadAsked) {
  EXPECT_EQ(path_of("/_/ask/,,,/%2Fis%2Fimage%2Fa%3Fwid%3D8"), path_of("/is/image/a?wid=8"));
  EXPECT_EQ(path_of("/_/ask/webp,,,/%2Fshop%2Fa.jpg%3Fw%3D8"), "/shop/a.jpg/_/w-8.webp");
  EXPECT_EQ(path_of("/_/ask/webp,,,/%2Fshop%2Fa%2520b.jpg"), "/shop/a%20b.jpg/_/full.webp");
  EXPECT_EQ(path_of("/_/ask/avif,150,,/%2Fshop%2Fa.jpg%3Fw%3D8%26dpr%3Dauto"),
            "/shop/a.jpg/_/w-12.avif");
  EXPECT_EQ(path_of("/_/ask/,,320,/%2Fshop%2Fa.jpg%3Fw%3Dauto"), "/shop/a.jpg/_/w-320.jpeg");
  EXPECT_EQ(path_of("/_/ask/,,,1/%2Fshop%2Fa.jpg%3Fq%3Dauto"), "/shop/a.jpg/_/q-60.jpeg");
}

TEST(PassedOn, TheEdgesOwnHeadersAreNotRead) {
  EXPECT_EQ(path_of("/_/ask/,,,/%2Fshop%2Fa.jpg", {.accept = "image/avif"}),
            "/shop/a.jpg/_/full.jpeg");
}

TEST(PassedOn, ConfersNoTrust) {
  auto policy = std::make_shared<Policy>(*shop());
  policy->sites["shop"].signing_keys = {"0123456789abcdef"};
  Viewing viewing{.target = "/_/ask/,,,/%2Fshop%2Fa.jpg%2F_%2Fw-8.jpeg"};
  viewing.is_edge = true;
  auto named = name_variant(viewing, policy, 0);
  ASSERT_FALSE(named);
  EXPECT_EQ(named.error().code, ErrorCode::Forbidden);
}

// Whoever asks, and in whatever wrapping: only what is signed is answered.
TEST(PassedOn, WhereTheServiceVerifiesThereIsNoUnsignedWayIn) {
  auto policy = std::make_shared<Policy>(*shop());
  SitePolicy& site = policy->sites["shop"];
  site.signing_keys = {"0123456789abcdef"};
  site.verify_at_service = true;
  Ask ask{.site = "shop", .source = "a.jpg"};
  ask.transformation.width_px = 8;
  ask.named = bit_of(OptionId::Width);
  std::string signature = sign(ask, site.signing_keys[0]);
  auto is_let_in = [&](const std::string& target, bool is_edge) {
    return name_variant({.target = target, .is_edge = is_edge}, policy, 0).has_value();
  };
  for (bool is_edge : {false, true}) {
    EXPECT_FALSE(is_let_in("/shop/a.jpg?w=8", is_edge));
    EXPECT_FALSE(is_let_in("/shop/a.jpg/_/w-8.jpeg", is_edge));
    EXPECT_FALSE(is_let_in("/_/ask/,,,/%2Fshop%2Fa.jpg%3Fw%3D8", is_edge));
    EXPECT_FALSE(is_let_in("/_/ask/,,,/%2Fshop%2Fa.jpg%2F_%2Fw-8.jpeg", is_edge));
    EXPECT_TRUE(is_let_in("/shop/a.jpg?w=8&s=" + signature, is_edge));
    EXPECT_TRUE(is_let_in("/_/ask/,,,/%2Fshop%2Fa.jpg%3Fw%3D8%26s%3D" + signature, is_edge));
    EXPECT_FALSE(is_let_in("/_/ask/,,,/%2Fshop%2Fa.jpg%3Fw%3D9%26s%3D" + signature, is_edge));
  }
}

// What the vectors say that the edge makes of a target is read back as that target.
TEST(PassedOn, ReadsWhatTheEdgeWrites) {
  std::ifstream in(TINTYPE_ROOT "/spec/vectors/policy.txt");
  int seen = 0;
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("pass ")) continue;
    std::size_t arrow = line.rfind(" -> ");
    ASSERT_NE(arrow, std::string::npos) << line;
    std::string_view request = std::string_view(line).substr(5, arrow - 5);
    auto passed = read_passed_on(std::string_view(line).substr(arrow + 4));
    ASSERT_TRUE(passed && *passed) << line;
    EXPECT_EQ((*passed)->target, trim(request.substr(0, request.find(" | "))));
    ++seen;
  }
  EXPECT_GE(seen, 5);
}

TEST(PassedOn, RefusesWhatIsMalformed) {
  for (const char* target :
       {"/_/ask/", "/_/ask/,,,", "/_/ask/,,/%2Fa", "/_/ask/,,,/a", "/_/ask/,,,/%2", "/_/ask/,,,/",
        "/_/ask/gif,,,/%2Fa", "/_/ask/,x,,/%2Fa", "/_/ask/,-1,,/%2Fa", "/_/ask/,,1000000,/%2Fa",
        "/_/ask/,,,2/%2Fa", "/_/ask/,,,/%2F_%2Fask%2F,,,/%2Fa"}) {
    auto passed = read_passed_on(target);
    EXPECT_FALSE(passed) << target;
  }
  EXPECT_FALSE(read_passed_on("/_/asks/,,,/%2Fa").value());
  EXPECT_FALSE(read_passed_on("/shop/_/ask/,,,/%2Fa").value());
}

}  // namespace
}  // namespace tintype
