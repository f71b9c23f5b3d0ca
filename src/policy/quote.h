// SPDX-License-Identifier: Apache-2.0
// quote: how a text that somebody else wrote is shown in an error: in quotes, and cut where it is
// long, so that an answer or a log line never grows with the request. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tintype {

inline std::string quote(std::string_view text) {
  constexpr std::size_t kShownBytes = 64;  // the longest name that is allowed anywhere
  std::string out = "'" + std::string(text.substr(0, kShownBytes));
  return out + (text.size() > kShownBytes ? "…'" : "'");
}

}  // namespace tintype
