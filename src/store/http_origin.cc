// SPDX-License-Identifier: Apache-2.0
#include "store/http_origin.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

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
  HttpOrigin(const OriginRule& rule, HttpClient& client) : rule_(rule), client_(client) {}

  Task<Result<Source>> fetch(std::string path, Deadline deadline) override {
    if (path.empty() || has_dot_segment(path)) {
      co_return fail_private(ErrorCode::NotFound, "not a source path: " + path);
    }
    OutgoingRequest request;
    request.url = rule_.base_url + percent_encode(path, "/");
    request.headers = rule_.headers;
    request.max_body_bytes = rule_.max_source_bytes;
    request.allow_private_addresses = rule_.allow_private_addresses;
    request.deadline = deadline;
    request.timeout_ms = rule_.timeout_ms;
    std::string url = request.url;
    CO_TRY(IncomingResponse response, co_await client_.get(std::move(request)));
    co_return source_of(std::move(response), url);
  }

 private:
  OriginRule rule_;
  HttpClient& client_;
};

}  // namespace

std::unique_ptr<Origin> open_http_origin(const OriginRule& rule, HttpClient& client) {
  return std::make_unique<HttpOrigin>(rule, client);
}

}  // namespace tintype
