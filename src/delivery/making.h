// SPDX-License-Identifier: Apache-2.0
// What the leader of a flight does to make a variant: disk, then source and policy at the same
// time, then plan, render, and keep. The second half of the walk; the first is naming.h.
#pragma once

#include <memory>

#include "base/async.h"
#include "base/result.h"
#include "delivery/naming.h"
#include "delivery/walk.h"

namespace tintype {

// What the leader learnt on the way; read by the leader's own answer after landing.
struct Trace {
  Outcome outcome = Outcome::Rendered;
  Timings timings;
};

// False for null, and for what may only be served stale.
bool is_fresh(const WalkParts& parts, const SharedEntry& entry);
// Under which outcome an entry found in memory is counted.
Outcome outcome_of_memory(const Entry& entry);
// Under which outcome a failed answer is counted.
Outcome outcome_of_failure(int status);

// The finished entry: a variant, a stale one, or a problem document; already in the memory tier
// where it may be remembered. The only error is Busy: the site's policy changed meanwhile, name the
// variant again.
Task<Result<SharedEntry>> make_variant(const WalkParts& parts, NamedVariant named,
                                       std::shared_ptr<Trace> trace);

}  // namespace tintype
