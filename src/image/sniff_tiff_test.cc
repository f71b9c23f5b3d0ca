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

std::vector<Tag> with(std::vector<Tag> tags, Tag tag) {
  std::erase_if(tags, [&](const Tag& t) { return t.tag == tag.tag; });
  tags.push_back(tag);
  return tags;
}

ImageInfo look(Tag tag) {
  return sniff(tiff(with(tiff_tags(40, 30), tag))).value();
}

TEST(SniffTiff, ReadsTheFirstDirectory) {
  const auto info = sniff(tiff(tiff_tags(40, 30)));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->format, Format::Tiff);
  EXPECT_EQ(info->stored, (Size{40, 30}));
  EXPECT_EQ(info->color_model, ColorModel::Rgb);
  EXPECT_EQ(info->bits, 8);
  EXPECT_EQ(info->frames, 1u);
  EXPECT_FALSE(info->has_alpha);
  EXPECT_FALSE(info->has_icc);
}

TEST(SniffTiff, ReadsBigEndian) {
  Writer out;
  out.text("MM").be16(42).be32(8).be16(2);
  out.be16(256).be16(3).be32(1).be16(40).be16(0);
  out.be16(257).be16(4).be32(1).be32(30).be32(0);
  const auto info = sniff(out.done());
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->stored, (Size{40, 30}));
  EXPECT_EQ(info->bits, 1) << "the default of TIFF 6.0";
  EXPECT_EQ(info->color_model, ColorModel::Grey);
}

TEST(SniffTiff, ReadsColourAlphaProfileAndOrientation) {
  EXPECT_EQ(look({.tag = 262, .value = 0}).color_model, ColorModel::Grey);
  EXPECT_EQ(look({.tag = 262, .value = 3}).color_model, ColorModel::Palette);
  EXPECT_EQ(look({.tag = 262, .value = 6}).color_model, ColorModel::YCbCr);
  EXPECT_EQ(look({.tag = 262, .value = 8}).color_model, ColorModel::Other);
  const auto cmyk = sniff(
      tiff(with(with(tiff_tags(40, 30), {.tag = 262, .value = 5}), {.tag = 277, .value = 4})));
  EXPECT_EQ(cmyk.value().color_model, ColorModel::Cmyk);
  EXPECT_FALSE(cmyk.value().has_alpha);
  EXPECT_TRUE(look({.tag = 277, .value = 4}).has_alpha);
  EXPECT_TRUE(look({.tag = 338, .value = 2}).has_alpha);
  EXPECT_TRUE(look({.tag = 34675, .type = 7, .count = 500, .value = 99}).has_icc);
  EXPECT_EQ(look({.tag = 274, .value = 8}).upright(), (Size{30, 40}));
  EXPECT_EQ(look({.tag = 274, .value = 77}).orientation, Orientation::Upright);
  EXPECT_EQ(look({.tag = 258, .value = 16}).bits, 16);
}

Bytes pages(const std::vector<std::uint32_t>& next_offsets) {
  Writer out;
  out.text("II").le16(42).le32(8);
  for (std::uint32_t next : next_offsets) out.bytes(directory(tiff_tags(40, 30), next));
  return out.done();
}

// Directory `i` of pages() stands here: each has 2 + 5 * 12 + 4 bytes.
std::uint32_t page_at(std::uint32_t i) {
  return 8 + i * 66;
}

TEST(SniffTiff, CountsPages) {
  EXPECT_EQ(sniff(pages({page_at(1), page_at(2), 0})).value().frames, 3u);
  EXPECT_EQ(sniff(pages({page_at(2), 0, page_at(1)})).value().frames, 3u) << "out of order";
  EXPECT_EQ(sniff(pages({page_at(1), 0xFFFF'FFF0})).value().frames, 2u) << "next page is missing";
}

TEST(SniffTiff, LoopsOfDirectoriesAreCorrupt) {
  EXPECT_EQ(detail_of(pages({page_at(0)})), "TIFF directories form a loop");
  EXPECT_EQ(detail_of(pages({page_at(1), page_at(0)})), "TIFF directories form a loop");
  for (std::uint32_t length = 2; length < 12; ++length) {
    for (std::uint32_t back = 0; back < length; ++back) {
      std::vector<std::uint32_t> next;
      for (std::uint32_t i = 1; i < length; ++i) next.push_back(page_at(i));
      next.push_back(page_at(back));
      EXPECT_EQ(detail_of(pages(next)), "TIFF directories form a loop") << length << " " << back;
    }
  }
}

TEST(SniffTiff, CountsPagesUpToTheBoundOnly) {
  std::vector<std::uint32_t> next;
  for (std::uint32_t i = 1; i <= 10'050; ++i) next.push_back(page_at(i));
  EXPECT_EQ(sniff(pages(next)).value().frames, 10'000u);
}

TEST(SniffTiff, NamesWhatIsWrong) {
  EXPECT_EQ(detail_of(tiff(tiff_tags(0, 30))), "TIFF has no pixels");
  EXPECT_EQ(detail_of(tiff({})), "TIFF has no pixels");
  EXPECT_EQ(detail_of(tiff(with(tiff_tags(40, 30), {.tag = 256, .type = 4, .value = 0x8000'0000}))),
            "TIFF size is out of range");
  EXPECT_EQ(detail_of(tiff(with(tiff_tags(40, 30), {.tag = 258, .value = 65}))),
            "TIFF bit depth is out of range");
  EXPECT_EQ(detail_of(tiff(with(tiff_tags(40, 30), {.tag = 277, .value = 0}))),
            "TIFF has no samples");
  EXPECT_EQ(detail_of(tiff(with(tiff_tags(40, 30), {.tag = 262, .value = 32803}))),
            "camera raw files are not supported");
  EXPECT_EQ(detail_of(Writer().text("II").le16(42).le32(16).text("CR").le16(2).zeros(40).done()),
            "camera raw files are not supported");
  EXPECT_EQ(detail_of(Writer().text("II").le16(43).zeros(12).done()), "BigTIFF is not supported");
  EXPECT_EQ(detail_of(Writer().text("MM").be16(43).zeros(12).done()), "BigTIFF is not supported");
  EXPECT_EQ(detail_of(Writer().text("II").le16(42).le16(8).done()), "TIFF header is cut off");
  const Bytes whole = tiff(tiff_tags(40, 30));
  for (std::size_t size = 8; size < whole.size() - 4; ++size) {
    EXPECT_EQ(detail_of(Bytes(whole.begin(), whole.begin() + static_cast<long>(size))),
              "TIFF directory is cut off or too long")
        << size;
  }
}

}  // namespace
}  // namespace tintype
