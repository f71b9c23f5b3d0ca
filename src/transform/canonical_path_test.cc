// SPDX-License-Identifier: Apache-2.0
#include "transform/canonical_path.h"

#include <gtest/gtest.h>

#include "transform/option_table.h"

namespace tintype {
namespace {

Transformation cover_800x600() {
  Transformation t;
  t.width_px = 800;
  t.height_px = 600;
  t.fit = Fit::Cover;
  t.format_auto = false;
  t.format = Format::Webp;
  return t;
}

TEST(CanonicalPath, IsSourceThenOptionsThenFormat) {
  Ask ask;
  ask.site = "shop";
  ask.source = "p/4711/front.jpg";
  EXPECT_EQ(canonical_path(ask, cover_800x600()),
            "/shop/p/4711/front.jpg/_/fit-cover_h-600_w-800.webp");
  ask.version = "v1.2-3";
  EXPECT_EQ(canonical_path(ask, cover_800x600()),
            "/shop/p/4711/front.jpg/_/fit-cover_h-600_v-v1.2-3_w-800.webp");
}

TEST(CanonicalPath, WithoutOptionsTheWordIsFull) {
  Transformation t;
  t.format_auto = false;
  EXPECT_EQ(canonical_options(t, ""), "full.jpeg");
  EXPECT_EQ(canonical_options(t, "7"), "v-7.jpeg");
}

TEST(CanonicalPath, SourcesHaveOneSpelling) {
  EXPECT_EQ(source_path("shop", "p/a b.jpg"), "/shop/p/a%20b.jpg");
  EXPECT_EQ(source_path("shop", "\xC3\xBC+(1).jpg"), "/shop/%C3%BC%2B%281%29.jpg");
  EXPECT_EQ(source_path("shop", "100%.jpg"), "/shop/100%25.jpg");
  EXPECT_EQ(source_path("shop", "a?b#c"), "/shop/a%3Fb%23c");
}

TEST(CanonicalPath, ASegmentThatIsTheMarkerIsEncoded) {
  EXPECT_EQ(source_path("shop", "_"), "/shop/%5F");
  EXPECT_EQ(source_path("shop", "_/_/_"), "/shop/%5F/%5F/%5F");
  EXPECT_EQ(source_path("shop", "a/_/b c"), "/shop/a/%5F/b%20c");
  EXPECT_EQ(source_path("shop", "__/_a/a_/a_b"), "/shop/__/_a/a_/a_b");
}

TEST(CanonicalPath, ASourceIsThePrefixOfItsVariants) {
  Ask ask;
  ask.site = "shop";
  ask.source = "_/a b.jpg";
  EXPECT_TRUE(canonical_path(ask, cover_800x600()).starts_with(source_path("shop", ask.source)));
}

TEST(CanonicalOptions, ParsesWhatItPrints) {
  auto parsed = parse_canonical_options("fit-cover_h-600_v-1.x-2_w-800.webp");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->transformation, cover_800x600());
  EXPECT_EQ(parsed->version, "1.x-2");
  EXPECT_EQ(parsed->named, bit_of(OptionId::Fit) | bit_of(OptionId::Height) |
                               bit_of(OptionId::Version) | bit_of(OptionId::Width) |
                               bit_of(OptionId::Format));
}

TEST(CanonicalOptions, EveryOptionCanStandInOne) {
  std::string_view all =
      "bg-00ff0080_blur-0.5_crop-10.5p-0p-20p-30.25p_fit-cover_flip-h_g-fp-0.25-0.3333_h-600_"
      "meta-copyright_q-70_rot-90_sharp-1.25_trim-12_up-1_v-a.b~c_w-800.webp";
  auto parsed = parse_canonical_options(all);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(canonical_options(parsed->transformation, parsed->version), all);
}

TEST(CanonicalOptions, SaysWhatWouldBeCanonical) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"w-800_h-600.webp", "h-600_w-800.webp"},
      {"w-0800.webp", "w-800.webp"},
      {"W-800.webp", "w-800.webp"},
      {"width-800.webp", "w-800.webp"},
      {"w-800.jpg", "w-800.jpeg"},
      {"w-800.WEBP", "w-800.webp"},
      {"dpr-2_w-400.webp", "w-800.webp"},
      {"q-80_w-400.webp", "w-400.webp"},
      {"ar-16-9_w-800.webp", "fit-cover_h-450_w-800.webp"},
      {"ar-16-9.webp", "ar-16-9_fit-cover.webp"},
      {"flip-v.webp", "flip-h_rot-180.webp"},
      {"fit-inside_w-4.webp", "w-4.webp"},
      {"g-top_w-4.webp", "w-4.webp"},
      {"crop-0,0,3,2.webp", "crop-0-0-3-2.webp"},
      {"w-4_w-4.webp", "w-4.webp"},
      {"up-0.webp", "full.webp"},
  };
  for (const auto& [text, canonical] : cases) {
    auto parsed = parse_canonical_options(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::BadRequest);
    EXPECT_EQ(parsed.error().detail, "not canonical: \"" + std::string(text) + "\" is written \"" +
                                         std::string(canonical) + "\"");
    EXPECT_TRUE(parse_canonical_options(canonical)) << canonical;
  }
}

TEST(CanonicalOptions, RefusesWhatItCannotUnderstand) {
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"", "f"},
      {"full", "f"},
      {".webp", ""},
      {"w-800", "f"},
      {"w-800.gif", "f"},
      {"w-800.", "f"},
      {"w-9x.webp", "w"},
      {"w.webp", ""},
      {"w-.webp", "w"},
      {"w-800_.webp", ""},
      {"_w-800.webp", ""},
      {"full_w-800.webp", ""},
      {"p-thumb.webp", "p"},
      {"f-webp.webp", "f"},
      {"x-1.webp", ""},
      {"w-1__h-1.webp", ""},
      {"v-.webp", "v"},
      {"w-800.webp/", "f"},
      {"w%2D800.webp", ""},
      {"Full.webp", ""},
      {"dpr-8_w-16000.webp", "dpr"},
      {"h=600.webp", ""},
  };
  for (const auto& [text, option] : cases) {
    auto parsed = parse_canonical_options(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::BadRequest);
    EXPECT_EQ(parsed.error().option, option) << text;
    EXPECT_TRUE(parsed.error().detail.starts_with("not canonical: ")) << parsed.error().detail;
  }
}

TEST(CacheKey, IsTheSha256OfThePath) {
  // printf /shop/a.jpg/_/full.jpeg | sha256sum
  EXPECT_EQ(cache_key("/shop/a.jpg/_/full.jpeg"),
            "47a8558f71da57eb89298eca1e2ebda933e3cf50f8cfe1e4ce00291415c95508");
}

}  // namespace
}  // namespace tintype
