// SPDX-License-Identifier: Apache-2.0
// A policy for people's eyes: as the YAML they would have written, and as the difference of two,
// piece by piece and field by field. The YAML holds secrets (it is to be pushed again), the
// difference hides them. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "store/policy_items.h"

namespace tintype {

// A `sites:` section that split_policy makes the same pieces of. Fails as assemble_policy.
Result<std::string> policy_as_yaml(const PolicyItems& sites);

struct DiffStyle {
  bool with_colour = false;
  int indent = 2;
};
// What turns `before` into `after`: a line a piece that comes, goes or changes, and below a changed
// one its fields. Empty when they are equal.
std::string diff_of_site(const SiteItems& before, const SiteItems& after, DiffStyle style);

}  // namespace tintype
