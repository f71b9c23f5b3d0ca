// SPDX-License-Identifier: Apache-2.0
#include "base/signing.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/hash.h"

namespace tintype {
namespace {

std::string hex_of(std::string_view bytes) {
  return hex(view_of(bytes));
}

// RFC 2202 test case 2, RFC 4231 test case 2, RFC 1321 appendix A.5, FIPS 180-2 appendix A and B.
TEST(Signing, PublishedVectors) {
  const std::string_view key = "Jefe", message = "what do ya want for nothing?";
  EXPECT_EQ(hex_of(hmac_sha1(key, message)), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex_of(hmac_sha256(key, message)),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex_of(md5("abc")), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex_of(sha1("abc")), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(hex_of(sha256_of("abc")),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

// RFC 4648 section 10, and the two digits in which the alphabets differ.
TEST(Signing, Base64) {
  for (std::string_view text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(decode_base64(base64_url(text)), text);
  }
  EXPECT_EQ(base64_url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_url("\xfb\xff"), "-_8");
  EXPECT_EQ(decode_base64("+/8="), "\xfb\xff");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  for (std::string_view bad : {"Zm9vY", "Zm9v Y", "Zh", "*"})
    EXPECT_FALSE(decode_base64(bad)) << bad;
}

TEST(Signing, Comparison) {
  EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
  EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
  EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
  EXPECT_TRUE(equal_in_constant_time("", ""));
}

}  // namespace
}  // namespace tintype
