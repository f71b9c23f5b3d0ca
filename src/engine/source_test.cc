// SPDX-License-Identifier: Apache-2.0
// What a source may carry or lack: damage, metadata, borders.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include <gtest/gtest.h>

#include "engine/pictures_testing.h"

namespace tintype {
namespace {

using namespace testing;

// Detail that no encoder can leave out.
Pixels noise(Size size, int bands = 3) {
  Pixels p(size, bands);
  std::uint32_t state = 12345;
  for (auto& byte : p.data) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return p;
}

TEST(RenderSource, TruncatedSourcesAreCorrupt) {
  for (Format from : {Format::Jpeg, Format::Png, Format::Webp, Format::Avif, Format::Gif}) {
    const Bytes whole = stored_as(from, noise({96, 96}));
    const ImageInfo info = sniff(whole).value();
    const Plan planned = plan(to(Format::Png, 40, 40, Fit::Inside), info, {}).value();
    ASSERT_TRUE(render(planned, whole, {}));
    for (int share_pct : {50, 75, 90, 98}) {
      SCOPED_TRACE(std::string(name_of(from)) + " cut at " + std::to_string(share_pct));
      const auto variant =
          render(planned, ByteView(whole).first(whole.size() * share_pct / 100), {});
      ASSERT_FALSE(variant);
      EXPECT_EQ(variant.error().code, ErrorCode::Corrupt);
      EXPECT_EQ(variant.error().detail.find("the source picture is damaged: it "), 0u);
      EXPECT_EQ(variant.error().detail.find("vips"), std::string::npos);
      EXPECT_NE(variant.error().message, variant.error().detail);
    }
  }
}

TEST(RenderSource, LyingHeadersAreCorrupt) {
  const Bytes source = stored_as(Format::Png, quadrants());
  ImageInfo info = sniff(source).value();
  info.stored = {640, 480};
  const auto variant = render(plan(to(Format::Png), info, {}).value(), source, {});
  ASSERT_FALSE(variant);
  EXPECT_EQ(variant.error().code, ErrorCode::Corrupt);
  EXPECT_NE(variant.error().detail.find("header"), std::string::npos);
}

TEST(RenderSource, AFailureLeavesNothingBehind) {
  const Bytes source = stored_as(Format::Jpeg, quadrants());
  const Plan planned = plan(to(Format::Png), sniff(source).value(), {}).value();
  const auto first = render(planned, ByteView(source).first(source.size() / 2), {});
  ASSERT_FALSE(first);
  EXPECT_STREQ(vips_error_buffer(), "");
  EXPECT_TRUE(render(planned, source, {}));
}

bool holds(const Bytes& bytes, std::string_view text) {
  return text_of(bytes).find(text) != std::string_view::npos;
}

Bytes with_metadata(Format format) {
  return stored_as(format, quadrants(), [](VipsImage* image) {
    vips_image_set_string(image, "exif-ifd0-Copyright", "(c) Tintype Shop");
    vips_image_set_string(image, "exif-ifd0-Artist", "A. Photographer");
    vips_image_set_string(image, "exif-ifd0-Model", "SECRETMODEL");
    vips_image_set_string(image, "exif-ifd3-GPSLatitude", "52/1 31/1 12/1");
    vips_image_set_string(image, "exif-ifd3-GPSDateStamp", "2001:02:03");
    constexpr std::string_view kXmp = "<x:xmpmeta>SECRETXMP</x:xmpmeta>";
    vips_image_set_blob_copy(image, VIPS_META_XMP_NAME, kXmp.data(), kXmp.size());
  });
}

TEST(RenderSource, MetadataIsGone) {
  for (Format from : {Format::Jpeg, Format::Webp, Format::Tiff}) {
    const Bytes source = with_metadata(from);
    ASSERT_TRUE(holds(source, "SECRETXMP"));
    for (Format target : {Format::Jpeg, Format::Png, Format::Webp, Format::Avif}) {
      SCOPED_TRACE(std::string(name_of(from)) + " to " + std::string(name_of(target)));
      const auto variant = try_render(to(target), source);
      ASSERT_TRUE(variant);
      for (const char* text : {"SECRET", "2001:02:03", "Exif\0", "Tintype", "Photographer"}) {
        EXPECT_FALSE(holds(variant->bytes, text)) << text;
      }
    }
  }
}

std::string field_of(const Bytes& bytes, const char* name) {
  VipsImage* image = nullptr;
  EXPECT_EQ(load(bytes, &image), 0);
  const char* text = nullptr;
  const std::string found = vips_image_get_string(image, name, &text) == 0 ? text : "";
  vips_error_clear();
  g_object_unref(image);
  return found;
}

TEST(RenderSource, WebpHasNoChunkTooMany) {
  const auto opaque = try_render(to(Format::Webp), with_metadata(Format::Jpeg));
  ASSERT_TRUE(opaque);
  EXPECT_EQ(text_of(opaque->bytes).substr(12, 4), "VP8 ");
  Pixels clear({20, 20}, 4);
  clear.fill({5, 5, 5, 5}, {255, 0, 0, 255});
  const auto with_alpha = try_render(to(Format::Webp), stored_as(Format::Png, clear));
  ASSERT_TRUE(with_alpha);
  EXPECT_EQ(text_of(with_alpha->bytes).substr(12, 4), "VP8X");
  EXPECT_EQ(with_alpha->bytes[20], 0x10);
  EXPECT_TRUE(is_near(decoded(with_alpha->bytes), {7, 7}, {255, 0, 0, 255}, 40));
}

TEST(RenderSource, CopyrightIsKeptAlone) {
  const Bytes source = with_metadata(Format::Jpeg);
  ASSERT_TRUE(holds(source, "2001:02:03"));
  for (Format target : {Format::Jpeg, Format::Png, Format::Webp, Format::Avif}) {
    SCOPED_TRACE(name_of(target));
    Transformation t = to(target, 30, 30, Fit::Inside);
    t.keep_metadata = KeepMetadata::Copyright;
    const auto variant = try_render(t, source);
    ASSERT_TRUE(variant) << variant.error().message;
    const bool png = target == Format::Png;
    EXPECT_EQ(field_of(variant->bytes, png ? "png-comment-0-Copyright" : "exif-ifd0-Copyright")
                  .find("(c) Tintype Shop"),
              0u);
    EXPECT_EQ(field_of(variant->bytes, png ? "png-comment-1-Author" : "exif-ifd0-Artist")
                  .find("A. Photographer"),
              0u);
    EXPECT_FALSE(holds(variant->bytes, "SECRET"));
    EXPECT_FALSE(holds(variant->bytes, "2001:02:03"));
    EXPECT_EQ(sniff(variant->bytes)->orientation, Orientation::Upright);
  }
}

// A product on an off-white, slightly noisy ground, with a shadow in one corner and dust.
Pixels product_shot() {
  Pixels p = noise({200, 150});
  for (auto& byte : p.data) byte = static_cast<std::uint8_t>(244 + byte % 8);
  p.fill({0, 0, 3, 3}, {120, 120, 120});
  p.fill({60, 40, 80, 70}, {30, 60, 120});
  return p;
}

TEST(RenderSource, TrimTakesTheBorderOff) {
  Transformation t = to(Format::Png);
  t.trim_threshold = 15;
  // The dark corner is content by its rows and columns; without it only the product is left.
  Pixels clean = product_shot();
  clean.fill({0, 0, 3, 3}, {246, 246, 246});
  EXPECT_EQ(rendered(t, stored_as(Format::Png, clean)).size, (Size{80, 70}));
  EXPECT_EQ(rendered(t, stored_as(Format::Png, product_shot())).size, (Size{140, 110}));
  t.width_px = 40;
  const Pixels out = rendered(t, stored_as(Format::Jpeg, clean));
  EXPECT_EQ(out.size, (Size{40, 35}));
  EXPECT_TRUE(is_near(out, {1, 1}, {30, 60, 120}, 12));
}

TEST(RenderSource, TrimIsNotMisledByTheFirstPixel) {
  // The product reaches the top-left corner; most of the edge is still ground.
  Pixels p({100, 100}, 3);
  p.fill({0, 0, 100, 100}, {255, 255, 255});
  p.fill({0, 0, 30, 40}, {200, 0, 0});
  Transformation t = to(Format::Png);
  t.trim_threshold = 10;
  EXPECT_EQ(rendered(t, stored_as(Format::Png, p)).size, (Size{30, 40}));
}

TEST(RenderSource, TrimIgnoresSpecks) {
  Pixels p({1200, 1000}, 3);
  p.fill({0, 0, 1200, 1000}, {255, 255, 255});
  p.fill({300, 200, 500, 400}, {0, 90, 0});
  p.fill({50, 950, 1, 1}, {0, 0, 0});
  Transformation t = to(Format::Png);
  t.trim_threshold = 10;
  EXPECT_EQ(rendered(t, stored_as(Format::Png, p)).size, (Size{500, 400}));
}

TEST(RenderSource, TrimSeesTransparency) {
  Pixels p({80, 60}, 4);
  p.fill({10, 20, 30, 25}, {255, 255, 255, 255});
  Transformation t = to(Format::Png);
  t.trim_threshold = 10;
  EXPECT_EQ(rendered(t, stored_as(Format::Png, p)).size, (Size{30, 25}));
}

TEST(RenderSource, TrimOfNothingKeepsThePicture) {
  Pixels p({20, 10}, 3);
  p.fill({0, 0, 20, 10}, {9, 9, 9});
  Transformation t = to(Format::Png);
  t.trim_threshold = 10;
  EXPECT_EQ(rendered(t, stored_as(Format::Png, p)).size, (Size{20, 10}));
}

TEST(RenderSource, TrimComesAfterTheCropAndBeforeTheTurn) {
  Pixels upright({100, 60}, 3);
  upright.fill({0, 0, 100, 60}, {255, 255, 255});
  upright.fill({10, 10, 20, 10}, {255, 0, 0});
  upright.fill({70, 30, 10, 20}, {0, 0, 255});
  for (int value : {1, 6, 8, 3, 5}) {
    SCOPED_TRACE(value);
    const Bytes source = stored_as(
        Format::Jpeg, stored_for(upright, Orientation(value)),
        [&](VipsImage* image) { vips_image_set_int(image, VIPS_META_ORIENTATION, value); });
    Transformation t = to(Format::Png);
    t.trim_threshold = 60;
    t.crop = CropBox{.x = 50, .y = 0, .width = 50, .height = 60};
    t.rotate_deg = 90;
    const Pixels out = rendered(t, source);
    EXPECT_NEAR(out.size.width_px, 20, 1);
    EXPECT_NEAR(out.size.height_px, 10, 1);
    EXPECT_TRUE(is_near(out, {10, 5}, {0, 0, 255}, 10));
  }
}

TEST(RenderSource, PublicCorpusNeverFailsByOurFault) {
  namespace fs = std::filesystem;
  const fs::path corpora = fs::path(TINTYPE_ROOT) / ".." / "shared" / "corpora";
  if (!fs::exists(corpora)) GTEST_SKIP() << "no corpora at " << corpora;
  int rendered_count = 0, refused = 0;
  for (const char* folder :
       {"png", "icc", "exif-orientation", "tiff", "webp", "jpeg", "avif", "heic", "animated"}) {
    for (const auto& entry : fs::directory_iterator(corpora / folder)) {
      std::ifstream file(entry.path(), std::ios::binary);
      const Bytes bytes(std::istreambuf_iterator<char>(file), {});
      // The suite stays under ten seconds; profiles are no pictures.
      if (bytes.size() > 60'000 || entry.path().extension() == ".icc") continue;
      const auto variant = try_render(to(Format::Jpeg, 40, 40, Fit::Inside), bytes);
      ++(variant ? rendered_count : refused);
      if (!variant) {
        EXPECT_NE(variant.error().code, ErrorCode::Internal)
            << entry.path() << ": " << variant.error().message;
      }
    }
  }
  std::cout << rendered_count << " rendered, " << refused << " refused\n";
  EXPECT_GT(rendered_count, 4 * refused);
}

}  // namespace
}  // namespace tintype
