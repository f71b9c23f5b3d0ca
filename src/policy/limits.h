// SPDX-License-Identifier: Apache-2.0
// The check of a Transformation against a site's limits, decided from the request alone: before the
// source is fetched. What depends on the source (its pixels, a side that follows from its shape) is
// the plan's to refuse. Pure. Used for requests (admit) and for presets when a policy is read.
#pragma once

#include "base/result.h"
#include "policy/policy.h"
#include "transform/transformation.h"

namespace tintype {

// Sides are compared after dpr, and after the aspect ratio has given the missing side. Fails with
// BadRequest naming the option (w or h), its value and the limit.
Result<> check_limits(const Transformation& t, const SiteLimits& limits);

}  // namespace tintype
