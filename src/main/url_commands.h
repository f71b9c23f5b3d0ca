// SPDX-License-Identifier: Apache-2.0
// Reading URLs and headers from a command line.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "transform/client_hints.h"

namespace tintype {

// Of "Name: value" headers those that may change bytes. Fails with BadRequest on a text without a
// colon.
Result<HintTexts> hints_of(const std::vector<std::string>& headers);

}  // namespace tintype
