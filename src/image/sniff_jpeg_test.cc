// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "image/sniff.h"
#include "image/sniff_samples.h"

namespace tintype {
namespace {

using namespace samples;

std::string detail_of(const Bytes& source) {
  const auto info = sniff(source);
  return info ? "accepted" : info.error().detail;
}

TEST(SniffJpeg, ReadsSizeSamplingAndColour) {
  const auto info = sniff(jpeg({jpeg_jfif(), jpeg_frame({})}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->format, Format::Jpeg);
  EXPECT_EQ(info->stored, (Size{40, 30}));
  EXPECT_EQ(info->color_model, ColorModel::YCbCr);
  EXPECT_EQ(info->bits, 8);
  EXPECT_EQ(info->chroma_x, 2);
  EXPECT_EQ(info->chroma_y, 2);
  EXPECT_FALSE(info->is_progressive);
  EXPECT_FALSE(info->has_alpha);
  EXPECT_FALSE(info->has_icc);
}

TEST(SniffJpeg, KnowsProgressiveAndArithmetic) {
  for (std::uint8_t marker : {0xC0, 0xC1, 0xC9}) {
    const auto info = sniff(jpeg({jpeg_frame({.marker = marker})}));
    ASSERT_TRUE(info) << int{marker};
    EXPECT_FALSE(info->is_progressive);
  }
  for (std::uint8_t marker : {0xC2, 0xCA}) {
    const auto info = sniff(jpeg({jpeg_frame({.marker = marker})}));
    ASSERT_TRUE(info) << int{marker};
    EXPECT_TRUE(info->is_progressive);
  }
}

TEST(SniffJpeg, RefusesWhatOurDecoderCannotRead) {
  for (int marker : {0xC3, 0xC5, 0xC6, 0xC7, 0xCB, 0xCD, 0xCE, 0xCF}) {
    const auto info = sniff(jpeg({jpeg_frame({.marker = static_cast<std::uint8_t>(marker)})}));
    ASSERT_FALSE(info) << marker;
    EXPECT_EQ(info.error().code, ErrorCode::Unsupported);
    EXPECT_EQ(info.error().detail, "lossless and hierarchical JPEG are not supported");
  }
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.bits = 12})})), "JPEG with 12 bits is not supported");
  EXPECT_EQ(detail_of(jpeg({jpeg_segment(0xF7, Bytes(6))})), "JPEG-LS is not supported");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.ids = {1, 2}, .sampling = {0x11, 0x11}})})),
            "JPEG with 2 components is not supported");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.width_px = 65501})})),
            "JPEG sides above 65500 pixels are not supported");
}

TEST(SniffJpeg, TellsColourModelsAsLibjpegDoes) {
  const JpegFrame rgb_ids{.ids = {'R', 'G', 'B'}, .sampling = {0x11, 0x11, 0x11}};
  const JpegFrame four{.ids = {1, 2, 3, 4}, .sampling = {0x11, 0x11, 0x11, 0x11}};
  const auto model = [](const Bytes& source) { return sniff(source).value().color_model; };
  EXPECT_EQ(model(jpeg({jpeg_frame(rgb_ids)})), ColorModel::Rgb);
  EXPECT_EQ(model(jpeg({jpeg_jfif(), jpeg_frame(rgb_ids)})), ColorModel::YCbCr);
  EXPECT_EQ(model(jpeg({jpeg_adobe(0), jpeg_frame({})})), ColorModel::Rgb);
  EXPECT_EQ(model(jpeg({jpeg_adobe(1), jpeg_frame({})})), ColorModel::YCbCr);
  EXPECT_EQ(model(jpeg({jpeg_frame(four)})), ColorModel::Cmyk);
  EXPECT_EQ(model(jpeg({jpeg_adobe(2), jpeg_frame(four)})), ColorModel::Cmyk);
  EXPECT_EQ(model(jpeg({jpeg_frame({.ids = {1}, .sampling = {0x22}})})), ColorModel::Grey);
}

TEST(SniffJpeg, ReadsEverySampling) {
  const auto chroma = [](std::vector<std::uint8_t> sampling) {
    const auto info = sniff(jpeg({jpeg_frame({.sampling = std::move(sampling)})})).value();
    return std::pair<int, int>(info.chroma_x, info.chroma_y);
  };
  EXPECT_EQ(chroma({0x11, 0x11, 0x11}), std::pair(1, 1));
  EXPECT_EQ(chroma({0x21, 0x11, 0x11}), std::pair(2, 1));
  EXPECT_EQ(chroma({0x12, 0x11, 0x11}), std::pair(1, 2));
  EXPECT_EQ(chroma({0x41, 0x11, 0x11}), std::pair(4, 1));
  EXPECT_EQ(chroma({0x22, 0x22, 0x22}), std::pair(1, 1));
  EXPECT_EQ(chroma({0x22, 0x11, 0x22}), std::pair(1, 1)) << "unequal planes: the dearest case";
  EXPECT_EQ(chroma({0x31, 0x21, 0x21}), std::pair(1, 1)) << "no whole ratio";
}

