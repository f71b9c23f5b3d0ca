// SPDX-License-Identifier: Apache-2.0
// Mount: at which path which URL language is spoken for which site. Made by policy/ from the site's
// rules; plain values, compared when a policy changes. The mount of a target is found by its path
// alone: nothing is guessed from what the URL looks like.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tintype {

// The URL languages, in alphabetical order. Their names are those of the settings file.
enum class Dialect : std::uint8_t {
  Bunny,
  Cloudflare,
  Cloudinary,
  Dit,  // AWS Dynamic Image Transformation (Serverless Image Handler)
  Fastly,
  Imgix,
  Imgproxy,
  Ipx,
  Native,
  Netlify,
  Next,
  Scene7,
  Thumbor,
  Vercel,
  Weserv,
};
std::string_view name_of(Dialect dialect);
std::optional<Dialect> dialect_named(std::string_view name);
std::span<const std::string_view> dialect_names();

// One live key of a vendor's signature. While keys are rotated, two are live.
struct MountKey {
  std::string key;   // bytes, as the vendor's scheme takes them
  std::string salt;  // imgproxy only
  bool operator==(const MountKey&) const = default;
};

struct Mount {
  std::string path;  // "/" or "/is/image": leading slash, no trailing one
  Dialect dialect = Dialect::Native;
  std::string site;
  // With keys, a request must carry a valid signature of the vendor's scheme; without, signatures
  // are not looked at.
  std::vector<MountKey> keys;
  // Absolute URLs that a request may name as its source ("https://cdn.shop.example/"): what follows
  // the prefix is the path of the source under the site's origin.
  std::vector<std::string> sources;
  bool operator==(const Mount&) const = default;
};

// The mount whose path is the longest prefix of `path` that ends at a segment's end; null: none.
const Mount* find_mount(std::span<const Mount> mounts, std::string_view path);

}  // namespace tintype
