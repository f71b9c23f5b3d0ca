// SPDX-License-Identifier: Apache-2.0
// What an AWS service says is wrong, read from its answer: <Code> and <Message> of XML (S3,
// CloudFront, IAM), __type and message of JSON (DynamoDB), or the X-Amzn-ErrorType header; and
// which words mean that a call may be tried again. Pure. Used by AwsClient and by store/.
#pragma once

#include <string>
#include <string_view>

#include "net/http_client.h"

namespace tintype {

struct AwsError {
  std::string code;     // "NoSuchKey"; without the namespace that DynamoDB puts before it
  std::string message;  // may be empty: Ceph's is
};

// Both empty for a status below 300, and where the answer says nothing, as none to HEAD does.
AwsError aws_error(const IncomingResponse& response);
std::string aws_error_code(const IncomingResponse& response);

// The service did nothing and wants fewer calls.
bool is_aws_throttling(int status, std::string_view code);
// The service failed, or did nothing for a reason that passes.
bool is_aws_transient(int status, std::string_view code);
// The credentials are expired or not known.
bool is_aws_credential_refusal(std::string_view code);

}  // namespace tintype
