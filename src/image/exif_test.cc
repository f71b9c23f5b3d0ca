// SPDX-License-Identifier: Apache-2.0
#include "image/exif.h"

#include <gtest/gtest.h>

#include "image/sniff_samples.h"
#include "image/tiff_directory.h"

namespace tintype {
namespace {

using samples::Writer;

TEST(Exif, ReadsAllEightOrientations) {
  for (std::uint16_t i = 1; i <= 8; ++i) {
    EXPECT_EQ(orientation_in_exif(samples::exif(i)), static_cast<Orientation>(i));
  }
}

TEST(Exif, ReadsBigEndianLongsAndThePrefix) {
  const Bytes tag = Writer().be16(0x0112).be16(4).be32(1).be32(6).done();
  const Bytes tiff = Writer().text("MM").be16(42).be32(8).be16(1).bytes(tag).be32(0).done();
  EXPECT_EQ(orientation_in_exif(tiff), Orientation::Turn90);
  const Bytes prefixed = Writer().text(std::string_view("Exif\0\0", 6)).bytes(tiff).done();
  EXPECT_EQ(orientation_in_exif(prefixed), Orientation::Turn90);
}

TEST(Exif, JunkIsUpright) {
  for (std::uint16_t wrong : {0, 9, 255, 65535}) {
    EXPECT_EQ(orientation_in_exif(samples::exif(wrong)), Orientation::Upright);
  }
  EXPECT_EQ(orientation_in_exif({}), Orientation::Upright);
  EXPECT_EQ(orientation_in_exif(view_of("Exif")), Orientation::Upright);
  EXPECT_EQ(orientation_in_exif(samples::tiff({{.tag = 0x0112, .type = 2, .value = 6}})),
            Orientation::Upright)
      << "text is not a number";
  EXPECT_EQ(orientation_in_exif(samples::tiff({{.tag = 0x0112, .count = 0, .value = 6}})),
            Orientation::Upright);
}

TEST(Exif, EveryCutIsUprightOrRight) {
  const Bytes whole = samples::exif(6);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Orientation o = orientation_in_exif(ByteView(whole).first(size));
    // The last four bytes only point to the next directory.
    EXPECT_EQ(o, size + 4 < whole.size() ? Orientation::Upright : Orientation::Turn90) << size;
  }
}

TEST(TiffDirectory, ReadsValuesThatStandElsewhere) {
  // Three SHORTs do not fit into the entry: they stand at byte 26, behind the directory.
  const Bytes tiff = samples::join({samples::tiff({{.tag = 258, .count = 3, .value = 26}}),
                                    Writer().le16(5).le16(6).le16(7).done()});
  const TiffDirectory directory(tiff, Endian::Little, 8);
  EXPECT_TRUE(directory.complete());
  EXPECT_EQ(directory.count(258), 3u);
  EXPECT_EQ(directory.value(258, 2), 7u);
  EXPECT_EQ(directory.value(258, 3), std::nullopt);
  EXPECT_EQ(directory.value(259), std::nullopt);
  EXPECT_EQ(TiffDirectory(ByteView(tiff).first(31), Endian::Little, 8).value(258, 2), std::nullopt);
}

TEST(TiffDirectory, SurvivesAClaimOfTooManyEntries) {
  const Bytes tiff = Writer().text("II").le16(42).le32(8).le16(65535).zeros(24).done();
  const TiffDirectory directory(tiff, Endian::Little, 8);
  EXPECT_FALSE(directory.complete());
  EXPECT_EQ(directory.next(), 0u);
  EXPECT_EQ(directory.count(1), 0u);
}

}  // namespace
}  // namespace tintype
