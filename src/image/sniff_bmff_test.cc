// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "image/sniff.h"
#include "image/sniff_samples.h"

namespace tintype {
namespace {

using namespace samples;

constexpr std::string_view kAlphaUrn("urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0", 44);
constexpr std::string_view kDepthUrn("urn:mpeg:mpegB:cicp:systems:auxiliary:depth\0", 44);

std::string detail_of(const Bytes& source) {
  const auto info = sniff(source);
  return info ? "accepted" : info.error().detail;
}

Bytes clap(std::uint32_t width_px, std::uint32_t height_px, std::uint32_t by = 1) {
  Writer out;
  out.be32(width_px).be32(by).be32(height_px).be32(by).be32(0).be32(1).be32(0).be32(1);
  return box("clap", out.done());
}

Bytes nclx(std::uint16_t matrix) {
  return box("colr", Writer().text("nclx").be16(1).be16(13).be16(matrix).u8(0x80).done());
}

Heif with_auxiliary(std::string_view urn) {
  Heif heif = still("av01");
  heif.properties.push_back(full_box("auxC", Writer().text(urn).done()));
  const auto aux_property = static_cast<std::uint8_t>(heif.properties.size());
  heif.items.push_back({.id = 2, .type = "av01", .properties = {1, 2, aux_property}});
  heif.references = {{.type = "auxl", .from = 2, .to = 1}};
  return heif;
}

Heif grid(std::string_view codec) {
  Heif heif = still(codec);
  heif.properties.push_back(ispe(4000, 3000));
  heif.items.push_back({.id = 7, .type = "grid", .properties = {3}});
  heif.references = {{.type = "dimg", .from = 7, .to = 1}};
  heif.primary = 7;
  return heif;
}

// One picture track with that many samples.
Bytes moov(std::uint32_t samples_claimed, std::string_view handler = "pict") {
  const Bytes stsz = full_box("stsz", Writer().be32(0).be32(samples_claimed).done());
  const Bytes hdlr = full_box("hdlr", Writer().be32(0).text(handler).zeros(13).done());
  const Bytes media = join({hdlr, box("minf", box("stbl", stsz))});
  return box("moov", box("trak", box("mdia", media)));
}

TEST(SniffBmff, ReadsAvif) {
  const auto info = sniff(avif(still("av01")));
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->format, Format::Avif);
  EXPECT_EQ(info->stored, (Size{40, 30}));
  EXPECT_EQ(info->color_model, ColorModel::YCbCr);
  EXPECT_EQ(info->bits, 8);
  EXPECT_EQ(info->chroma_x, 2);
  EXPECT_EQ(info->chroma_y, 2);
  EXPECT_FALSE(info->has_alpha);
  EXPECT_FALSE(info->has_icc);
  EXPECT_EQ(info->frames, 1u);
}

TEST(SniffBmff, ReadsHeic) {
  Heif heif = still("hvc1");
  heif.properties[1] = hvcc(3, 10);
  const auto info = sniff(heic(heif));
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->format, Format::Heic);
  EXPECT_EQ(info->bits, 10);
  EXPECT_EQ(info->chroma_x, 1);
}

TEST(SniffBmff, TheCodecDecidesTheFormat) {
  EXPECT_EQ(sniff(join({ftyp("mif1"), heif_meta(still("av01"))})).value().format, Format::Avif);
  EXPECT_EQ(sniff(join({ftyp("mif1"), heif_meta(still("hvc1"))})).value().format, Format::Heic);
  EXPECT_EQ(sniff_format(ftyp("mif1", "avif")).value(), Format::Avif);
  EXPECT_EQ(sniff_format(ftyp("msf1")).value(), Format::Heic);
}

TEST(SniffBmff, ReadsAv1Configurations) {
  const auto look = [](std::uint8_t flags) {
    Heif heif = still("av01");
    heif.properties[1] = av1c(flags);
    return sniff(avif(heif)).value();
  };
  EXPECT_EQ(look(0x40).bits, 10);
  EXPECT_EQ(look(0x60).bits, 12);
  EXPECT_EQ(look(0x08).chroma_x, 2);
  EXPECT_EQ(look(0x08).chroma_y, 1);
  EXPECT_EQ(look(0x1C).color_model, ColorModel::Grey);
  EXPECT_EQ(look(0x1C).chroma_x, 1);
}

TEST(SniffBmff, SizeIsTurnedAndOrientationUpright) {
  for (std::uint8_t quarters = 0; quarters < 4; ++quarters) {
    const auto info = sniff(avif(still("av01", {irot(quarters), box("imir", {0})})));
    ASSERT_TRUE(info);
    EXPECT_EQ(info->stored, quarters % 2 == 0 ? (Size{40, 30}) : (Size{30, 40}));
    EXPECT_EQ(info->orientation, Orientation::Upright);
  }
}

TEST(SniffBmff, SizeIsCroppedInTheOrderOfTheProperties) {
  EXPECT_EQ(sniff(avif(still("av01", {clap(20, 10), irot(1)}))).value().stored, (Size{10, 20}));
  EXPECT_EQ(sniff(avif(still("av01", {irot(1), clap(20, 10)}))).value().stored, (Size{20, 10}));
  EXPECT_EQ(sniff(avif(still("av01", {clap(41, 21, 2)}))).value().stored, (Size{21, 11}))
      << "halves are rounded up";
  EXPECT_EQ(detail_of(avif(still("av01", {clap(41, 10)}))), "HEIF crop lies outside its picture");
  EXPECT_EQ(detail_of(avif(still("av01", {clap(0, 10)}))), "HEIF crop lies outside its picture");
  EXPECT_EQ(detail_of(avif(still("av01", {clap(1, 1, 0)}))), "HEIF crop is damaged");
}

