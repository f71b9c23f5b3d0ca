// SPDX-License-Identifier: Apache-2.0
// The pure half of the walk: from the text of a request to the name of its variant, the canonical
// path, and what else the making half must know. No I/O, no clock; what is refused here costs
// nothing more.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "delivery/answer.h"
#include "plan/plan.h"
#include "policy/policy.h"
#include "transform/ask.h"

namespace tintype {

struct NamedVariant {
  SharedPolicy policy;  // keeps `site` alive
  const SitePolicy* site = nullptr;
  Ask ask;  // admitted
  Transformation settled;
  std::string path;             // the canonical path
  TraceContext trace{};         // of the request; of a flight, its leader's
  std::uint8_t hints_read = 0;  // HintBit's, added
};

// dialect -> policy -> settle -> canonical path. Fails with BadRequest or NotFound (no such site).
// Forbidden where the site does not let this caller ask (policy/signature.h).
Result<NamedVariant> name_variant(const Viewing& viewing, SharedPolicy policy,
                                  std::int64_t now_unix_seconds);

// What of this site's policy settling needs; refers to `site`.
SettleRules rules_of(const SitePolicy& site);

// The limits a plan is held to on this site.
PlanLimits limits_of(const SitePolicy& site);

// What one source's failures are remembered under, whatever variant was asked: not a canonical
// path, so it never meets one.
std::string source_failure_key(const Ask& ask);

}  // namespace tintype
