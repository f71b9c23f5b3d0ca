// SPDX-License-Identifier: Apache-2.0
#include "net/aws_error.h"

#include <string>

#include <gtest/gtest.h>

namespace tintype {
namespace {

IncomingResponse answer(int status, std::string_view body, std::string type = {}) {
  IncomingResponse response;
  response.status = status;
  auto bytes = view_of(body);
  response.body = Bytes(bytes.begin(), bytes.end());
  if (!type.empty()) response.headers = {{"x-amzn-errortype", std::move(type)}};
  return response;
}

TEST(AwsError, IsReadFromXmlAndJsonAndTheHeader) {
  auto s3 = aws_error(answer(404,
                             "<?xml version=\"1.0\"?>\n<Error><Code>NoSuchKey</Code>"
                             "<Message>It is gone.</Message><Key>a</Key></Error>"));
  EXPECT_EQ(s3.code, "NoSuchKey");
  EXPECT_EQ(s3.message, "It is gone.");
  auto ceph = aws_error(answer(403, "<Error><Code>AccessDenied</Code><Message></Message></Error>"));
  EXPECT_EQ(ceph.code, "AccessDenied");
  EXPECT_EQ(ceph.message, "");
  EXPECT_EQ(aws_error_code(answer(400,
                                  "<ErrorResponse><Error><Type>Sender</Type>"
                                  "<Code>InvalidClientTokenId</Code></Error></ErrorResponse>")),
            "InvalidClientTokenId");
  auto dynamo = aws_error(answer(400, R"( {"__type":"com.amazonaws.dynamodb.v20120810#Busy",)"
                                      R"("message":"later"})"));
  EXPECT_EQ(dynamo.code, "Busy");
  EXPECT_EQ(dynamo.message, "later");
  EXPECT_EQ(aws_error(answer(400, R"({"code":"A","Message":"b"})")).message, "b");
  EXPECT_EQ(aws_error_code(answer(400, "{}", "Busy:http://internal.amazon.com/")), "Busy");
}

TEST(AwsError, IsEmptyWhereThereIsNone) {
  EXPECT_EQ(aws_error_code(answer(200, "<Error><Code>X</Code></Error>")), "");
  for (const char* body : {"", "<Error><Code>X", "<html>Bad Gateway</html>", "{\"__type\":7}", "{",
                           "[\"__type\"]", "<Code></Code>"}) {
    EXPECT_EQ(aws_error_code(answer(502, body)), "") << body;
  }
  EXPECT_EQ(aws_error_code(answer(500, std::string(70'000, ' ') + "<Code>X</Code>")), "");
}

TEST(AwsError, KnowsWhatPasses) {
  for (const char* code : {"SlowDown", "Throttling", "ThrottlingException", "ThrottledException",
                           "ProvisionedThroughputExceededException", "RequestLimitExceeded"}) {
    EXPECT_TRUE(is_aws_throttling(400, code)) << code;
  }
  EXPECT_TRUE(is_aws_throttling(429, ""));
  for (int status : {500, 502, 503, 504}) EXPECT_TRUE(is_aws_transient(status, ""));
  for (const char* code :
       {"InternalError", "ServiceUnavailable", "RequestTimeout", "ConditionalRequestConflict"}) {
    EXPECT_TRUE(is_aws_transient(400, code)) << code;
  }
  for (const char* code : {"", "NoSuchKey", "AccessDenied", "PreconditionFailed",
                           "ConditionalCheckFailedException", "ExpiredToken"}) {
    EXPECT_FALSE(is_aws_throttling(400, code)) << code;
    EXPECT_FALSE(is_aws_transient(400, code)) << code;
  }
  EXPECT_FALSE(is_aws_transient(501, "NotImplemented"));
  for (const char* code : {"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId",
                           "InvalidClientTokenId", "UnrecognizedClientException"}) {
    EXPECT_TRUE(is_aws_credential_refusal(code)) << code;
  }
  EXPECT_FALSE(is_aws_credential_refusal("AccessDenied"));
}

}  // namespace
}  // namespace tintype
