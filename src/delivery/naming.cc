// SPDX-License-Identifier: Apache-2.0
#include "delivery/naming.h"

#include "dialect/dialect.h"
#include "transform/canonical_path.h"

namespace tintype {

Result<NamedVariant> name_variant(const Viewing& viewing, SharedPolicy policy) {
  TRY(Ask asked, parse_target(viewing.target));
  const SitePolicy* site = policy->find(asked.site);
  if (!site) return fail_public(ErrorCode::NotFound, "there is no site named " + asked.site);
  NamedVariant named;
  named.policy = std::move(policy);
  named.site = site;
  TRY(named.ask, admit(asked, *site));
  named.vary_accept = !named.ask.is_canonical && named.ask.transformation.format_auto &&
                      !site->format_order.empty();
  TRY(named.settled, settle(named.ask, viewing.hints, site->format_order));
  named.path = canonical_path(named.ask, named.settled);
  return named;
}

PlanLimits limits_of(const SitePolicy& site) {
  return {.max_source_pixels = site.limits.max_source_pixels,
          .max_progressive_pixels = site.limits.max_progressive_pixels,
          .max_variant_pixels = site.limits.max_variant_pixels};
}

std::string source_failure_key(const Ask& ask) {
  return "source:" + source_path(ask.site, ask.source) + "?v=" + ask.version;
}

}  // namespace tintype
