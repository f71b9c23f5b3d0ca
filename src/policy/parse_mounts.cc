// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_mounts.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "policy/quote.h"

namespace tintype {
namespace {

// Far above real use; each request is compared with every mount.
constexpr std::size_t kMaxMounts = 32;
constexpr std::size_t kMaxKeys = 4;  // two while keys are rotated
constexpr std::size_t kMaxSources = 16;

bool is_path_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("/-._~").find(c) != std::string_view::npos;
}

Result<std::string> read_path(const YamlReader& at) {
  TRY(std::string path, at.as_text());
  bool is_fine = path.starts_with('/') && std::all_of(path.begin(), path.end(), is_path_char) &&
                 path.find("//") == std::string::npos && !path.starts_with("/_/");
  if (!is_fine) {
    return fail(at.error(quote(path) + " is not a mount's path; expected / or a path such as "
                                       "/is/image of A-Z a-z 0-9 - . _ ~"));
  }
  if (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

Result<std::string> read_hex(const YamlReader& at) {
  TRY(std::string text, at.as_text());
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    auto byte = percent_decode("%" + text.substr(i, 2));
    if (!byte || byte->size() != 1) return fail(at.error("expected an even number of hex digits"));
    bytes += *byte;
  }
  if (bytes.empty()) return fail(at.error("a key is expected"));
  return bytes;
}

Result<MountKey> read_key(const YamlReader& at, Dialect dialect) {
  MountKey key;
  if (dialect == Dialect::Imgproxy) {
    if (!at.is_map()) return fail(at.error("expected { key: <hex>, salt: <hex> }"));
    TRY(at.refuse_others({"key", "salt"}));
    auto secret = at.child("key"), salt = at.child("salt");
    if (!secret || !salt) return fail(at.error("expected { key: <hex>, salt: <hex> }"));
    TRY(key.key, read_hex(*secret));
    TRY(key.salt, read_hex(*salt));
    return key;
  }
  TRY(key.key, at.as_text());
  if (key.key.empty()) return fail(at.error("a key is expected"));
  return key;
}

Result<std::string> read_source_prefix(const YamlReader& at) {
  TRY(std::string prefix, at.as_text());
  if (prefix.find("://") == std::string::npos || !prefix.ends_with('/')) {
    return fail(at.error(quote(prefix) + " is not allowed; expected a URL that ends with /, such "
                                         "as https://cdn.shop.example/"));
  }
  return prefix;
}

bool has_signatures(Dialect dialect) {
  constexpr Dialect kWithout[] = {
      Dialect::Bunny,   Dialect::Cloudflare, Dialect::Fastly, Dialect::Ipx,    Dialect::Native,
      Dialect::Netlify, Dialect::Next,       Dialect::Scene7, Dialect::Vercel, Dialect::Weserv};
  return std::find(std::begin(kWithout), std::end(kWithout), dialect) == std::end(kWithout);
}

Result<Dialect> read_dialect(const YamlReader& at) {
  auto child = at.child("dialect");
  if (!child) return fail(at.error("dialect is missing"));
  TRY(std::string name, child->as_text());
  if (auto dialect = dialect_named(name)) return *dialect;
  std::string known;
  for (std::string_view other : dialect_names())
    known.append(known.empty() ? "" : ", ").append(other);
  return fail(child->error(quote(name) + " is not a dialect; known are: " + known));
}

Result<> read_keys(const YamlReader& at, Mount& mount) {
  if (!has_signatures(mount.dialect)) {
    return fail(at.error(std::string(name_of(mount.dialect)) + " has no signatures of its own"));
  }
  auto items = at.items();
  if (!at.is_list() || items.empty() || items.size() > kMaxKeys) {
    return fail(at.error("a list of 1 to " + std::to_string(kMaxKeys) + " keys is expected"));
  }
  for (const YamlReader& item : items) {
    TRY(MountKey key, read_key(item, mount.dialect));
    mount.keys.push_back(std::move(key));
  }
  return {};
}

Result<Mount> read_mount(const YamlReader& at, const std::string& site) {
  if (!at.is_map()) return fail(at.error("expected { path: /is/image, dialect: scene7 }"));
  TRY(at.refuse_others({"path", "dialect", "keys", "sources"}));
  auto path = at.child("path");
  if (!path) return fail(at.error("path is missing"));
  Mount mount;
  mount.site = site;
  TRY(mount.path, read_path(*path));
  TRY(mount.dialect, read_dialect(at));
  if (auto keys = at.child("keys")) TRY(read_keys(*keys, mount));
  if (auto sources = at.child("sources")) {
    auto items = sources->items();
    if (!sources->is_list() || items.size() > kMaxSources) {
      return fail(
          sources->error("a list of at most " + std::to_string(kMaxSources) + " URLs is expected"));
    }
    for (const YamlReader& item : items) {
      TRY(std::string prefix, read_source_prefix(item));
      mount.sources.push_back(std::move(prefix));
    }
  }
  return mount;
}

}  // namespace

Result<std::vector<Mount>> read_mounts(const YamlReader& at, const std::string& site) {
  auto items = at.items();
  if (!at.is_list() || items.size() > kMaxMounts) {
    return fail(
        at.error("a list of at most " + std::to_string(kMaxMounts) + " mounts is expected"));
  }
  std::vector<Mount> mounts;
  for (const YamlReader& item : items) {
    TRY(Mount mount, read_mount(item, site));
    mounts.push_back(std::move(mount));
  }
  return mounts;
}

}  // namespace tintype
