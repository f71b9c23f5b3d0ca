// SPDX-License-Identifier: Apache-2.0
// explain: every pure step of the walk for one URL, written down: Ask, policy, negotiation,
// canonical path, cache key and, when the source can be fetched, its header and the Plan with its
// cost.
#pragma once

#include <string>

#include "base/async.h"
#include "delivery/answer.h"
#include "delivery/origins.h"
#include "store/policy_store.h"

namespace tintype {

struct Explanation {
  bool ok = false;   // false: the walk ends in an error; the steps before it are there
  std::string json;  // one object: ask, settled, canonical_path, cache_key, source, plan, error
  std::string text;  // the same for people
};

// `accept` and `target` as in a request. Fetches the source when `with_source`.
Task<Explanation> explain(std::string target, std::string accept, PolicyStore& policies,
                          Origins& origins, const Clock& clock, bool with_source = true);

}  // namespace tintype
