// SPDX-License-Identifier: Apache-2.0
#include "replay/gunzip.h"

#include <gtest/gtest.h>

#include "base/signing.h"

namespace tintype {
namespace {

// printf 'hello\n' | gzip -9n | base64
std::string hello() {
  return *decode_base64("H4sIAAAAAAACA8tIzcnJ5wIAIDA6NgYAAAA=");
}

TEST(Gunzip, ReadsAllMembers) {
  EXPECT_TRUE(is_gzip(hello()));
  EXPECT_EQ(*gunzip(hello(), 100), "hello\n");
  EXPECT_EQ(*gunzip(hello() + hello(), 100), "hello\nhello\n");
}

TEST(Gunzip, RefusesDamageAndBombs) {
  EXPECT_FALSE(is_gzip("<urlset/>"));
  EXPECT_FALSE(is_gzip(""));
  std::string torn = hello().substr(0, hello().size() - 3), bent = hello();
  bent[12] = static_cast<char>(bent[12] ^ 0x55);
  EXPECT_EQ(gunzip(torn, 100).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(gunzip(bent, 100).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(gunzip("", 100).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(gunzip(hello() + "x", 100).error().code, ErrorCode::Corrupt);
  EXPECT_EQ(gunzip(hello(), 5).error().code, ErrorCode::TooLarge);
}

}  // namespace
}  // namespace tintype
