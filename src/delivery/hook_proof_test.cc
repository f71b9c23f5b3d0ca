// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/signing.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kNow = 1'795'521'600;
constexpr char kBody[] = R"({"path":"a.jpg"})";
const std::string kSecret = "0123456789abcdef", kOlder = "the older secret";

HookRule rule_of(HookRule::Recipe recipe = HookRule::Recipe::Generic) {
  HookRule rule;
  rule.recipe = recipe;
  rule.secrets = {kSecret, kOlder};
  return rule;
}

std::string hex_of(const std::string& bytes) {
  return hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

HookHeaders headers_of(std::string_view name, std::string_view value) {
  HookHeaders headers;
  headers.take(name, value);
  return headers;
}

HookHeaders signed_at(std::int64_t unix_seconds, const std::string& secret = kSecret) {
  std::string time = std::to_string(unix_seconds);
  std::string digest = hex_of(hmac_sha256(secret, time + "." + kBody));
  return headers_of("x-tintype-signature", "t=" + time + ",v1=" + digest);
}

int status_of(const HookHeaders& headers, const HookRule& rule = rule_of()) {
  auto proof = check_hook(rule, headers, kBody, kNow);
  return proof ? 200 : proof.error().status;
}

// Made with: printf '1795521600.{"path":"a.jpg"}' | openssl dgst -sha256 -hmac 0123456789abcdef
TEST(HookProof, TakesWhatOthersSign) {
  auto headers = headers_of(
      "x-tintype-signature",
      "t=1795521600, v1=a04d10fd409c8029237575c174e4a24b51c22a5071fb4588df2a835e51d62188");
  EXPECT_EQ(status_of(headers), 200);
}

TEST(HookProof, BothSecretsAreLive) {
  EXPECT_EQ(status_of(signed_at(kNow)), 200);
  EXPECT_EQ(status_of(signed_at(kNow, kOlder)), 200);
  EXPECT_EQ(status_of(signed_at(kNow, "another secret 123")), 403);
}

TEST(HookProof, AnotherBodyIsRefused) {
  auto proof = check_hook(rule_of(), signed_at(kNow), "{}", kNow);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().status, 403);
}

TEST(HookProof, ASignatureHoldsForFiveMinutes) {
  EXPECT_EQ(status_of(signed_at(kNow - 300)), 200);
  EXPECT_EQ(status_of(signed_at(kNow - 301)), 403);
  EXPECT_EQ(status_of(signed_at(kNow + 300)), 200);
  EXPECT_EQ(status_of(signed_at(kNow + 301)), 403);
  EXPECT_EQ(status_of(signed_at(-5)), 403);
  auto proof = check_hook(rule_of(), signed_at(kNow + 100), kBody, kNow);
  EXPECT_EQ(proof->valid_until_unix_seconds, kNow + 400);
}

TEST(HookProof, ASignatureThatIsNoneIsRefused) {
  for (const char* text : {"t=1", "v1=aa", "t=x,v1=aa", "1795521600", ",,,"}) {
    EXPECT_EQ(status_of(headers_of("x-tintype-signature", text)), 403) << text;
  }
}

TEST(HookProof, SecretsInHeaders) {
  EXPECT_EQ(status_of(headers_of("x-tintype-secret", kSecret)), 200);
  EXPECT_EQ(status_of(headers_of("x-tintype-secret", kOlder)), 200);
  EXPECT_EQ(status_of(headers_of("x-tintype-secret", kSecret + "x")), 403);
  EXPECT_EQ(status_of(headers_of("authorization", "Bearer " + kSecret)), 200);
  EXPECT_EQ(status_of(headers_of("authorization", "bearer   " + kSecret)), 200);
  // base64("sns:0123456789abcdef")
  EXPECT_EQ(status_of(headers_of("authorization", "Basic c25zOjAxMjM0NTY3ODlhYmNkZWY=")), 200);
  EXPECT_EQ(status_of(headers_of("authorization", "Basic c25z")), 401);
  EXPECT_EQ(status_of(headers_of("authorization", "Digest " + kSecret)), 401);
  auto proof = check_hook(rule_of(), headers_of("x-tintype-secret", kSecret), kBody, kNow);
  EXPECT_TRUE(proof->signature.empty());
}

