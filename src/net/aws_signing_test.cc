// SPDX-License-Identifier: Apache-2.0
#include "net/aws_signing.h"

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/text.h"

namespace tintype {
namespace {

std::string header(const AwsPairs& headers, std::string_view name) {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::string signature_in(const AwsPairs& headers) {
  std::string text = header(headers, "Authorization");
  auto at = text.find("Signature=");
  return at == std::string::npos ? "" : text.substr(at + 10);
}

std::string signature_in(const std::string& query) {
  return query.substr(query.find("&X-Amz-Signature=") + 17);
}

// ---- the examples of the S3 documentation: "Authenticating Requests: Using the Authorization
// Header" and "… Using Query Parameters", both of 2013-05-24 in us-east-1

const std::int64_t kS3Time = *parse_http_date("Fri, 24 May 2013 00:00:00 GMT");
const AwsCredentials kS3Key{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
const AwsScope kS3Scope{"us-east-1", "s3"};

AwsSigningRequest s3_request(std::string path, AwsPairs query = {}) {
  AwsSigningRequest request;
  request.host = "examplebucket.s3.amazonaws.com";
  request.path = std::move(path);
  request.query = std::move(query);
  request.payload_hash = aws_payload_hash({});
  return request;
}

TEST(AwsSigningS3, GetObject) {
  auto request = s3_request("/test.txt");
  request.headers = {{"Range", "bytes=0-9"}};
  AwsSigner signer;
  auto added = signer.sign(request, kS3Key, kS3Scope, kS3Time);
  EXPECT_EQ(header(added, "Authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, "
            "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
            "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
  EXPECT_EQ(header(added, "X-Amz-Date"), "20130524T000000Z");
  EXPECT_EQ(header(added, "X-Amz-Content-Sha256"),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(header(added, "X-Amz-Security-Token"), "");
}

TEST(AwsSigningS3, PutObject) {
  auto request = s3_request(aws_encoded_path("/test$file.text"));
  request.method = "PUT";
  request.headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                     {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
  request.payload_hash = aws_payload_hash(view_of("Welcome to Amazon S3."));
  AwsSigner signer;
  EXPECT_EQ(signature_in(signer.sign(request, kS3Key, kS3Scope, kS3Time)),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
}

TEST(AwsSigningS3, QueriesWithAndWithoutValues) {
  AwsSigner signer;
  auto lifecycle = s3_request("/", {{"lifecycle", ""}});
  EXPECT_EQ(signature_in(signer.sign(lifecycle, kS3Key, kS3Scope, kS3Time)),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
  auto list = s3_request("/", {{"prefix", "J"}, {"max-keys", "2"}});
  EXPECT_EQ(signature_in(signer.sign(list, kS3Key, kS3Scope, kS3Time)),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(AwsSigningS3, PresignedGet) {
  auto request = s3_request("/test.txt");
  request.payload_hash = kAwsUnsignedPayload;
  AwsSigner signer;
  EXPECT_EQ(signer.presign(request, kS3Key, kS3Scope, {kS3Time, Seconds(86'400)}),
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2F"
            "us-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&"
            "X-Amz-SignedHeaders=host&X-Amz-Signature="
            "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST(AwsSigningS3, ThePathIsEncodedOnceAndNeverNormalised) {
  auto request = s3_request(aws_encoded_path("/a/../b//c +=,:@~/é"));
  EXPECT_EQ(request.path, "/a/../b//c%20%2B%3D%2C%3A%40~/%C3%A9");
  EXPECT_TRUE(aws_canonical_request(request, "s3").starts_with("GET\n" + request.path + "\n"));
  EXPECT_TRUE(aws_canonical_request(request, "other")
                  .starts_with("GET\n/b/c%2520%252B%253D%252C%253A%2540~/%25C3%25A9\n"));
}

// ---- AWS's test suite for Signature Version 4 (Apache-2.0; awslabs/aws-c-auth,
// tests/aws-signing-test-suite/v4)

struct SuiteCase {
  std::string name, signature;
  std::string method = "GET", path = "/";
  AwsPairs query, headers;
  std::string body, session_token;
};

void PrintTo(const SuiteCase& suite_case, std::ostream* out) {
  *out << suite_case.name;
}

const std::string kUnreserved =
    "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const std::string kVanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
const std::string kForm = "application/x-www-form-urlencoded";
const std::vector<SuiteCase> kSuite{
    {.name = "get-vanilla", .signature = kVanilla},
    {.name = "get-header-key-duplicate",
     .signature = "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
     .headers = {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}},
    {.name = "get-header-value-order",
     .signature = "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
     .headers = {{"My-Header1", "value4"},
                 {"My-Header1", "value1"},
                 {"My-Header1", "value3"},
                 {"My-Header1", "value2"}}},
    {.name = "get-header-value-trim",
     .signature = "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
     .headers = {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}},
    {.name = "get-unreserved",
     .signature = "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
     .path = "/" + kUnreserved},
    {.name = "get-utf8",
     .signature = "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
     .path = "/\u1234"},
    {.name = "get-vanilla-empty-query-key",
     .signature = "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
     .query = {{"Param1", "value1"}}},
    {.name = "get-vanilla-query-order-key-case",
     .signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
     .query = {{"Param2", "value2"}, {"Param1", "value1"}}},
    {.name = "get-vanilla-query-order-key",
     .signature = "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
     .query = {{"Param1", "value2"}, {"Param1", "value1"}}},
    {.name = "get-vanilla-query-order-value",
     .signature = "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
     .query = {{"Param1", "value2"}, {"Param1", "Value1"}}},
    {.name = "get-vanilla-query-order-encoded",
     .signature = "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
     .query = {{"Param-3", "Value3"}, {"Param", "Value2"}, {"\u1234", "Value1"}}},
    {.name = "get-vanilla-query-unreserved",
     .signature = "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
     .query = {{kUnreserved, kUnreserved}}},
    {.name = "get-vanilla-utf8-query",
     .signature = "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
     .query = {{"\u1234", "bar"}}},
    {.name = "get-vanilla-with-session-token",
     .signature = "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
     .session_token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"},
    {.name = "get-relative-normalized", .signature = kVanilla, .path = "/example/.."},
    {.name = "get-relative-relative-normalized",
     .signature = kVanilla,
     .path = "/example1/example2/../.."},
    {.name = "get-slash-normalized", .signature = kVanilla, .path = "//"},
    {.name = "get-slash-dot-slash-normalized", .signature = kVanilla, .path = "/./"},
    {.name = "get-slash-pointless-dot-normalized",
     .signature = "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
     .path = "/./example"},
    {.name = "get-slashes-normalized",
     .signature = "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
     .path = "//example//"},
    {.name = "get-space-normalized",
     .signature = "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
     .path = "/example space/"},
    {.name = "post-vanilla",
     .signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
     .method = "POST"},
    {.name = "post-vanilla-query",
     .signature = "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
     .method = "POST",
     .query = {{"Param1", "value1"}}},
    {.name = "post-vanilla-query-nonunreserved",
     .signature = "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
     .method = "POST",
     .query = {{"@#$%^", ""}, {"+", "/,?><`\";:\\|][{}"}}},
    {.name = "post-vanilla-query-space",
     .signature = "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b",
     .method = "POST",
     .query = {{"p", ""}}},
    {.name = "post-header-key-sort",
     .signature = "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
     .method = "POST",
     .headers = {{"My-Header1", "value1"}}},
    {.name = "post-header-value-case",
     .signature = "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
     .method = "POST",
     .headers = {{"My-Header1", "VALUE1"}}},
    {.name = "post-x-www-form-urlencoded",
     .signature = "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
     .method = "POST",
     .headers = {{"Content-Type", kForm}},
     .body = "Param1=value1"},
    {.name = "post-x-www-form-urlencoded-parameters",
     .signature = "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
     .method = "POST",
     .headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}},
     .body = "Param1=value1"},
    {.name = "post-sts-header-before",
     .signature = "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
     .method = "POST",
     .session_token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWs"
                      "KWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGde"
                      "ehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8T"
                      "x6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FD"
                      "rypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="},
};

const std::int64_t kSuiteTime = *parse_http_date("Sun, 30 Aug 2015 12:36:00 GMT");
const AwsScope kSuiteScope{"us-east-1", "service"};

AwsCredentials suite_key(std::string token = {}) {
  return {"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", std::move(token)};
}

AwsSigningRequest suite_request(const SuiteCase& from) {
  AwsSigningRequest request;
  request.method = from.method;
  request.host = "example.amazonaws.com";
  request.path = from.path;
  request.query = from.query;
  request.headers = from.headers;
  request.payload_hash = aws_payload_hash(view_of(from.body));
  return request;
}

class AwsSigningSuite : public testing::TestWithParam<SuiteCase> {};

TEST_P(AwsSigningSuite, GivesThePublishedSignature) {
  AwsSigner signer;
  auto added = signer.sign(suite_request(GetParam()), suite_key(GetParam().session_token),
                           kSuiteScope, kSuiteTime);
  EXPECT_EQ(signature_in(added), GetParam().signature);
  EXPECT_EQ(header(added, "X-Amz-Security-Token"), GetParam().session_token);
  EXPECT_EQ(header(added, "X-Amz-Content-Sha256"), "") << "S3's only";
}
INSTANTIATE_TEST_SUITE_P(Each, AwsSigningSuite, testing::ValuesIn(kSuite), [](const auto& each) {
  std::string name = each.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// The query signatures of the same suite; valid for an hour.
TEST(AwsSigning, PresignedRequestsOfTheSuite) {
  AwsSigner signer;
  const std::vector<SuiteCase> cases{
      {"get-vanilla-query", "e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d"},
      {"get-utf8", "10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44", "GET",
       "/\u1234"},
      {"get-vanilla-query-order-key-case",
       "86012e2c9ad4d77369f5d81c11f75158aae4f895a085212cc6d3f923d300bed5",
       "GET",
       "/",
       {{"Param2", "value2"}, {"Param1", "value1"}}}};
  for (const SuiteCase& from : cases) {
    auto query =
        signer.presign(suite_request(from), suite_key(), kSuiteScope, {kSuiteTime, Seconds(3'600)});
    EXPECT_EQ(signature_in(query), from.signature) << from.name;
  }
}

TEST(AwsSigning, APresignedRequestCarriesTheSessionToken) {
  AwsSigner signer;
  auto token = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267";
  auto query = signer.presign(suite_request({}), suite_key(token), kSuiteScope,
                              {kSuiteTime, Seconds(3'600)});
  EXPECT_EQ(signature_in(query),
            "7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c");
  EXPECT_NE(query.find("&X-Amz-Security-Token=6e86"), std::string::npos);
}

// ---- what is left

TEST(AwsSigning, TheIamExampleOfTheGeneralReference) {
  AwsSigningRequest request;
  request.host = "iam.amazonaws.com";
  request.query = {{"Version", "2010-05-08"}, {"Action", "ListUsers"}};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  request.payload_hash = aws_payload_hash({});
  AwsSigner signer;
  EXPECT_EQ(signature_in(signer.sign(request, suite_key(), {"us-east-1", "iam"}, kSuiteTime)),
            "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
}

// libcurl sorts whole lines, so that one name that begins with another comes out wrong.
TEST(AwsSigning, HeadersAreSortedByNameAlone) {
  auto request = s3_request("/a");
  request.headers = {{"x-amz-meta-src-etag", "1"}, {"x-amz-meta-src", "2"}, {"X-Empty", ""}};
  EXPECT_NE(aws_canonical_request(request, "s3")
                .find("\nhost:examplebucket.s3.amazonaws.com\nx-amz-meta-src:2\n"
                      "x-amz-meta-src-etag:1\nx-empty:\n\nhost;x-amz-meta-src;"
                      "x-amz-meta-src-etag;x-empty\n"),
            std::string::npos);
}

TEST(AwsSigning, TheQueryIsSortedAfterItIsEncoded) {
  EXPECT_EQ(aws_encoded_query({{"b", "2"}, {"a/", "x y"}, {"a", "+"}, {"b", "1"}, {"a-", ""}}),
            "a=%2B&a%2F=x%20y&a-=&b=1&b=2");
}

TEST(AwsSigning, RememberedKeysChangeWithTheSecretTheDayAndTheScope) {
  auto request = s3_request("/test.txt");
  AwsCredentials other = kS3Key;
  other.secret_access_key += "x";
  AwsSigner signer;
  for (int step = 0; step < 120; ++step) {
    std::int64_t time = kS3Time + step % 9 * 86'400;
    const AwsCredentials& key = step % 2 == 0 ? kS3Key : other;
    AwsScope scope{step % 4 < 2 ? "us-east-1" : "eu-central-1", step % 8 < 4 ? "s3" : "dynamodb"};
    AwsSigner fresh;
    EXPECT_EQ(signature_in(signer.sign(request, key, scope, time)),
              signature_in(fresh.sign(request, key, scope, time)));
  }
}

}  // namespace
}  // namespace tintype
