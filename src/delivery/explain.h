// SPDX-License-Identifier: Apache-2.0
// explain: every pure step of the walk for one URL, written down: Ask, policy, negotiation,
// canonical path, cache key and, when the source can be fetched, its header and the Plan with its
// cost. Serves `tintype explain` and the studio; reads, changes nothing, renders nothing.
#pragma once

#include <string>

#include "base/async.h"
#include "delivery/answer.h"
#include "delivery/origins.h"
#include "store/policy_store.h"

namespace tintype {

struct Explanation {
  bool ok = false;   // false: the walk ends in an error; the steps before it are there
  std::string json;  // one object: request, ask, admitted, settled, canonical_path, cache_key,
                     // source, plan, error
  std::string text;  // the same for people
};

struct ExplainParts {
  PolicyStore& policies;
  Origins& origins;
  const Clock& clock;
  bool with_source = true;  // false: stop before the source is fetched
};

// `target` and `headers` as in a request; a full URL is cut down to its target. The explanation
// stands alone: an error is part of it.
Task<Explanation> explain(std::string target, HintTexts headers, ExplainParts parts);

}  // namespace tintype