TEST(SniffBmff, AlphaIsAnAuxiliaryThatSaysSo) {
  EXPECT_TRUE(sniff(avif(with_auxiliary(kAlphaUrn))).value().has_alpha);
  EXPECT_FALSE(sniff(avif(with_auxiliary(kDepthUrn))).value().has_alpha);
  Heif of_another = with_auxiliary(kAlphaUrn);
  of_another.references[0].to = 9;
  EXPECT_FALSE(sniff(avif(of_another)).value().has_alpha);
}

TEST(SniffBmff, ReadsColourBoxes) {
  const Bytes icc = box("colr", Writer().text("prof").zeros(20).done());
  const auto profiled = sniff(avif(still("av01", {nclx(1), icc}))).value();
  EXPECT_TRUE(profiled.has_icc);
  EXPECT_EQ(profiled.color_model, ColorModel::YCbCr);
  const auto identity = sniff(avif(still("av01", {nclx(0)}))).value();
  EXPECT_FALSE(identity.has_icc);
  EXPECT_EQ(identity.color_model, ColorModel::Rgb);
}

TEST(SniffBmff, GridsTakeTheCodecOfTheirTiles) {
  const auto info = sniff(heic(grid("hvc1")));
  ASSERT_TRUE(info) << info.error().detail;
  EXPECT_EQ(info->format, Format::Heic);
  EXPECT_EQ(info->stored, (Size{4000, 3000}));
  EXPECT_EQ(info->chroma_x, 2);
  Heif of_itself = grid("av01");
  of_itself.references[0].to = 7;
  EXPECT_EQ(detail_of(avif(of_itself)), "HEIF picture is derived too often");
  Heif of_nothing = grid("av01");
  of_nothing.references.clear();
  EXPECT_EQ(detail_of(avif(of_nothing)), "HEIF picture has no parts");
}

TEST(SniffBmff, CountsFramesOfSequences) {
  const Bytes picture = heif_meta(still("av01"));
  const auto frames = [&](const Bytes& track) {
    return sniff(join({ftyp("avis"), picture, track})).value().frames;
  };
  EXPECT_EQ(frames(moov(5)), 5u);
  EXPECT_EQ(frames(moov(0)), 1u);
  EXPECT_EQ(frames(moov(0xFFFF'FFFF)), 10'000u);
  EXPECT_EQ(frames(moov(5, "soun")), 1u);
  EXPECT_EQ(detail_of(join({ftyp("hevc"), moov(5)})),
            "HEIF sequences without a still picture are not supported");
}

TEST(SniffBmff, RefusesOtherCodecsByName) {
  EXPECT_EQ(detail_of(heic(still("jpeg"))), "HEIF with codec 'jpeg' is not supported");
  EXPECT_EQ(detail_of(heic(still("\x01'\xFFz"))), "HEIF with codec '?'?z' is not supported");
  EXPECT_EQ(detail_of(join({ftyp("mif3"), box("mini", Bytes(8))})),
            "low-overhead HEIF is not supported");
}

TEST(SniffBmff, FilmsAreNoPictures) {
  const auto info = sniff(join({ftyp("isom", "mp42"), moov(100, "vide")}));
  ASSERT_FALSE(info);
  EXPECT_EQ(info.error().code, ErrorCode::Unsupported);
  EXPECT_EQ(info.error().detail, "films are not a supported source format");
}

TEST(SniffBmff, NamesWhatIsWrong) {
  EXPECT_EQ(detail_of(ftyp("avif")), "HEIF header is cut off or has no catalogue");
  EXPECT_EQ(detail_of(join({ftyp("avif"), full_box("meta", {})})), "HEIF names no primary picture");
  Heif missing = still("av01");
  missing.primary = 2;
  EXPECT_EQ(detail_of(avif(missing)), "HEIF primary picture is not there");
  Heif sizeless = still("av01");
  sizeless.items[0].properties = {2};
  EXPECT_EQ(detail_of(avif(sizeless)), "HEIF picture has no size");
  Heif dangling = still("av01");
  dangling.items[0].properties = {1, 2, 90};
  EXPECT_EQ(detail_of(avif(dangling)), "HEIF item has a property that is not there");
  Heif many = still("av01");
  many.items[0].properties = std::vector<std::uint8_t>(33, 1);
  EXPECT_EQ(detail_of(avif(many)), "HEIF item has too many properties");
  Heif empty = still("av01");
  empty.properties[0] = ispe(0, 30);
  EXPECT_EQ(detail_of(avif(empty)), "HEIF picture has no pixels");
  empty.properties[0] = ispe(0x8000'0000, 30);
  EXPECT_EQ(detail_of(avif(empty)), "HEIF size is out of range");
}

TEST(SniffBmff, ReadsLargeAndOpenEndedBoxes) {
  const Bytes meta = heif_meta(still("av01"));
  const ByteView body = ByteView(meta).subspan(8);
  const Bytes large = Writer().be32(1).text("meta").be64(meta.size() + 8).bytes(body).done();
  EXPECT_TRUE(sniff(join({ftyp("avif"), large})));
  const Bytes open = Writer().be32(0).text("meta").bytes(body).done();
  EXPECT_TRUE(sniff(join({ftyp("avif"), open})));
}

TEST(SniffBmff, EveryCutOfTheCatalogueIsCorrupt) {
  const Bytes whole = avif(still("av01", {irot(1)}));
  for (std::size_t size = ftyp("avif").size(); size < whole.size(); ++size) {
    const auto info = sniff(ByteView(whole).first(size));
    ASSERT_FALSE(info) << size;
    EXPECT_EQ(info.error().code, ErrorCode::Corrupt) << size;
  }
}

}  // namespace
}  // namespace tintype
