// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include "transform/settle.h"

namespace tintype {
namespace {

constexpr Format kOrder[] = {Format::Avif, Format::Webp};

Format chosen(std::string_view accept, std::string_view source = "a.jpg") {
  return negotiate_format({.accept = accept}, kOrder, source);
}

TEST(Negotiate, TakesTheFirstOfTheOrderAmongEquals) {
  // Chrome, Firefox and Safari of 2024.
  EXPECT_EQ(chosen("image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8"),
            Format::Avif);
  EXPECT_EQ(chosen("image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5"),
            Format::Avif);
  EXPECT_EQ(chosen("image/webp,image/avif,image/jxl,image/heic,video/*;q=0.8,image/png,*/*;q=0.5"),
            Format::Avif);
  EXPECT_EQ(chosen("image/webp,*/*"), Format::Webp);
  Format webp_first[] = {Format::Webp, Format::Avif};
  EXPECT_EQ(negotiate_format({.accept = "image/avif,image/webp"}, webp_first, "a"), Format::Webp);
}

TEST(Negotiate, AHigherWeightBeatsTheOrder) {
  EXPECT_EQ(chosen("image/avif;q=0.5, image/webp;q=0.9"), Format::Webp);
  EXPECT_EQ(chosen("image/avif;q=0.900, image/webp;q=0.9"), Format::Avif);
  EXPECT_EQ(chosen("image/avif;q=0.001, image/webp;q=0.002"), Format::Webp);
}

TEST(Negotiate, ZeroRefuses) {
  EXPECT_EQ(chosen("image/avif;q=0, image/webp"), Format::Webp);
  EXPECT_EQ(chosen("image/avif;q=0.000, image/webp;q=0.0"), Format::Jpeg);
  EXPECT_EQ(chosen("image/avif, image/avif;q=0"), Format::Jpeg);
  EXPECT_EQ(chosen("image/avif;q=0, image/avif"), Format::Jpeg);
}

TEST(Negotiate, WildcardsNeverChoose) {
  EXPECT_EQ(chosen("*/*"), Format::Jpeg);
  EXPECT_EQ(chosen("image/*"), Format::Jpeg);
  EXPECT_EQ(chosen("image/png,image/*;q=0.8,*/*;q=0.5"), Format::Jpeg);
  EXPECT_EQ(chosen(""), Format::Jpeg);
}

TEST(Negotiate, FallsBackByTheSourcesName) {
  EXPECT_EQ(chosen("", "a.PNG"), Format::JpegOrPng);
  EXPECT_EQ(chosen("", "x/logo.gif"), Format::JpegOrPng);
  EXPECT_EQ(chosen("", "a.png.jpg"), Format::Jpeg);
  EXPECT_EQ(chosen("", "png"), Format::JpegOrPng);
  EXPECT_EQ(chosen("image/webp", "a.png"), Format::Webp);
}

TEST(Negotiate, ToleratesCaseSpaceParametersAndQuotedStrings) {
  EXPECT_EQ(chosen(" IMAGE/AVIF \t; Q=0.5 , image/webp;q=0.4"), Format::Avif);
  EXPECT_EQ(chosen("image/avif;codecs=\"av01,image/webp;q=0\";q=0.3,image/webp;q=0.2"),
            Format::Avif);
  EXPECT_EQ(chosen("image/avif;x=\"a\\\",b\";q=0.3,image/webp;q=0.2"), Format::Avif);
  EXPECT_EQ(chosen(",,image/webp,,"), Format::Webp);
  EXPECT_EQ(chosen("image/webp;level"), Format::Webp);
}

TEST(Negotiate, LeavesMalformedMembersOut) {
  for (std::string_view weight : {"q=", "q=abc", "q=1.5", "q=-1", "q=0.1234", "q=1.001", "q=2",
                                  "q=.5", "q=0,5", "q=\"1\"", "q=1e0"}) {
    std::string accept = "image/avif;" + std::string(weight) + ", image/webp;q=0.1";
    EXPECT_EQ(chosen(accept), Format::Webp) << accept;
  }
  EXPECT_EQ(chosen("image/webp, image/avif;x=\"never closed"), Format::Webp);
  EXPECT_EQ(chosen("image/avifx, ximage/avif, image / avif, image/webp/avif"), Format::Jpeg);
}

TEST(Negotiate, TheOrderMayNameJpeg) {
  Format order[] = {Format::Webp, Format::Jpeg};
  EXPECT_EQ(negotiate_format({.accept = "image/jpeg, image/webp;q=0.5"}, order, "a.png"),
            Format::Jpeg);
  EXPECT_EQ(negotiate_format({.accept = "image/avif"}, order, "a.png"), Format::JpegOrPng);
  EXPECT_EQ(negotiate_format({.accept = "image/avif"}, {}, "a.png"), Format::JpegOrPng);
}

RC_GTEST_PROP(Negotiate, AnyTextGivesOneOfFourFormatsAndNeverARefusedOne,
              (const std::string& junk)) {
  for (char separator : {',', ';', '"', ' '}) {
    Format format = chosen("image/avif;q=0," + junk + separator + junk);
    RC_ASSERT(format == Format::Webp || format == Format::Jpeg);
  }
  RC_ASSERT(chosen(junk) == Format::Jpeg || junk.find("mage/") != std::string::npos);
}

}  // namespace
}  // namespace tintype
