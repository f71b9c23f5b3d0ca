// SPDX-License-Identifier: Apache-2.0
// A small file that is replaced as a whole: whoever reads it finds the old text or the new one,
// also after a power cut. Only its owner may read it, because a policy's snapshot holds the
// policy's secrets. Both functions block; looks of the policy table use them.
#pragma once

#include <string>

#include "base/result.h"

namespace tintype {

// Makes its folder where there is none. Fails with Internal, naming path and reason.
Result<> replace_file(const std::string& path, std::string_view text);
// Fails with NotFound where there is none, with Internal where it cannot be read.
Result<std::string> read_whole_file(const std::string& path);

}  // namespace tintype
