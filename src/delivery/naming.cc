// SPDX-License-Identifier: Apache-2.0
#include "delivery/naming.h"

#include <algorithm>

#include "delivery/passed_on.h"
#include "dialect/dialect.h"
#include "policy/limits.h"
#include "policy/signature.h"
#include "transform/canonical_path.h"

namespace tintype {

namespace {

// What a client says of its screen never makes a request fail: where the site's limits, or ours, do
// not allow it, the request is settled as if nothing had been said.
Result<Transformation> settle_within_limits(const NamedVariant& named, const Hints& hints,
                                            const SettleRules& rules) {
  auto settled = settle(named.ask, hints, rules);
  bool is_fine = settled && check_limits(*settled, named.site->limits);
  if (is_fine || (named.hints_read & ~kAcceptBit) == 0) return settled;
  TRY(Transformation plain,
      settle(named.ask, {.accept = hints.accept, .user_agent = hints.user_agent}, rules));
  TRY(check_limits(plain, named.site->limits));
  return plain;
}

Result<NamedVariant> name_asked(const Viewing& viewing, SharedPolicy policy,
                                std::int64_t now_unix_seconds) {
  TRY(Ask asked, parse_target(viewing.target, policy->mounts));
  const SitePolicy* site = policy->find(asked.site);
  if (!site) return fail_public(ErrorCode::NotFound, "there is no site named " + asked.site);
  TRY(check_caller(asked, *site,
                   {.now_unix_seconds = now_unix_seconds,
                    .is_edge = viewing.is_edge,
                    .is_ours = viewing.is_ours}));
  NamedVariant named;
  named.policy = std::move(policy);
  named.site = site;
  TRY(named.ask, admit(asked, *site));
  SettleRules rules = rules_of(*site);
  named.hints_read = hints_read(named.ask, rules);
  TRY(named.settled, settle_within_limits(named, viewing.hints, rules));
  named.path = canonical_path(named.ask, named.settled);
  return named;
}

}  // namespace

Result<NamedVariant> name_variant(const Viewing& viewing, SharedPolicy policy,
                                  std::int64_t now_unix_seconds) {
  TRY(auto passed, read_passed_on(viewing.target));
  if (!passed) return name_asked(viewing, std::move(policy), now_unix_seconds);
  Viewing inner{.target = passed->target, .hints = passed->headers.hints()};
  return name_asked(inner, std::move(policy), now_unix_seconds);
}

SettleRules rules_of(const SitePolicy& site) {
  SettleRules rules(site.format_order);
  if (!site.width_ladder.empty()) rules.width_ladder = site.width_ladder;
  rules.quality_steps = site.quality_steps;
  rules.snaps_widths = site.snap_widths;
  rules.max_height_px = site.limits.max_height_px;
  // No step above the site's limit; where all are, w=auto says nothing.
  auto end = std::ranges::upper_bound(rules.width_ladder, site.limits.max_width_px);
  rules.width_ladder = {rules.width_ladder.begin(), end};
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
