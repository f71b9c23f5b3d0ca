// SPDX-License-Identifier: Apache-2.0
#include "server/problem.h"

#include <memory>

#include "base/json.h"
#include "server/head.h"

namespace tintype {
namespace {

// How soon a client turned away by a full house may come again.
constexpr std::int64_t kBusyRetrySeconds = 1;

// The name that logs show in the column `error`.
std::string_view error_name(int status) {
  switch (status) {
    case 401:
    case 403:
      return "forbidden";
    case 404:
      return "not-found";
    case 405:
      return "method-not-allowed";
    case 408:
      return "request-timeout";
    case 500:
      return "internal";
    case 503:
      return "busy";
    default:
      return "bad-request";
  }
}

}  // namespace

std::string_view phrase_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 206:
      return "Partial Content";
    case 302:
      return "Found";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "";
  }
}

SharedEntry page_entry(int status, std::string_view media_type, std::string_view body) {
  auto entry = std::make_shared<Entry>();
  entry->body.assign(body.begin(), body.end());
  entry->meta.status = status;
  entry->meta.media_type = media_type;
  render_head(*entry);
  return entry;
}

SharedEntry problem_entry(int status, std::string_view detail) {
  JsonObject json;
  json.field("type", "about:blank").field("title", phrase_of(status)).field("status", status);
  json.field("detail", detail);
  std::string text = json.str() + "\n";
  auto entry = std::make_shared<Entry>();
  entry->body.assign(text.begin(), text.end());
  entry->meta.status = status;
  entry->meta.media_type = "application/problem+json";
  entry->meta.error_code = error_name(status);
  if (status == 503) entry->meta.retry_after_seconds = kBusyRetrySeconds;
  render_head(*entry);
  return entry;
}

}  // namespace tintype
