// SPDX-License-Identifier: Apache-2.0
#include "delivery/naming.h"

#include "dialect/dialect.h"
#include "transform/canonical_path.h"

namespace tintype {

Result<NamedVariant> name_variant(const Viewing& viewing, SharedPolicy policy) {
  TRY(Ask asked, parse_target(viewing.target, policy->mounts));
  const SitePolicy* site = policy->find(asked.site);
  if (!site) return fail_public(ErrorCode::NotFound, "there is no site named " + asked.site);
  NamedVariant named;
  named.policy = std::move(policy);
  named.site = site;
  TRY(named.ask, admit(asked, *site));
  SettleRules rules = rules_of(*site);
  named.hints_read = hints_read(named.ask, rules);
  TRY(named.settled, settle(named.ask, viewing.hints, rules));
  named.path = canonical_path(named.ask, named.settled);
  return named;
}

SettleRules rules_of(const SitePolicy& site) {
  SettleRules rules(site.format_order);
  if (!site.width_ladder.empty()) rules.width_ladder = site.width_ladder;
  return rules;
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
