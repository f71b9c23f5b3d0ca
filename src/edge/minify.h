// SPDX-License-Identifier: Apache-2.0
// minify: the edge function's sources as one short text, because CloudFront takes 10,240 bytes and
// no more. What no root needs is dropped; then statements, names and repeated texts are shortened.
// The language is that of edge/README.md, and what is outside of it is refused, not guessed at.
// Pure.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "edge/script.h"

namespace tintype {

// `roots` are functions and constants that keep their names; they and what they need is in the
// result, ASCII on one line. Fails with BadRequest, "core.js:12: what is wrong".
Result<std::string> minify(std::span<const ScriptFile> files, std::span<const std::string> roots);

}  // namespace tintype
