// SPDX-License-Identifier: Apache-2.0
// The check of a URL before anything connects: http or https, no user name, an allowed port, and
// none of the characters that URL parsers disagree about. libcurl's own parser does the reading, so
// that what is checked is what is fetched. What a host resolves to is the address guard's question.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace tintype {

struct Url {
  std::string text;    // as libcurl writes it
  std::string origin;  // "https://dam.example:443": two URLs with one origin share secrets
  bool is_https = false;
};

struct UrlRules {
  bool allow_any_port = false;
  std::vector<int> ports;  // allowed otherwise
};

// Fails with Forbidden where the rules say no and with OriginFailed where it is no URL.
Result<Url> check_url(const std::string& text, const UrlRules& rules);
// Where `location` of an answer from `base` leads; it may be relative. Fails as check_url does, and
// with Forbidden where it leads from https to http.
Result<Url> follow(const Url& base, const std::string& location, const UrlRules& rules);

}  // namespace tintype
