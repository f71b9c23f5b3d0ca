// SPDX-License-Identifier: Apache-2.0
#include "image/byte_reader.h"

#include <gtest/gtest.h>

namespace tintype {
namespace {

const Bytes kBytes = {1, 2, 3, 4, 5, 6, 7, 8};

TEST(ByteReader, ReadsBothByteOrders) {
  ByteReader big(kBytes, Endian::Big), little(kBytes, Endian::Little);
  EXPECT_EQ(big.u16(), 0x0102);
  EXPECT_EQ(little.u16(), 0x0201);
  EXPECT_EQ(big.u24(), 0x030405u);
  EXPECT_EQ(little.u24(), 0x050403u);
  EXPECT_EQ(ByteReader(kBytes).u32(), 0x01020304u);
  EXPECT_EQ(ByteReader(kBytes).u64(), 0x0102030405060708u);
  EXPECT_EQ(ByteReader(kBytes, Endian::Little).u64(), 0x0807060504030201u);
}

TEST(ByteReader, ReadingPastTheEndYieldsZeroAndSticks) {
  ByteReader reader(kBytes);
  reader.skip(6);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_TRUE(reader.at_end());
  EXPECT_EQ(reader.u8(), 0) << "two bytes are left, but a failed reader reads nothing";
  EXPECT_TRUE(reader.take(0).empty());
}

TEST(ByteReader, HugeSizesDoNotWrapAround) {
  ByteReader reader(kBytes);
  reader.skip(4);
  reader.skip(~std::uint64_t{0} - 2);
  EXPECT_FALSE(reader.ok());
  ByteReader other(kBytes);
  other.seek(~std::uint64_t{0});
  EXPECT_FALSE(other.ok());
}

TEST(ByteReader, PeekAndSeekStayInside) {
  ByteReader reader(kBytes);
  reader.seek(6);
  EXPECT_EQ(reader.peek(10).size(), 2u);
  EXPECT_EQ(reader.position(), 6u);
  reader.seek(8);
  EXPECT_TRUE(reader.ok());
  EXPECT_TRUE(reader.at_end());
}

}  // namespace
}  // namespace tintype
