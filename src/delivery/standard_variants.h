// SPDX-License-Identifier: Apache-2.0
// Standard variants: those of a picture that will surely be asked for, so that they can be made
// before anybody waits for them: each of some presets in each format that the site negotiates.
// For the hooks' warm queue and `tintype warm`. Pure; a few microseconds a variant.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"
#include "transform/transformation.h"

namespace tintype {

struct StandardVariant {
  std::string path;  // the canonical path
  Transformation settled;
};

// One Accept header for each answer that the site's f=auto can give: every format of its order
// alone, and none at all (JPEG, or PNG where the picture has transparency).
std::vector<std::string> accepts_of(const SitePolicy& site);

struct StandardOrder {
  std::string source;  // as in Ask::source
  std::span<const std::string> presets;
  std::span<const std::string> accepts;
};
// In the presets' order, none twice: a preset that names its format has one for all accepts. Fails
// as admit does, and with BadRequest when the source's path is none.
Result<std::vector<StandardVariant>> standard_variants(const SitePolicy& site,
                                                       const StandardOrder& order);

}  // namespace tintype
