// SPDX-License-Identifier: Apache-2.0
#include "store/http_origin.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "store/oauth.h"
#include "telemetry/trace_context.h"

namespace tintype {
namespace {

// The walk never lets these through; a second look here, because an origin behind this one may read
// "%2e%2e" as a way up.
bool has_dot_segment(std::string_view path) {
  auto segments = split(path, '/');
  return std::any_of(segments.begin(), segments.end(),
                     [](std::string_view s) { return s == "." || s == ".."; });
}

ErrorCode code_of(int status) {
  if (status == 404 || status == 410) return ErrorCode::NotFound;
  if (status == 401 || status == 403) return ErrorCode::Forbidden;
  return ErrorCode::OriginFailed;
}

Result<Source> source_of(IncomingResponse response, const std::string& url) {
  if (response.status != 200) {
    return fail_private(code_of(response.status),
                        "status " + std::to_string(response.status) + " from " + url);
  }
  // We ask for none and decode none: what looks like a source would be a gzip stream.
  std::string coding = lower(response.header("content-encoding"));
  if (!coding.empty() && coding != "identity") {
    return fail_private(ErrorCode::OriginFailed, "content coding " + coding + " from " + url);
  }
  Source source;
  source.modified_unix_seconds = parse_http_date(response.header("last-modified")).value_or(0);
  source.etag = response.header("etag");
  source.bytes = share(std::move(response.body));
  return source;
}

class HttpOrigin final : public Origin {
 public:
  HttpOrigin(const OriginRule& rule, HttpClient& client, const Clock& clock)
      : rule_(rule), client_(client) {
    if (rule.oauth) tokens_.emplace(*rule.oauth, rule.allow_private_addresses, client, clock);
  }

  Task<Result<Source>> fetch(std::string path, Deadline deadline) override {
    SourceVersion nothing;
    CO_TRY(auto source, co_await fetch_if_changed(std::move(path), std::move(nothing), deadline));
    co_return std::move(*source);  // nothing was known
  }

  Task<Result<std::optional<Source>>> fetch_if_changed(std::string path, SourceVersion known,
                                                       Deadline deadline) override {
    if (path.empty() || has_dot_segment(path)) {
      co_return fail_private(ErrorCode::NotFound, "not a source path: " + path);
    }
    OutgoingRequest request = request_of(path, known, deadline);
    CO_TRY(IncomingResponse response, co_await send(request));
    bool is_conditional = !known.etag.empty() || known.modified_unix_seconds != 0;
    if (response.status == 304 && is_conditional) co_return std::optional<Source>();
    CO_TRY(Source source, source_of(std::move(response), request.url));
    co_return std::optional<Source>(std::move(source));
  }

 private:
  OutgoingRequest request_of(const std::string& path, const SourceVersion& known,
                             Deadline deadline) const {
    OutgoingRequest request;
    request.url = rule_.base_url + percent_encode(path, "/");
    request.headers = rule_.headers;
    // RFC 9110 section 13.1.3: with an ETag the date is not looked at.
    if (!known.etag.empty()) {
      request.headers.emplace_back("If-None-Match", known.etag);
    } else if (known.modified_unix_seconds != 0) {
      request.headers.emplace_back("If-Modified-Since", http_date(known.modified_unix_seconds));
    }
    if (deadline.trace.is_set()) {
      request.headers.emplace_back("traceparent", write_traceparent(deadline.trace));
    }
    request.max_body_bytes = rule_.max_source_bytes;
    request.allow_private_addresses = rule_.allow_private_addresses;
    request.deadline = deadline;
    request.timeout_ms = rule_.timeout_ms;
    return request;
  }

  // With a token where the rule wants one; a token that is not taken is made anew once.
  Task<Result<IncomingResponse>> send(OutgoingRequest request) {
    if (!tokens_) co_return co_await client_.send(std::move(request));
    for (int tries = 1;; ++tries) {
      CO_TRY(std::string token, co_await tokens_->token(request.deadline));
      OutgoingRequest authorized = request;
      authorized.headers.emplace_back("Authorization", "Bearer " + token);
      CO_TRY(IncomingResponse response, co_await client_.send(std::move(authorized)));
      // A fresh token that is not taken either says something of the picture, not of the token.
      if (response.status != 401 || tries == 2) co_return std::move(response);
      tokens_->reject(token);
    }
  }

  OriginRule rule_;
  HttpClient& client_;
  std::optional<OAuthTokens> tokens_;
};

}  // namespace

std::unique_ptr<Origin> open_http_origin(const OriginRule& rule, HttpClient& client,
                                         const Clock& clock) {
  return std::make_unique<HttpOrigin>(rule, client, clock);
}

}  // namespace tintype
