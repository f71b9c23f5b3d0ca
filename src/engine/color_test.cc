// SPDX-License-Identifier: Apache-2.0
// Colour: depth, grey, CMYK and profiles become 8-bit sRGB.
#include <gtest/gtest.h>

#include "engine/pictures_testing.h"

namespace tintype {
namespace {

using namespace testing;

Pixels solid(std::initializer_list<int> color, Size size = {32, 32}) {
  Pixels p(size, static_cast<int>(color.size()));
  p.fill({0, 0, size.width_px, size.height_px}, color);
  return p;
}

void attach_profile(VipsImage* image, const char* name) {
  VipsBlob* blob = nullptr;
  ASSERT_EQ(vips_profile_load(name, &blob, nullptr), 0) << vips_error_buffer();
  std::size_t size = 0;
  const void* data = vips_blob_get(blob, &size);
  vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, data, size);
  vips_area_unref(VIPS_AREA(blob));
}

TEST(RenderColor, SixteenBitsBecomeEight) {
  // 0x8080 a channel, with and without alpha; stored as 16-bit PNG.
  for (int bands : {1, 2, 3, 4}) {
    SCOPED_TRACE(bands);
    std::vector<std::uint16_t> deep(std::size_t{32} * 32 * bands, 0x8080);
    VipsImage* image =
        vips_image_new_from_memory(deep.data(), deep.size() * 2, 32, 32, bands, VIPS_FORMAT_USHORT);
    VipsImage* named = nullptr;
    vips_copy(image, &named, "interpretation",
              bands < 3 ? VIPS_INTERPRETATION_GREY16 : VIPS_INTERPRETATION_RGB16, nullptr);
    void* data = nullptr;
    std::size_t size = 0;
    ASSERT_EQ(vips_pngsave_buffer(named, &data, &size, "bitdepth", 16, nullptr), 0);
    const auto* first = static_cast<const std::uint8_t*>(data);
    const Bytes source(first, first + size);
    g_free(data);
    g_object_unref(named);
    g_object_unref(image);
    ASSERT_EQ(sniff(source)->bits, 16);
    const Pixels out = rendered(to(Format::Png, 20, 20, Fit::Inside), source);
    ASSERT_EQ(out.bands, bands);
    for (int band = 0; band < bands; ++band) EXPECT_NEAR(out.at(10, 10)[band], 128, 1);
  }
}

TEST(RenderColor, GreyStaysGrey) {
  const Bytes source = stored_as(Format::Jpeg, solid({90}));
  for (Format target : {Format::Jpeg, Format::Png}) {
    const Pixels out = rendered(to(target, 16, 16, Fit::Inside), source);
    EXPECT_EQ(out.bands, 1);
    EXPECT_TRUE(is_near(out, {8, 8}, {90}, 2));
  }
  EXPECT_TRUE(
      is_near(rendered(to(Format::Webp, 16, 16, Fit::Inside), source), {8, 8}, {90, 90, 90}, 3));
}

TEST(RenderColor, CmykBecomesRgb) {
  auto cmyk = [](VipsImage* image) { image->Type = VIPS_INTERPRETATION_CMYK; };
  const Bytes red = stored_as(Format::Jpeg, solid({0, 255, 255, 0}), cmyk);
  ASSERT_EQ(sniff(red)->color_model, ColorModel::Cmyk);
  Pixels out = rendered(to(Format::Png), red);
  ASSERT_EQ(out.bands, 3);
  EXPECT_GT(out.at(5, 5)[0], 190);
  EXPECT_LT(out.at(5, 5)[1], 70);
  EXPECT_LT(out.at(5, 5)[2], 70);
  out = rendered(to(Format::Png), stored_as(Format::Jpeg, solid({0, 0, 0, 0}), cmyk));
  EXPECT_TRUE(is_near(out, {5, 5}, {255, 255, 255}, 4));
  out = rendered(to(Format::Png), stored_as(Format::Jpeg, solid({0, 0, 0, 255}), cmyk));
  EXPECT_LT(out.at(5, 5)[1], 70);
}

TEST(RenderColor, ForeignProfilesAreConverted) {
  const Bytes plain = stored_as(Format::Png, solid({200, 100, 50}));
  const Bytes p3 = stored_as(Format::Png, solid({200, 100, 50}),
                             [](VipsImage* image) { attach_profile(image, "p3"); });
  EXPECT_TRUE(is_near(rendered(to(Format::Png), plain), {5, 5}, {200, 100, 50}, 0));
  // Display P3 (200,100,50) in sRGB, by the primaries of SMPTE EG 432-1: about (215, 94, 34).
  EXPECT_TRUE(is_near(rendered(to(Format::Png), p3), {5, 5}, {215, 94, 34}, 4));
}

// The profile must outlive the loader: a use after free in libvips' HEIF loader was found here.
TEST(RenderColor, ForeignProfilesOfEveryLoader) {
  for (Format from : {Format::Jpeg, Format::Webp, Format::Avif, Format::Tiff}) {
    SCOPED_TRACE(name_of(from));
    const Bytes p3 = stored_as(from, solid({200, 100, 50}),
                               [](VipsImage* image) { attach_profile(image, "p3"); });
    EXPECT_TRUE(is_near(rendered(to(Format::Png), p3), {5, 5}, {215, 94, 34}, 6));
  }
}

TEST(RenderColor, ForeignProfileWithAlphaKeepsAlpha) {
  const Bytes p3 = stored_as(Format::Png, solid({200, 100, 50, 128}),
                             [](VipsImage* image) { attach_profile(image, "p3"); });
  const Pixels out = rendered(to(Format::Png, 16, 16, Fit::Inside), p3);
  ASSERT_EQ(out.bands, 4);
  EXPECT_TRUE(is_near(out, {5, 5}, {215, 94, 34, 128}, 4));
}

TEST(RenderColor, SrgbProfileChangesNothing) {
  const Bytes tagged = stored_as(Format::Png, solid({201, 13, 77}),
                                 [](VipsImage* image) { attach_profile(image, "srgb"); });
  EXPECT_TRUE(is_near(rendered(to(Format::Png), tagged), {5, 5}, {201, 13, 77}, 1));
}

TEST(RenderColor, BrokenProfilesAreIgnored) {
  for (std::size_t size : {std::size_t{1}, std::size_t{128}, std::size_t{400}, std::size_t{4000}}) {
    SCOPED_TRACE(size);
    // A JPEG's profile is handed on unread, unlike a PNG's.
    const Bytes broken = stored_as(Format::Jpeg, solid({200, 100, 50}), [&](VipsImage* image) {
      Bytes junk(size);
      for (std::size_t i = 0; i < size; ++i) junk[i] = static_cast<std::uint8_t>(i * 37 + 11);
      vips_image_set_blob_copy(image, VIPS_META_ICC_NAME, junk.data(), junk.size());
    });
    EXPECT_TRUE(is_near(rendered(to(Format::Png), broken), {5, 5}, {200, 100, 50}, 3));
  }
}

}  // namespace
}  // namespace tintype
