// SPDX-License-Identifier: Apache-2.0
#include "delivery/failure.h"

#include <array>

#include "base/check.h"
#include "base/json.h"

namespace tintype {
namespace {

// Times (docs/internals/figures.md P19) are kept short enough that a repaired origin or
// picture is seen within a minute: a damaged source is often half an upload.
constexpr std::array kRules = {
    FailureRule{ErrorCode::BadRequest, 400, 60, LogLevel::Debug,
                "The request cannot be understood."},
    FailureRule{ErrorCode::UnsupportedOption, 400, 60, LogLevel::Info,
                "This picture asks for something that is not supported."},
    FailureRule{ErrorCode::Forbidden, 403, 60, LogLevel::Info,
                "This picture may not be asked for."},
    FailureRule{ErrorCode::NotFound, 404, 30, LogLevel::Debug, "There is no such picture."},
    FailureRule{ErrorCode::MethodNotAllowed, 405, 0, LogLevel::Debug,
                "Only GET and HEAD are served."},
    FailureRule{ErrorCode::Unsupported, 415, 60, LogLevel::Info,
                "The source is in a format that is not served."},
    FailureRule{ErrorCode::Corrupt, 422, 60, LogLevel::Info, "The source picture is damaged."},
    FailureRule{ErrorCode::TooLarge, 422, 60, LogLevel::Info,
                "The source picture is larger than allowed."},
    FailureRule{ErrorCode::OriginFailed, 502, 3, LogLevel::Warn,
                "The origin of this picture did not answer correctly."},
    FailureRule{ErrorCode::Timeout, 504, 3, LogLevel::Warn, "This picture took too long."},
    FailureRule{ErrorCode::Busy, 503, 0, LogLevel::Warn,
                "Too many pictures are being made; try again."},
    FailureRule{ErrorCode::Crashed, 502, 60, LogLevel::Error,
                "This picture could not be rendered."},
    FailureRule{ErrorCode::Internal, 500, 0, LogLevel::Error, "Something went wrong on our side."},
};

constexpr std::int64_t kBusyRetrySeconds = 1;
// A name, not an address (RFC 9457 section 3.1.1): docs/errors.md explains each.
constexpr std::string_view kProblemType = "urn:tintype:error:";

std::string problem_document(const Error& error, const FailureRule& rule) {
  JsonObject json;
  json.field("type", std::string(kProblemType) + std::string(name_of(error.code)));
  json.field("title", rule.sentence).field("status", rule.status);
  if (!error.detail.empty()) json.field("detail", error.detail);
  json.field("code", name_of(error.code));
  if (!error.option.empty()) json.field("option", error.option);
  return json.str() + "\n";
}

}  // namespace

const FailureRule& rule_of(ErrorCode code) {
  for (const FailureRule& rule : kRules) {
    if (rule.code == code) return rule;
  }
  CHECK(!"an ErrorCode without a FailureRule");
  return kRules.back();
}

Entry failure_entry(const Error& error, std::string key, std::int64_t now_unix_seconds) {
  const FailureRule& rule = rule_of(error.code);
  Entry entry;
  std::string json = problem_document(error, rule);
  entry.body.assign(json.begin(), json.end());
  entry.meta.key = std::move(key);
  entry.meta.status = rule.status;
  entry.meta.media_type = "application/problem+json";
  entry.meta.error_code = name_of(error.code);
  entry.meta.stored_unix_seconds = now_unix_seconds;
  entry.meta.fresh_until_unix_seconds = now_unix_seconds + rule.negative_ttl_seconds;
  entry.meta.max_age_seconds = rule.negative_ttl_seconds;
  if (error.code == ErrorCode::Busy) entry.meta.retry_after_seconds = kBusyRetrySeconds;
  return entry;
}

}  // namespace tintype
