// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <curl/curl.h>

#include "base/check.h"
#include "base/text.h"

namespace tintype {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, FreeUrl>;

UrlHandle new_url() {
  UrlHandle handle(curl_url());
  CHECK(handle != nullptr);
  return handle;
}

// Unknown schemes are read, so that they can be refused by name.
constexpr unsigned kReadFlags = CURLU_NON_SUPPORT_SCHEME;

std::optional<std::string> part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return std::nullopt;
  std::string copy(text);
  curl_free(text);
  return copy;
}

// Line breaks smuggle headers, and a backslash is a slash to browsers but not to everybody.
bool holds_forbidden(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f || c == '\\';
  });
}

Failure refuse(const std::string& text, std::string_view reason) {
  return fail_private(ErrorCode::Forbidden,
                      "URL refused (" + std::string(reason) + "): " + text.substr(0, 200));
}

Result<> set_url(CURLU* url, const std::string& text, unsigned flags) {
  if (holds_forbidden(text)) return refuse("", "control character or backslash");
  CURLUcode code = curl_url_set(url, CURLUPART_URL, text.c_str(), flags);
  if (code == CURLUE_OK) return {};
  return fail_private(ErrorCode::OriginFailed,
                      "not a URL (" + std::string(curl_url_strerror(code)) + ")");
}

Result<Url> check(CURLU* handle, const UrlRules& rules) {
  // A user name is looked for first: such a URL may hold a password and is not written to the log.
  if (part_of(handle, CURLUPART_USER) || part_of(handle, CURLUPART_PASSWORD)) {
    return refuse("", "user name");
  }
  Url url;
  url.text = part_of(handle, CURLUPART_URL).value_or("");
  std::string scheme = part_of(handle, CURLUPART_SCHEME).value_or("");
  if (scheme != "http" && scheme != "https") return refuse(url.text, "scheme");
  std::string host = lower(part_of(handle, CURLUPART_HOST).value_or(""));
  bool is_ascii =
      std::all_of(host.begin(), host.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (host.empty() || !is_ascii) return refuse(url.text, "host");
  std::string port = part_of(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or("");
  auto number = parse_int(port);
  bool is_listed =
      number && std::find(rules.ports.begin(), rules.ports.end(), *number) != rules.ports.end();
  if (!rules.allow_any_port && !is_listed) return refuse(url.text, "port");
  url.is_https = scheme == "https";
  url.origin = scheme + "://" + host + ":" + port;
  return url;
}

}  // namespace

Result<Url> check_url(const std::string& text, const UrlRules& rules) {
  UrlHandle handle = new_url();
  TRY(set_url(handle.get(), text, kReadFlags));
  return check(handle.get(), rules);
}

Result<Url> follow(const Url& base, const std::string& location, const UrlRules& rules) {
  UrlHandle handle = new_url();
  TRY(set_url(handle.get(), base.text, kReadFlags));
  // Origins send spaces and UTF-8 in Location; libcurl encodes them when told to.
  TRY(set_url(handle.get(), location, kReadFlags | CURLU_URLENCODE));
  TRY(Url next, check(handle.get(), rules));
  if (base.is_https && !next.is_https) return refuse(next.text, "redirect from https to http");
  return next;
}

}  // namespace tintype
