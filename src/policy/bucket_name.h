// SPDX-License-Identifier: Apache-2.0
// The names of S3's buckets and regions, as far as a slip of the pen can be told from a name. A
// bucket's name becomes part of a host name and of paths, so nothing else may pass. Pure.
#pragma once

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace tintype {

// S3's own rules in short: 3 to 63 of a-z 0-9 - and single dots, beginning and ending with a letter
// or digit, and no IPv4 address.
inline bool is_bucket_name(std::string_view name) {
  auto is_plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  if (name.size() < 3 || name.size() > 63 || name.find("..") != std::string_view::npos) {
    return false;
  }
  auto parts = split(name, '.');
  bool is_ipv4 = parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](auto part) {
                   return parse_int(part).has_value();
                 });
  return !is_ipv4 && is_plain(name.front()) && is_plain(name.back()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return is_plain(c) || c == '-' || c == '.'; });
}

// "eu-central-1"; other services have names of their own, "garage", "auto".
inline bool is_region_name(std::string_view name) {
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace tintype
