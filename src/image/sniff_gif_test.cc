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

Size size_of(Size screen, const GifFrame& first, const GifFrame& second = {}) {
  const Bytes source = join({gif_screen(static_cast<std::uint16_t>(screen.width_px),
                                        static_cast<std::uint16_t>(screen.height_px)),
                             gif_frame(first), gif_frame(second)});
  return sniff(source).value().stored;
}

TEST(SniffGif, ReadsScreenAndFrames) {
  const auto info = sniff(join({gif_screen(50, 60), gif_frame({}), gif_frame({}), {0x3B}}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->format, Format::Gif);
  EXPECT_EQ(info->stored, (Size{50, 60}));
  EXPECT_EQ(info->frames, 2u);
  EXPECT_EQ(info->color_model, ColorModel::Palette);
  EXPECT_FALSE(info->has_alpha);
  EXPECT_FALSE(info->is_progressive);
}

TEST(SniffGif, FindsTransparencyInterlaceAndLocalPalettes) {
  const auto info = sniff(join(
      {gif_screen(40, 30), gif_frame({.flags = 0xC7}), gif_control(true), gif_frame({}), {0x3B}}));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->frames, 2u) << "the local palette has been passed over";
  EXPECT_TRUE(info->is_progressive);
  EXPECT_TRUE(info->has_alpha);
  EXPECT_FALSE(sniff(join({gif_screen(40, 30), gif_control(false), gif_frame({}), {0x3B}}))
                   .value()
                   .has_alpha);
}

TEST(SniffGif, PassesOverOtherExtensions) {
  const Bytes comment = Writer().be16(0x21FE).u8(5).text("hello").u8(1).text("!").u8(0).done();
  const Bytes loop =
      Writer().be16(0x21FF).u8(11).text("NETSCAPE2.0").u8(3).u8(1).le16(0).u8(0).done();
  EXPECT_EQ(sniff(join({gif_screen(40, 30), comment, loop, gif_frame({}), {0x3B}})).value().frames,
            1u);
}

TEST(SniffGif, SizeIsWhatTheDecoderDelivers) {
  EXPECT_EQ(size_of({40, 30}, {.width_px = 4, .height_px = 3}), (Size{40, 30}));
  EXPECT_EQ(size_of({5, 5}, {.left_px = 3, .top_px = 2, .width_px = 10, .height_px = 10}),
            (Size{13, 12}))
      << "the first frame enlarges the screen";
  EXPECT_EQ(size_of({40, 30}, {}, {.width_px = 400, .height_px = 300}), (Size{40, 30}))
      << "later frames do not";
  EXPECT_EQ(size_of({640, 480}, {.width_px = 10, .height_px = 9}), (Size{10, 9}));
  EXPECT_EQ(size_of({641, 480}, {.width_px = 10, .height_px = 9}), (Size{641, 480}));
  EXPECT_EQ(size_of({3000, 20}, {.width_px = 10, .height_px = 9}), (Size{10, 9}));
  EXPECT_EQ(size_of({0, 20}, {.width_px = 10, .height_px = 9}), (Size{10, 9}));
  EXPECT_EQ(size_of({0, 0}, {.width_px = 0, .height_px = 0}), (Size{1, 1}));
}

TEST(SniffGif, CountsFramesUpToTheBoundOnly) {
  Writer many;
  for (int i = 0; i < 10'050; ++i) many.bytes(gif_frame({}));
  EXPECT_EQ(sniff(join({gif_screen(40, 30), many.done()})).value().frames, 10'000u);
}

TEST(SniffGif, GivesUpOnEndlessBlocks) {
  Writer comment;
  comment.be16(0x21FE);
  for (int i = 0; i < 1'000'000; ++i) comment.be16(0x0120);
  const Bytes endless = comment.u8(0).done();
  EXPECT_EQ(sniff(join({gif_screen(40, 30), gif_frame({}), endless, gif_frame({})})).value().frames,
            1u);
  EXPECT_EQ(detail_of(join({gif_screen(40, 30), endless, gif_frame({})})), "GIF has no frame");
}

TEST(SniffGif, StopsAtJunk) {
  EXPECT_EQ(sniff(join({gif_screen(40, 30), gif_frame({}), {0x00}, gif_frame({})})).value().frames,
            1u);
}

TEST(SniffGif, NamesWhatIsWrong) {
  EXPECT_EQ(detail_of(join({gif_screen(40, 30), {0x3B}})), "GIF has no frame");
  EXPECT_EQ(detail_of(gif_screen(40, 30)), "GIF has no frame");
  const Bytes screen = gif_screen(40, 30);
  for (std::size_t size = 6; size < screen.size(); ++size) {
    EXPECT_EQ(detail_of(Bytes(screen.begin(), screen.begin() + static_cast<long>(size))),
              "GIF header is cut off");
  }
}

TEST(SniffGif, ACutFrameStillCountsAndIsTransparent) {
  const Bytes whole = join({gif_screen(40, 30), gif_frame({})});
  const auto info = sniff(ByteView(whole).first(whole.size() - 2));
  ASSERT_TRUE(info);
  EXPECT_EQ(info->frames, 1u);
  EXPECT_TRUE(info->has_alpha) << "the pixels that are missing";
}

}  // namespace
}  // namespace tintype
