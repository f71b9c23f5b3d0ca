// SPDX-License-Identifier: Apache-2.0
// Cost of a plan: what admission counts with before a byte is decoded. An estimate from sizes and
// formats only; the constants and where they were measured stand in cost.cc. Pure.
#pragma once

#include "plan/plan.h"

namespace tintype {

// Of a plan whose steps are filled in.
Cost estimate(const Plan& plan);

}  // namespace tintype
