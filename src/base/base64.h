// SPDX-License-Identifier: Apache-2.0
// base64: RFC 4648 section 4, with its padding, as headers want it (Basic credentials,
// Content-MD5). The URL-safe form and the reading of both are in signing.h. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "base/signing.h"

namespace tintype {

inline std::string base64(std::string_view bytes) {
  std::string text = base64_url(bytes);
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

}  // namespace tintype
