// SPDX-License-Identifier: Apache-2.0
#include "net/aws_error.h"

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tintype {
namespace {

// Refusals are a few hundred bytes; what is longer is no refusal of AWS.
constexpr std::size_t kMaxErrorBytes = 64'000;

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The text of the first <name>; entities stay as they are, since codes hold none.
std::string xml_text(std::string_view body, std::string_view name) {
  std::string open = "<" + std::string(name) + ">";
  auto begin = body.find(open);
  if (begin == std::string_view::npos) return {};
  begin += open.size();
  auto end = body.find("</" + std::string(name) + ">", begin);
  if (end == std::string_view::npos) return {};
  return std::string(trim(body.substr(begin, end - begin)));
}

std::string text_at(const nlohmann::json& object, const char* name) {
  auto found = object.find(name);
  if (found == object.end() || !found->is_string()) return {};
  return found->get<std::string>();
}

// "com.amazonaws.dynamodb.v20120810#Busy" and "Busy:http://internal/" are "Busy".
std::string bare(std::string code) {
  code.erase(0, code.find('#') == std::string::npos ? 0 : code.find('#') + 1);
  return code.substr(0, code.find(':'));
}

AwsError json_error(std::string_view body) {
  auto object = nlohmann::json::parse(body, nullptr, false);
  if (!object.is_object()) return {};
  std::string code = text_at(object, "__type");
  if (code.empty()) code = text_at(object, "code");
  std::string message = text_at(object, "message");
  if (message.empty()) message = text_at(object, "Message");
  return {bare(std::move(code)), std::move(message)};
}

}  // namespace

AwsError aws_error(const IncomingResponse& response) {
  if (response.status < 300 || response.body.size() > kMaxErrorBytes) return {};
  std::string_view body = trim(text_of(response.body));
  AwsError error = body.starts_with('{')
                       ? json_error(body)
                       : AwsError{xml_text(body, "Code"), xml_text(body, "Message")};
  if (error.code.empty()) error.code = bare(std::string(response.header("x-amzn-errortype")));
  return error;
}

std::string aws_error_code(const IncomingResponse& response) {
  return aws_error(response).code;
}

bool is_aws_throttling(int status, std::string_view code) {
  return status == 429 || code.starts_with("Throttl") ||
         is_one_of(code,
                   {"ProvisionedThroughputExceededException", "RequestLimitExceeded", "SlowDown",
                    "TooManyRequestsException", "RequestThrottled", "RequestThrottledException",
                    "BandwidthLimitExceeded", "PriorRequestNotComplete", "EC2ThrottledException"});
}

bool is_aws_transient(int status, std::string_view code) {
  return is_one_of(code,
                   {"InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable",
                    "RequestTimeout", "RequestTimeoutException", "ConditionalRequestConflict"}) ||
         status == 500 || status == 502 || status == 503 || status == 504;
}

bool is_aws_credential_refusal(std::string_view code) {
  return code.starts_with("ExpiredToken") ||
         is_one_of(code, {"InvalidClientTokenId", "InvalidAccessKeyId",
                          "UnrecognizedClientException", "TokenRefreshRequired"});
}

}  // namespace tintype
