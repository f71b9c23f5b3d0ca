// SPDX-License-Identifier: Apache-2.0
#include "delivery/translate.h"

#include <utility>

#include "delivery/naming.h"
#include "dialect/dialect.h"
#include "dialect/write.h"
#include "transform/native_url.h"

namespace tintype {
namespace {

struct Place {
  const SitePolicy& site;
  std::span<const Mount> mounts;  // that are looked at when the target is asked for
};

// A request for `target` must be for what `admitted` is.
Result<> check_again(const Ask& admitted, const std::string& target, Dialect to, Place at) {
  TRY(Ask written, parse_target(target, at.mounts));
  TRY(Ask again, admit(written, at.site));
  return check_same_variants(admitted, again, rules_of(at.site), name_of(to));
}

// The native mount of the site, if other mounts take what is outside of all mounts.
const Mount* mount_of_native(const Policy& policy, const SitePolicy& site,
                             std::string_view target) {
  std::string_view path = target.substr(0, target.find('?'));
  const Mount* taker = find_mount(policy.mounts, path);
  if (taker == nullptr) return nullptr;
  for (const Mount& mount : policy.mounts) {
    if (mount.dialect == Dialect::Native && mount.site == site.name) return &mount;
  }
  return nullptr;
}

Result<Translation> translate_to_native(Ask asked, const Policy& policy, const SitePolicy& site) {
  // A canonical path names everything: no default fills it.
  if (asked.is_canonical) asked.named = ~0u;
  Translation translation{.target = native_url(asked, site.defaults.named), .note = {}};
  const Mount* mount = mount_of_native(policy, site, translation.target);
  if (mount != nullptr) {
    std::string below = translation.target.substr(site.name.size() + 1);
    translation.target = mount->path == "/" ? below : mount->path + below;
  }
  std::span<const Mount> mounts;
  if (mount != nullptr) mounts = std::span(mount, 1);
  auto admitted = admit(asked, site);
  Result<> check;
  if (admitted) check = check_again(*admitted, translation.target, Dialect::Native, {site, mounts});
  bool yields = !asked.preset.empty() && asked.yielding != 0;
  if (yields && (!admitted || !check)) {
    translation.note =
        "here the preset wins over options beside it; in the native dialect they win";
    return translation;
  }
  // What is not admitted is served in no language.
  if (!check) return fail(check.error());
  return translation;
}

Failure no_mount(const SitePolicy& site, Dialect to) {
  std::string detail = "site " + site.name + " has no " + std::string(name_of(to)) + " mount";
  std::string_view separator = "; it has ";
  for (const Mount& mount : site.mounts) {
    detail.append(std::exchange(separator, ", ")).append(mount.path).append(" (");
    detail.append(name_of(mount.dialect)) += ')';
  }
  return fail_public(ErrorCode::NotFound, std::move(detail));
}

Result<Translation> translate_below(const Mount& mount, const Ask& admitted, const Policy& policy,
                                    const SitePolicy& site) {
  Translation translation;
  TRY(translation.target, write_target(admitted, mount, site.defaults.named));
  TRY(check_again(admitted, translation.target, mount.dialect, {site, policy.mounts}));
  return translation;
}

}  // namespace

Result<Translation> translate(const Ask& asked, const Policy& policy, Dialect to) {
  const SitePolicy* site = policy.find(asked.site);
  if (site == nullptr) {
    return fail_public(ErrorCode::NotFound, "there is no site named " + asked.site);
  }
  if (to == Dialect::Native) return translate_to_native(asked, policy, *site);
  TRY(Ask admitted, admit(asked, *site));
  Result<Translation> first = no_mount(*site, to);
  bool is_first = true;
  for (const Mount& mount : site->mounts) {
    if (mount.dialect != to) continue;
    auto translation = translate_below(mount, admitted, policy, *site);
    if (translation || is_first) first = std::move(translation);
    if (first) break;
    is_first = false;
  }
  if (first && !asked.preset.empty()) {
    first->note = "the preset " + asked.preset + " is written out";
  }
  return first;
}

}  // namespace tintype
