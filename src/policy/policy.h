// SPDX-License-Identifier: Apache-2.0
// Policy: per-site rules and defaults, immutable once loaded; shared by all loops. A new version
// replaces the whole value at once; a bad one is refused whole and the old one stays. Owns no files
// and no connections: where sources are is said here, store/ goes there. Walk: after the dialect.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "dialect/mount.h"
#include "transform/ask.h"

namespace tintype {

// OAuth 2.0 client credentials (RFC 6749 section 4.4) for an HTTP origin.
struct OAuthRule {
  std::string token_url, client_id, client_secret, scope;
  bool operator==(const OAuthRule&) const = default;
};

// Where a site's sources are, or some of them.
struct OriginRule {
  enum class Kind : std::uint8_t { Folder, Http, S3 };
  Kind kind = Kind::Folder;
  std::string folder;    // Folder: an absolute path
  std::string base_url;  // Http: "https://dam.example/assets/", ends with '/'
  std::vector<std::pair<std::string, std::string>> headers;  // Http: sent with each fetch
  std::optional<OAuthRule> oauth;  // Http: a bearer token is had here and sent with each fetch
  std::string bucket, prefix;      // S3: the key of a source is prefix + its path
  std::string region;              // S3: empty: AWS_REGION's
  // S3: another service than AWS, "http://127.0.0.1:9000"; its buckets are in the path.
  std::string endpoint;
  bool allow_private_addresses =
      false;                        // Http: may connect to loopback, private, link-local addresses
  Milliseconds timeout_ms{10'000};  // whole fetch (docs/internals/figures.md P11)
  std::int64_t max_source_bytes = 50'000'000;
  bool operator==(const OriginRule&) const = default;
};

// Where it is, without secrets: "/srv/pictures", "https://dam.example/assets/", "s3://bucket/p/".
std::string describe(const OriginRule& rule);

// Cache tags of the sources below a prefix, beside those of the source's own metadata.
struct TagRule {
  std::string prefix;  // "" is every source
  std::vector<std::string> tags;
  bool operator==(const TagRule&) const = default;
};

// How the DAM tells us of changed pictures: POST /_/hooks/asset/<site>/<name>.
struct HookRule {
  enum class Recipe : std::uint8_t { Generic, Aprimo, Bynder, Cloudinary, S3 };
  std::string name;
  Recipe recipe = Recipe::Generic;
  std::vector<std::string> secrets;  // live ones; the second while they are rotated
  // Generic: JSON pointers (RFC 6901) to the source's path or a list of them, and to the word that
  // says what happened.
  std::string source_pointer, event_pointer;
  std::string strip_prefix;  // cut off the path that the hook names
  // Presets that are made at once for a new or changed picture.
  std::vector<std::string> warm_presets;
  bool operator==(const HookRule&) const = default;
};

struct SiteLimits {
  std::int32_t max_width_px = 8192, max_height_px = 8192;  // of a variant, after dpr
  std::int64_t max_variant_pixels = 40'000'000;
  std::int64_t max_source_pixels = 50'000'000;       // docs/internals/figures.md P4
  std::int64_t max_progressive_pixels = 25'000'000;  // likewise: progressive, interlaced
  bool operator==(const SiteLimits&) const = default;
};

enum class UnknownParameters : std::uint8_t { Drop, Refuse };

struct SitePolicy {
  std::string name;
  OriginRule origin;
  std::vector<OriginRule> fallback_origins;  // asked in order when those before have no such source
  std::vector<TagRule> tags;
  std::vector<HookRule> hooks;
  SiteLimits limits;
  std::vector<Format> format_order{Format::Avif, Format::Webp};  // for f=auto
  std::vector<std::int32_t> width_ladder;  // steps of w=auto, ascending; empty: kWidthLadder
  std::vector<Mount> mounts;               // where other URL languages than the native are spoken
  UnknownParameters unknown_parameters = UnknownParameters::Drop;
  // Live keys of our own signatures (signature.h), as bytes; empty: URLs are not signed.
  std::vector<std::string> signing_keys;
  bool verify_at_service = false;  // the edge leaves signatures to the service
  // Options that a request may name, a bit per OptionId; absent: all. Presets and defaults may set
  // any.
  std::optional<std::uint32_t> allowed_options;
  std::vector<std::int32_t> quality_steps;  // a quality is raised to the next; empty: exact
  bool snap_widths = false;                 // an asked width is raised to the ladder's next step
  bool redirects = false;                   // other spellings are sent to the canonical path
  // A preset, and the site's defaults, are partial Asks: `named` says which options they set.
  struct OptionSet {
    Transformation transformation;
    std::uint32_t named = 0;
    bool operator==(const OptionSet&) const = default;
  };
  std::map<std::string, OptionSet, std::less<>> presets;
  OptionSet defaults;
  Seconds browser_ttl{86'400};       // Cache-Control: max-age of variants
  Seconds variant_ttl{30 * 86'400};  // how long a stored variant is fresh (30 days)
  Seconds source_ttl{300};           // how long the source cache does not ask the origin
  bool operator==(const SitePolicy&) const = default;
};

struct Policy {
  std::uint64_t revision = 0;  // hash of the text it was read from
  std::map<std::string, SitePolicy, std::less<>> sites;
  std::vector<Mount> mounts;  // those of all sites; no path twice

  const SitePolicy* find(std::string_view site) const {
    auto it = sites.find(site);
    return it == sites.end() ? nullptr : &it->second;
  }
};
using SharedPolicy = std::shared_ptr<const Policy>;

// Reads the `sites:` section of a settings text (YAML). Paths of folders are resolved against
// `base_folder`. Fails with BadRequest whose detail begins with "line N: " and names the field, its
// value and what is allowed; unknown fields are refused.
Result<Policy> parse_policy(const std::string& yaml, const std::string& base_folder);

// Admits an Ask under its site's rules: refuses unknown parameters where the site says so, refuses
// options that the site does not allow, expands the preset, fills the site's defaults (request
// beats preset beats site), checks w and h limits after dpr. The result names no preset. Canonical
// asks are only checked against limits. Fails with BadRequest naming option, value and what is
// allowed.
Result<Ask> admit(const Ask& ask, const SitePolicy& site);

}  // namespace tintype
