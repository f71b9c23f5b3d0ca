// SPDX-License-Identifier: Apache-2.0
#include "replay/spelling.h"

#include <gtest/gtest.h>

#include "transform/option_table.h"

namespace tintype {
namespace {

constexpr std::string_view kAvif = "image/avif,image/webp,*/*";

SharedPolicy policy_with(std::vector<Mount> mounts) {
  Policy policy;
  SitePolicy site;
  site.name = "shop";
  SitePolicy::OptionSet thumb;
  thumb.transformation.width_px = 100;
  thumb.named = bit_of(OptionId::Width);
  site.presets["thumb"] = thumb;
  policy.sites.emplace("shop", site);
  policy.mounts = std::move(mounts);
  return std::make_shared<const Policy>(std::move(policy));
}

SharedPolicy native() {
  return policy_with({{.path = "/", .dialect = Dialect::Native, .site = "shop"}});
}

NamedTarget must_name(std::string_view target, const SharedPolicy& policy = native()) {
  auto named = name_target({.target = target, .accept = kAvif}, policy);
  EXPECT_TRUE(named) << target << ": " << named.error().detail;
  return named ? *named : NamedTarget{};
}

std::uint16_t bits(std::initializer_list<SpellingDifference> differences) {
  unsigned all = 0;
  for (SpellingDifference difference : differences) all |= bit_of(difference);
  return static_cast<std::uint16_t>(all);
}

TEST(Spelling, EveryDifferenceIsSeen) {
  using enum SpellingDifference;
  struct Expected {
    std::string_view target;
    std::initializer_list<SpellingDifference> differences;
  };
  const Expected kCases[] = {
      {"/a.jpg?f=webp&h=600&w=800", {}},
      {"/a.jpg?h=600&w=800", {Accept}},
      {"/a.jpg?f=auto&w=800", {Accept, Default}},
      {"/a.jpg?f=webp&w=800&h=600", {Order}},
      {"/a.jpg?f=webp&width=800", {Alias}},
      {"/a.jpg?f=webp&W=800", {Case}},
      {"/a.jpg?f=WebP&w=800", {Case}},
      {"/a.jpg?f=webp&rot=0&w=800", {Default}},
      {"/a.jpg?f=webp&w=800&utm_source=mail", {Dropped}},
      {"/a.jpg?f=webp&w=%38%30%30", {Encoding}},
      {"/%61.jpg?f=webp&w=800", {Encoding}},
      {"/a.jpg?f=webp&w=800&w=800", {Duplicate}},
      {"/a.jpg?f=webp&w=0800", {Number}},
      {"/a.jpg?dpr=2&f=webp&w=400", {Folded}},
      {"/a.jpg?dpr=1&f=webp&w=400", {Default}},
      {"/a.jpg?f=webp&p=thumb", {Preset}},
      {"/shop/a.jpg/_/w-800.webp", {}},
  };
  for (const Expected& one : kCases) {
    EXPECT_EQ(must_name(one.target).differences, bits(one.differences)) << one.target;
  }
}

TEST(Spelling, OfAnotherLanguageWhatCanBeSeen) {
  using enum SpellingDifference;
  SharedPolicy policy =
      policy_with({{.path = "/", .dialect = Dialect::Imgix, .site = "shop"},
                   {.path = "/c", .dialect = Dialect::Cloudinary, .site = "shop"}});
  EXPECT_EQ(must_name("/a.jpg?w=800&fm=webp", policy).differences, bits({Language, Order}));
  EXPECT_EQ(must_name("/a.jpg?fm=webp&utm=1&w=8%30", policy).differences,
            bits({Language, Encoding, Dropped}));
  EXPECT_EQ(must_name("/c/image/upload/f_webp,w_800/a.jpg", policy).differences, bits({Language}));
  // imgix has a quality of 75 and enlarges where nothing else is said.
  EXPECT_EQ(must_name("/a.jpg?fm=webp&w=800", policy).path, "/shop/a.jpg/_/q-75_up-1_w-800.webp");
}

TEST(Spelling, TheLadderStepsWidthAndHeight) {
  NamedTarget named = must_name("/a.jpg?w=500&h=250&fit=cover&f=webp");
  EXPECT_EQ(named.path, "/shop/a.jpg/_/fit-cover_h-250_w-500.webp");
  EXPECT_EQ(named.stepped, "/shop/a.jpg/_/fit-cover_h-320_w-640.webp");
  EXPECT_EQ(named.width_px, 500);
  EXPECT_EQ(named.stepped_width_px, 640);
  EXPECT_EQ(must_name("/a.jpg?w=640&f=webp").stepped, must_name("/a.jpg?w=640&f=webp").path);
  EXPECT_EQ(must_name("/a.jpg?h=640&f=webp").stepped_width_px, 0);
  EXPECT_EQ(must_name("/a.jpg?w=5000&f=webp").stepped_width_px, 5000);
}

TEST(Spelling, AcceptIsAClassOfTheRawKeyWhereItIsRead) {
  EXPECT_EQ(must_name("/a.jpg?w=800&f=webp").vary, 0);
  auto avif = name_target({.target = "/a.jpg?w=800", .accept = kAvif}, native());
  auto plain = name_target({.target = "/a.jpg?w=800", .accept = "*/*"}, native());
  ASSERT_TRUE(avif && plain);
  EXPECT_NE(avif->vary, 0);
  EXPECT_NE(avif->vary, plain->vary);
}

TEST(Spelling, RawParameters) {
  EXPECT_TRUE(raw_parameters("/a.jpg").empty());
  EXPECT_EQ(raw_parameters("/a.jpg?a=1&&b").size(), 2u);
  EXPECT_EQ(raw_name("a%20=1=2"), "a%20");
  EXPECT_EQ(without_parameter("/a.jpg?a=1&b=2&a=3&c", "a"), "/a.jpg?b=2&c");
  EXPECT_EQ(without_parameter("/a.jpg?a=1", "a"), "/a.jpg");
  EXPECT_EQ(without_parameter("/a.jpg?a=1", "b"), "/a.jpg?a=1");
}

}  // namespace
}  // namespace tintype
