// SPDX-License-Identifier: Apache-2.0
// The settings file as every command reads it, and how a command complains.
#pragma once

#include <string>

#include "base/result.h"
#include "main/settings.h"
#include "policy/policy.h"

namespace tintype {

// Prints "tintype: why" to standard error; returns `code`, for `return complain(…)`.
int complain(const Error& error, int code = 1);

// Both fail with the file's name, the line and the reason; NotFound where it cannot be read.
Result<Settings> load_settings(const std::string& config);
Result<Policy> load_policy(const std::string& config);

}  // namespace tintype
