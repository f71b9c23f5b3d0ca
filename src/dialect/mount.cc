// SPDX-License-Identifier: Apache-2.0
#include "dialect/mount.h"

#include <algorithm>
#include <array>

namespace tintype {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 15> kNames = {
    "bunny",  "cloudflare", "cloudinary", "dit",    "fastly",  "imgix",  "imgproxy", "ipx",
    "native", "netlify",    "next",       "scene7", "thumbor", "vercel", "weserv"};

bool is_at(const Mount& mount, std::string_view path) {
  if (mount.path == "/") return true;
  return path.starts_with(mount.path) &&
         (path.size() == mount.path.size() || path[mount.path.size()] == '/');
}

}  // namespace

std::string_view name_of(Dialect dialect) {
  return kNames[static_cast<std::size_t>(dialect)];
}

std::optional<Dialect> dialect_named(std::string_view name) {
  auto at = std::find(kNames.begin(), kNames.end(), name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<Dialect>(at - kNames.begin());
}

std::span<const std::string_view> dialect_names() {
  return kNames;
}

const Mount* find_mount(std::span<const Mount> mounts, std::string_view path) {
  const Mount* best = nullptr;
  for (const Mount& mount : mounts) {
    if (is_at(mount, path) && (best == nullptr || mount.path.size() > best->path.size())) {
      best = &mount;
    }
  }
  return best;
}

}  // namespace tintype