TEST(SniffJpeg, TakesOrientationFromTheFirstExif) {
  const auto info = sniff(jpeg({jpeg_exif(6), jpeg_exif(3), jpeg_frame({})}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->orientation, Orientation::Turn90);
  EXPECT_EQ(info->upright(), (Size{30, 40}));
}

TEST(SniffJpeg, FindsAProfileBeforeAndAfterTheFrame) {
  const Bytes icc =
      jpeg_segment(0xE2, Writer().text(std::string_view("ICC_PROFILE\0", 12)).zeros(9).done());
  EXPECT_TRUE(sniff(jpeg({icc, jpeg_frame({})})).value().has_icc);
  EXPECT_TRUE(sniff(jpeg({jpeg_frame({}), icc})).value().has_icc);
  EXPECT_FALSE(sniff(jpeg({jpeg_frame({}), jpeg_segment(0xE2, Bytes(20))})).value().has_icc);
}

TEST(SniffJpeg, NamesWhatIsWrong) {
  EXPECT_EQ(detail_of(jpeg({})), "JPEG has no frame header");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.height_px = 0})})), "JPEG has no height in its header");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.width_px = 0})})), "JPEG has no width");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({}), jpeg_frame({})})), "JPEG has two frame headers");
  EXPECT_EQ(detail_of(jpeg({Bytes{0xFF, 0xD8}})), "JPEG starts twice");
  EXPECT_EQ(detail_of(jpeg({Bytes{0xFF, 0xD9}})), "JPEG ends before its picture");
  EXPECT_EQ(detail_of(jpeg({Bytes{0xFF, 0xE0, 0, 1}})), "JPEG segment has a wrong length");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.ids = {}, .sampling = {}})})), "JPEG has no components");
  EXPECT_EQ(detail_of(jpeg({jpeg_frame({.sampling = {0x52, 0x11, 0x11}})})),
            "JPEG sampling factors are out of range");
  EXPECT_EQ(detail_of(jpeg({jpeg_segment(0xC0, Bytes{8, 0, 30, 0, 40, 3, 1, 0x11, 0})})),
            "JPEG frame header has a wrong length");
}

TEST(SniffJpeg, PassesOverFillBytesAndJunkBetweenSegments) {
  EXPECT_TRUE(sniff(jpeg({Bytes{0xFF, 0xFF, 0xFF}, jpeg_frame({})})));
  EXPECT_TRUE(sniff(jpeg({jpeg_jfif(), Bytes{0x12, 0x34, 0xFF, 0x00}, jpeg_frame({})})));
  EXPECT_TRUE(sniff(jpeg({Bytes{0xFF, 0x01, 0xFF, 0xD0}, jpeg_frame({})}))) << "TEM, RST0";
}

TEST(SniffJpeg, GivesUpOnEndlessJunk) {
  EXPECT_TRUE(sniff(jpeg({jpeg_jfif(), Bytes(60'000), jpeg_frame({})})));
  EXPECT_EQ(detail_of(jpeg({jpeg_jfif(), Bytes(70'000), jpeg_frame({})})),
            "JPEG has too much junk between its segments");
  EXPECT_EQ(detail_of(jpeg({jpeg_jfif(), Bytes(70'000, 0xFF), jpeg_frame({})})),
            "JPEG has too much junk between its segments");
  Writer many;
  for (int i = 0; i < 5000; ++i) many.bytes(jpeg_segment(0xFE, {}));
  EXPECT_EQ(detail_of(jpeg({many.done(), jpeg_frame({})})),
            "JPEG has too many segments before its picture");
}

TEST(SniffJpeg, EveryCutBeforeTheScanIsCorrupt) {
  const Bytes header = join(
      {Writer().be16(0xFFD8).done(), jpeg_exif(6), jpeg_frame({}), jpeg_segment(0xDA, Bytes(6))});
  ASSERT_TRUE(sniff(header));
  for (std::size_t size = 3; size < header.size(); ++size) {
    EXPECT_EQ(detail_of(Bytes(header.begin(), header.begin() + static_cast<long>(size))),
              "JPEG header is cut off")
        << size;
  }
}

}  // namespace
}  // namespace tintype
