// SPDX-License-Identifier: Apache-2.0
#include "net/aws_credential_formats.h"

#include <cstdio>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::string_view kFile =
    "# by hand\r\n"
    "[default]\r\n"
    "aws_access_key_id = AKID1\r\n"
    "AWS_SECRET_ACCESS_KEY=s/e+c=ret\r\n"
    "region = eu-central-1\r\n"
    "\r\n"
    "; another\n"
    "[ staging ]\n"
    "aws_access_key_id=AKID2\n"
    "aws_secret_access_key = two\n"
    "\taws_session_token = to/ken==\n"
    "[half]\n"
    "aws_access_key_id = AKID3\n";

TEST(AwsProfile, ReadsTheSectionThatIsAskedFor) {
  auto first = parse_aws_profile(kFile, "default");
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->access_key_id, "AKID1");
  EXPECT_EQ((*first)->secret_access_key, "s/e+c=ret");
  EXPECT_EQ((*first)->session_token, "");
  auto second = parse_aws_profile(kFile, "staging");
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->access_key_id, "AKID2");
  EXPECT_EQ((*second)->session_token, "to/ken==");
}

TEST(AwsProfile, TellsAMissingSectionFromAnIncompleteOne) {
  auto none = parse_aws_profile(kFile, "production");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  auto half = parse_aws_profile(kFile, "half");
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, ErrorCode::Forbidden);
  EXPECT_EQ(half.error().message.find("AKID3"), std::string::npos);
  EXPECT_FALSE(*parse_aws_profile("[", "default"));
  EXPECT_FALSE(*parse_aws_profile("", ""));
}

TEST(AwsCredentialsJson, ReadsWhatContainersAndInstancesAnswer) {
  auto got = parse_aws_credentials_json(
      R"({"Code":"Success","AccessKeyId":"A","SecretAccessKey":"S","Token":"T",)"
      R"("Expiration":"2026-11-24T17:09:17Z","RoleArn":"arn:aws:iam::1:role/x"})");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "A");
  EXPECT_EQ(got->secret_access_key, "S");
  EXPECT_EQ(got->session_token, "T");
  EXPECT_EQ(iso_date(got->expires_unix_seconds), "2026-11-24T17:09:17Z");
  auto lasting = parse_aws_credentials_json(R"({"AccessKeyId":"A","SecretAccessKey":"S"})");
  ASSERT_TRUE(lasting);
  EXPECT_EQ(lasting->expires_unix_seconds, 0);
}

TEST(AwsCredentialsJson, RefusesEverythingElseAndQuotesNothing) {
  for (const char* text :
       {"", "[]", "null", "{\"AccessKeyId\":\"A\"}",
        "{\"AccessKeyId\":1,\"SecretAccessKey\":\"hush\"}",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"\"}", "{\"Code\":\"hush\"",
        "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"hush\",\"Expiration\":\"tomorrow\"}"}) {
    auto got = parse_aws_credentials_json(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, ErrorCode::OriginFailed);
    EXPECT_EQ(got.error().message.find("hush"), std::string::npos);
  }
}

TEST(AwsTime, ReadsFractionsAndOffsets) {
  auto noon = parse_aws_time("2024-02-29T12:00:00Z");
  ASSERT_TRUE(noon);
  EXPECT_EQ(iso_date(*noon), "2024-02-29T12:00:00Z");
  EXPECT_EQ(parse_aws_time("2024-02-29T12:00:00.123456Z"), noon);
  EXPECT_EQ(parse_aws_time("2024-02-29T13:30:00+01:30"), noon);
  EXPECT_EQ(parse_aws_time("2024-02-29T07:00:00-0500"), noon);
}

TEST(AwsTime, RefusesWhatIsNone) {
  for (const char* text :
       {"", "2024-02-29", "2024-02-29T12:00:00", "2024-02-29 12:00:00Z", "2024-13-29T12:00:00Z",
        "2024-02-29T24:00:00Z", "2024-02-29T12:00:00+1:00", "2024-02-29T12:00:00Zx",
        "-024-02-29T12:00:00Z", "2024-02-29T12:00:00.5"}) {
    EXPECT_FALSE(parse_aws_time(text)) << text;
  }
}

TEST(SmallFile, IsReadWholeAndBounded) {
  std::string path = testing::TempDir() + "tintype-small-" + std::to_string(getpid());
  std::ofstream(path) << "two\nlines";
  auto got = read_small_file(path);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(*got, "two\nlines");
  std::ofstream(path) << std::string(64'000, 'x');
  EXPECT_TRUE(read_small_file(path));
  std::ofstream(path) << std::string(64'001, 'x');
  EXPECT_FALSE(read_small_file(path));
  std::remove(path.c_str());
  EXPECT_FALSE(read_small_file(path));
  EXPECT_FALSE(read_small_file(testing::TempDir()));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(read_small_file(path)) << "and it does not wait for a writer";
  std::remove(path.c_str());
}

}  // namespace
}  // namespace tintype
