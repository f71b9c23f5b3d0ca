// SPDX-License-Identifier: Apache-2.0
// Which dialect a target is in, and the way to its parser.
#include <array>

#include "dialect/canonical.h"
#include "dialect/dialect.h"
#include "dialect/request.h"

namespace tintype {
namespace {

using Parse = Result<Ask> (*)(const Request&);

// In the order of the enumeration.
constexpr std::array<Parse, 15> kParsers = {
    parse_bunny, parse_cloudflare, parse_cloudinary, parse_dit,    parse_fastly,
    parse_imgix, parse_imgproxy,   parse_ipx,        parse_native, parse_netlify,
    parse_next,  parse_scene7,     parse_thumbor,    parse_vercel, parse_weserv};

const Mount kNativeMount{.path = "/", .dialect = Dialect::Native, .site = {}};

// Canonical paths are served wherever they cannot be anything else: outside of all mounts, below
// the mount at "/", and where a mount has the name of its own site.
bool is_canonical(std::size_t marker, const Mount* mount) {
  if (marker == std::string_view::npos) return false;
  if (mount == nullptr) return true;
  if (marker == 0) return false;  // imgproxy's "/_/" stands for "not signed"
  return mount->path == "/" || mount->path == "/" + mount->site;
}

}  // namespace

Result<Ask> parse_target(std::string_view target, std::span<const Mount> mounts) {
  if (!target.starts_with('/')) {
    return fail_public(ErrorCode::BadRequest, "the target must begin with /");
  }
  std::size_t question = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, question);
  const Mount* mount = find_mount(mounts, path);
  std::size_t marker = path.rfind(kCanonicalMarker);
  std::string_view query = target.substr(std::min(question + 1, target.size()));
  if (is_canonical(marker, mount)) return parse_canonical(path, marker, query);
  if (mount == nullptr) mount = &kNativeMount;
  std::string_view rest = path.substr(mount->path == "/" ? 0 : mount->path.size());
  if (rest.starts_with('/')) rest.remove_prefix(1);
  TRY(Ask ask, kParsers[static_cast<std::size_t>(mount->dialect)](
                   {.path = rest, .query = query, .mount = *mount}));
  ask.is_signed_by_vendor = !mount->keys.empty();
  return ask;
}

std::string target_of_url(std::string_view url) {
  url = url.substr(0, url.find('#'));
  if (url.starts_with('/')) return std::string(url);
  std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url);
  std::size_t path = url.find_first_of("/?", scheme + 3);
  if (path == std::string_view::npos) return "/";
  std::string target(url.substr(path));
  return target.starts_with('/') ? target : "/" + target;
}

}  // namespace tintype
