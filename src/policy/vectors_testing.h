// SPDX-License-Identifier: Apache-2.0
// What the tests that read spec/vectors share: the line "mount <path> <dialect> <site> …" (its
// grammar stands in vectors_test.cc), read into a Mount.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"
#include "dialect/mount.h"

namespace tintype {

inline std::string bytes_of_hex(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); i += 2) escaped.append("%").append(text.substr(i, 2));
  return percent_decode(escaped).value();
}

// Takes the place of the mount at the same path. Throws where the dialect is none.
inline void add_mount(std::vector<Mount>& mounts, const std::vector<std::string_view>& words) {
  Mount mount{.path = std::string(words[1]), .site = std::string(words[3])};
  mount.dialect = dialect_named(words[2]).value();
  MountKey key;
  for (std::size_t i = 4; i < words.size(); ++i) {
    std::string_view name = words[i].substr(0, words[i].find('='));
    std::string value(words[i].substr(name.size() + 1));
    if (name == "key") key.key = value;
    if (name == "keyhex") key.key = bytes_of_hex(value);
    if (name == "salthex") key.salt = bytes_of_hex(value);
    if (name == "source") mount.sources.push_back(value);
  }
  if (!key.key.empty()) mount.keys.push_back(key);
  std::erase_if(mounts, [&](const Mount& other) { return other.path == mount.path; });
  mounts.push_back(std::move(mount));
}

}  // namespace tintype