TEST(HookProof, WithoutAnythingItAsksForAProof) {
  auto proof = check_hook(rule_of(), {}, kBody, kNow);
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().status, 401);
  EXPECT_THAT(proof.error().detail, HasSubstr("X-Tintype-Signature"));
}

TEST(HookProof, AWrongSignatureIsNotSavedByARightSecret) {
  HookHeaders headers = signed_at(kNow, "another secret 123");
  headers.take("x-tintype-secret", kSecret);
  EXPECT_EQ(status_of(headers), 403);
}

HookHeaders cloudinary_at(std::int64_t unix_seconds, std::string (*digest)(std::string_view)) {
  std::string time = std::to_string(unix_seconds);
  HookHeaders headers = headers_of("x-cld-timestamp", time);
  headers.take("x-cld-signature", hex_of(digest(kBody + time + kSecret)));
  return headers;
}

TEST(HookProof, CloudinarysTwoDigests) {
  HookRule rule = rule_of(HookRule::Recipe::Cloudinary);
  for (auto* digest : {&sha1, &sha256_of}) {
    EXPECT_EQ(status_of(cloudinary_at(kNow, digest), rule), 200);
    EXPECT_EQ(status_of(cloudinary_at(kNow - 7'200, digest), rule), 200);
    EXPECT_EQ(status_of(cloudinary_at(kNow - 7'201, digest), rule), 403);
    EXPECT_EQ(status_of(cloudinary_at(kNow + 301, digest), rule), 403);
    HookHeaders moved = cloudinary_at(kNow, digest);
    moved.cloudinary_timestamp = std::to_string(kNow + 1);
    EXPECT_EQ(status_of(moved, rule), 403);
  }
  EXPECT_EQ(status_of(cloudinary_at(kNow, &sha1)), 401) << "only for its recipe";
}

TEST(HookProof, NoRefusalShowsASecret) {
  for (const HookHeaders& headers : {signed_at(kNow, "another secret 123"),
                                     headers_of("x-tintype-secret", "wrong"), HookHeaders{}}) {
    auto proof = check_hook(rule_of(), headers, kBody, kNow);
    ASSERT_FALSE(proof);
    EXPECT_THAT(proof.error().detail, Not(HasSubstr(kSecret)));
  }
}

TEST(SeenHooks, ASignedHookIsGoodOnce) {
  SeenHooks seen;
  HookProof proof{"aa", kNow + 300};
  EXPECT_EQ(seen.remember(proof, kNow), SeenHooks::Verdict::New);
  EXPECT_EQ(seen.remember(proof, kNow), SeenHooks::Verdict::Seen);
  EXPECT_EQ(seen.remember(proof, kNow + 300), SeenHooks::Verdict::Seen);
  // By now its signature is refused as too old.
  EXPECT_EQ(seen.remember({"bb", kNow + 700}, kNow + 301), SeenHooks::Verdict::New);
  EXPECT_EQ(seen.remember(proof, kNow + 301), SeenHooks::Verdict::New);
}

TEST(SeenHooks, WhatFailedMayComeAgain) {
  SeenHooks seen;
  HookProof proof{"aa", kNow + 300};
  seen.remember(proof, kNow);
  seen.forget(proof);
  EXPECT_EQ(seen.remember(proof, kNow), SeenHooks::Verdict::New);
}

TEST(SeenHooks, ABareSecretMayComeAgain) {
  SeenHooks seen;
  EXPECT_EQ(seen.remember({}, kNow), SeenHooks::Verdict::New);
  EXPECT_EQ(seen.remember({}, kNow), SeenHooks::Verdict::New);
}

TEST(SeenHooks, WhenFullNothingIsForgottenEarly) {
  SeenHooks seen(2);
  seen.remember({"aa", kNow + 10}, kNow);
  seen.remember({"bb", kNow + 300}, kNow);
  EXPECT_EQ(seen.remember({"cc", kNow + 300}, kNow), SeenHooks::Verdict::Full);
  EXPECT_EQ(seen.remember({"aa", kNow + 10}, kNow), SeenHooks::Verdict::Seen);
  EXPECT_EQ(seen.remember({"cc", kNow + 300}, kNow + 11), SeenHooks::Verdict::New);
}

}  // namespace
}  // namespace tintype
