// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "image/sniff.h"
#include "image/sniff_samples.h"

namespace tintype {
namespace {

using namespace samples;

constexpr std::uint8_t kIcc = 0x20, kAlpha = 0x10, kExif = 0x08, kAnimation = 0x02;

std::string detail_of(const Bytes& source) {
  const auto info = sniff(source);
  return info ? "accepted" : info.error().detail;
}

TEST(SniffWebp, ReadsLossy) {
  const auto info = sniff(webp({vp8(40, 30)}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->format, Format::Webp);
  EXPECT_EQ(info->stored, (Size{40, 30}));
  EXPECT_EQ(info->color_model, ColorModel::YCbCr);
  EXPECT_EQ(info->chroma_x, 2);
  EXPECT_EQ(info->chroma_y, 2);
  EXPECT_FALSE(info->has_alpha);
  EXPECT_FALSE(info->is_lossless);
  EXPECT_EQ(sniff(webp({vp8(40 | 0x4000, 30 | 0x8000)})).value().stored, (Size{40, 30}))
      << "the scaling hint is no size";
}

TEST(SniffWebp, ReadsLossless) {
  const auto info = sniff(webp({vp8l(16384, 1, true)}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->stored, (Size{16384, 1}));
  EXPECT_TRUE(info->has_alpha);
  EXPECT_TRUE(info->is_lossless);
  EXPECT_EQ(info->color_model, ColorModel::Rgb);
  EXPECT_FALSE(sniff(webp({vp8l(5, 7, false)})).value().has_alpha);
}

TEST(SniffWebp, ReadsTheExtendedHeader) {
  const Bytes icc = riff_chunk("ICCP", Bytes(3));
  const Bytes turned = riff_chunk("EXIF", exif(6));
  const auto info = sniff(webp({vp8x(kIcc | kAlpha | kExif, 40, 30), icc, vp8(40, 30), turned}));
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->has_icc);
  EXPECT_TRUE(info->has_alpha);
  EXPECT_EQ(info->upright(), (Size{30, 40}));
  EXPECT_EQ(info->frames, 1u);

  const auto unannounced = sniff(webp({vp8x(0, 40, 30), icc, vp8(40, 30), turned}));
  ASSERT_TRUE(unannounced);
  EXPECT_FALSE(unannounced->has_icc);
  EXPECT_EQ(unannounced->orientation, Orientation::Upright);
}

TEST(SniffWebp, AnAlphaChunkIsAlpha) {
  const Bytes alpha = riff_chunk("ALPH", Bytes(5));
  EXPECT_TRUE(sniff(webp({vp8x(0, 40, 30), alpha, vp8(40, 30)})).value().has_alpha);
}

TEST(SniffWebp, CountsFramesOfTheCanvas) {
  const Bytes animation = webp({vp8x(kAnimation, 400, 300), riff_chunk("ANIM", Bytes(6)),
                                anmf(vp8(40, 30)), anmf(vp8(4, 3)), anmf(vp8l(4, 3, true))});
  const auto info = sniff(animation);
  ASSERT_TRUE(info);
  EXPECT_EQ(info->stored, (Size{400, 300}));
  EXPECT_EQ(info->frames, 3u);
  EXPECT_FALSE(info->has_alpha) << "the flag decides for animations";
  const Bytes with_alpha_chunk = webp(
      {vp8x(kAnimation | kAlpha, 4, 3), anmf(join({riff_chunk("ALPH", Bytes(1)), vp8(4, 3)}))});
  EXPECT_TRUE(sniff(with_alpha_chunk).value().has_alpha);
}

TEST(SniffWebp, CountsFramesUpToTheBoundOnly) {
  Writer many;
  for (int i = 0; i < 10'050; ++i) many.bytes(anmf(vp8(1, 1)));
  EXPECT_EQ(sniff(webp({vp8x(kAnimation, 1, 1), many.done()})).value().frames, 10'000u);
}

TEST(SniffWebp, ReadsNothingBehindTheRiff) {
  Bytes source = webp({vp8x(kExif, 40, 30), vp8(40, 30)});
  const Bytes behind = riff_chunk("EXIF", exif(6));
  source.insert(source.end(), behind.begin(), behind.end());
  EXPECT_EQ(sniff(source).value().orientation, Orientation::Upright);
}

TEST(SniffWebp, NamesWhatIsWrong) {
  EXPECT_EQ(detail_of(webp({vp8(0, 30)})), "WebP has no pixels");
  EXPECT_EQ(detail_of(webp({riff_chunk("ALPH", Bytes(4)), vp8(4, 3)})),
            "WebP does not start with its header");
  EXPECT_EQ(detail_of(webp({vp8x(0, 40, 30)})), "WebP has no picture");
  EXPECT_EQ(detail_of(webp({vp8x(kAnimation, 40, 30), vp8(40, 30)})), "WebP has no picture");
  EXPECT_EQ(detail_of(webp({vp8x(kAnimation, 4, 3), anmf(riff_chunk("XXXX", {}))})),
            "WebP frame has no picture");
  EXPECT_EQ(detail_of(webp({vp8x(kAnimation, 4, 3), anmf({})})), "WebP frame is cut off");
  EXPECT_EQ(detail_of(webp({vp8x(0, 41, 30), vp8(40, 30)})),
            "WebP canvas and picture differ in size");
  EXPECT_EQ(detail_of(webp({vp8x(kAnimation, 1 << 24, 1 << 24), anmf(vp8(1, 1))})),
            "WebP canvas is out of range");
  Bytes inter_frame = webp({vp8(40, 30)});
  inter_frame[20] |= 1;
  EXPECT_EQ(detail_of(inter_frame), "WebP does not start with a key frame");
  Bytes version = webp({vp8l(40, 30, false)});
  version[24] |= 0x20;
  EXPECT_EQ(detail_of(version), "WebP lossless header is damaged");
}

TEST(SniffWebp, EveryCutOfTheHeaderIsCorrupt) {
  for (const Bytes& whole : {webp({vp8(40, 30)}), webp({vp8l(40, 30, true)})}) {
    const std::size_t padding = whole.size() % 2 == 0 && whole[15] == 'L' ? 1 : 0;
    for (std::size_t size = 12; size < whole.size() - padding; ++size) {
      EXPECT_EQ(detail_of(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))),
                "WebP header is cut off")
          << size;
    }
  }
}

}  // namespace
}  // namespace tintype
