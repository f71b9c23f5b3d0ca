// SPDX-License-Identifier: Apache-2.0
#include <set>

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

Bytes frame_controls(int count) {
  Writer out;
  for (int i = 0; i < count; ++i) out.bytes(png_chunk("fcTL", Bytes(26)));
  return out.done();
}

Bytes animation(std::uint32_t claimed) {
  return png_chunk("acTL", Writer().be32(claimed).be32(0).done());
}

TEST(SniffPng, ReadsTheHeader) {
  const auto info = sniff(png({.width_px = 70000, .height_px = 3, .bits = 16, .interlace = 1}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->format, Format::Png);
  EXPECT_EQ(info->stored, (Size{70000, 3}));
  EXPECT_EQ(info->color_model, ColorModel::Rgb);
  EXPECT_EQ(info->bits, 16);
  EXPECT_TRUE(info->is_progressive);
  EXPECT_FALSE(info->has_alpha);
  EXPECT_EQ(info->frames, 1u);
}

TEST(SniffPng, AllowsTheFifteenCombinationsOfTheStandardOnly) {
  const std::set<std::pair<int, int>> allowed = {{0, 1}, {0, 2},  {0, 4},  {0, 8}, {0, 16},
                                                 {2, 8}, {2, 16}, {3, 1},  {3, 2}, {3, 4},
                                                 {3, 8}, {4, 8},  {4, 16}, {6, 8}, {6, 16}};
  for (int color = 0; color < 256; ++color) {
    for (int bits = 0; bits < 256; ++bits) {
      const PngHeader header{.bits = static_cast<std::uint8_t>(bits),
                             .color = static_cast<std::uint8_t>(color)};
      const bool is_accepted = sniff(png(header, {png_chunk("PLTE", Bytes(3))})).has_value();
      EXPECT_EQ(is_accepted, allowed.contains({color, bits})) << color << " " << bits;
    }
  }
}

TEST(SniffPng, ColourTypesBecomeModels) {
  const auto look = [](std::uint8_t color) {
    return sniff(png({.color = color}, {png_chunk("PLTE", Bytes(3))})).value();
  };
  EXPECT_EQ(look(0).color_model, ColorModel::Grey);
  EXPECT_EQ(look(2).color_model, ColorModel::Rgb);
  EXPECT_EQ(look(3).color_model, ColorModel::Palette);
  EXPECT_EQ(look(4).color_model, ColorModel::Grey);
  EXPECT_TRUE(look(4).has_alpha);
  EXPECT_EQ(look(6).color_model, ColorModel::Rgb);
  EXPECT_TRUE(look(6).has_alpha);
  const auto indexed = sniff(png({.bits = 2, .color = 3}, {png_chunk("PLTE", Bytes(3))}));
  EXPECT_EQ(indexed.value().bits, 8) << "the colours of a palette have 8 bits";
}

TEST(SniffPng, FindsTransparencyProfileAndOrientation) {
  const auto info = sniff(png(
      {}, {png_chunk("iCCP", Bytes(8)), png_chunk("tRNS", Bytes(6)), png_chunk("eXIf", exif(6))}));
  ASSERT_TRUE(info);
  EXPECT_TRUE(info->has_alpha);
  EXPECT_TRUE(info->has_icc);
  EXPECT_EQ(info->upright(), (Size{30, 40}));
}

TEST(SniffPng, FindsOrientationBehindThePixels) {
  EXPECT_EQ(sniff(png({}, {}, {png_chunk("eXIf", exif(3))})).value().orientation,
            Orientation::Turn180);
}

TEST(SniffPng, CountsFramesThatAreThere) {
  const auto frames = [](std::uint32_t claimed, int there) {
    return sniff(png({}, {animation(claimed)}, {frame_controls(there)})).value().frames;
  };
  EXPECT_EQ(frames(3, 3), 3u);
  EXPECT_EQ(frames(0xFFFF'FFFF, 2), 2u) << "a claim alone makes no frames";
  EXPECT_EQ(frames(2, 5), 2u);
  EXPECT_EQ(frames(0, 5), 1u);
  EXPECT_EQ(frames(7, 0), 1u);
  EXPECT_EQ(frames(20000, 20000), 10000u);
  EXPECT_EQ(sniff(png({}, {}, {animation(3), frame_controls(3)})).value().frames, 1u)
      << "an animation is announced before the pixels";
}

TEST(SniffPng, NamesWhatIsWrong) {
  EXPECT_EQ(detail_of(png({.width_px = 0})), "PNG has no pixels");
  EXPECT_EQ(detail_of(png({.height_px = 0x8000'0000})), "PNG size is out of range");
  EXPECT_EQ(detail_of(png({.compression = 1})),
            "PNG uses an undefined compression, filter or interlace method");
  EXPECT_EQ(detail_of(png({.filter = 1})),
            "PNG uses an undefined compression, filter or interlace method");
  EXPECT_EQ(detail_of(png({.interlace = 2})),
            "PNG uses an undefined compression, filter or interlace method");
  EXPECT_EQ(detail_of(png({.color = 3})), "PNG has no palette");
  EXPECT_EQ(detail_of(png({}, {png_chunk("IHDR", Bytes(13))})), "PNG has two headers");
  EXPECT_EQ(detail_of(png({}, {png_chunk("IEND", {})})), "PNG ends before its pixels");
  Bytes damaged = png({});
  damaged[4] = '\n';
  EXPECT_EQ(detail_of(damaged), "PNG signature is damaged");
  Bytes other_first = png({});
  other_first[12] = 'X';
  EXPECT_EQ(detail_of(other_first), "PNG does not start with its header");
}

TEST(SniffPng, ManyChunksEndInAnAnswer) {
  Writer many;
  for (int i = 0; i < 70000; ++i) many.bytes(png_chunk("tEXt", {}));
  EXPECT_EQ(detail_of(png({}, {many.done()})), "PNG has too many chunks before its pixels");
  EXPECT_TRUE(sniff(png({}, {}, {many.done()}))) << "behind the pixels they are passed over";
}

TEST(SniffPng, EveryCutBeforeThePixelsIsCorrupt) {
  const Bytes header = join({png_header({}), png_chunk("tRNS", Bytes(6))});
  for (std::size_t size = 8; size <= header.size(); ++size) {
    EXPECT_EQ(detail_of(Bytes(header.begin(), header.begin() + static_cast<long>(size))),
              "PNG header is cut off")
        << size;
  }
  EXPECT_TRUE(sniff(join({header, Writer().be32(1000).text("IDAT").zeros(5).done()})))
      << "cut inside the pixels";
}

}  // namespace
}  // namespace tintype
