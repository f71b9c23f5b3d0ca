// SPDX-License-Identifier: Apache-2.0
#include "policy/signature.h"

#include <algorithm>

#include "base/signing.h"
#include "transform/canonical_path.h"

namespace tintype {
namespace {

[[nodiscard]] Failure forbid(std::string detail, std::string option = {}) {
  return fail_public(ErrorCode::Forbidden, std::move(detail), std::move(option));
}

}  // namespace

std::string sign(const Ask& ask, std::string_view key) {
  std::string text = asked_path(ask);
  if (ask.expires_unix_seconds) text.append("\n").append(std::to_string(*ask.expires_unix_seconds));
  return base64_url(hmac_sha256(key, text));
}

Result<> check_caller(const Ask& ask, const SitePolicy& site, const Caller& caller) {
  bool is_trusted = caller.is_ours || (caller.is_edge && !site.verify_at_service);
  bool is_checked = is_trusted && ask.is_canonical;
  if (is_checked || ask.is_signed_by_vendor) return {};
  if (!site.signing_keys.empty()) {
    bool is_signed = std::ranges::any_of(site.signing_keys, [&](const std::string& key) {
      return equal_in_constant_time(sign(ask, key), ask.signature);
    });
    if (!is_signed) return forbid("the signature is missing or wrong");
    bool is_over = ask.expires_unix_seconds && *ask.expires_unix_seconds < caller.now_unix_seconds;
    if (is_over) return forbid("the URL has expired", "expires");
  } else if (site.allowed_options && ask.is_canonical) {
    return forbid("canonical paths are for the edge only on site '" + site.name + "'");
  }
  return {};
}

}  // namespace tintype
