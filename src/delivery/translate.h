// SPDX-License-Identifier: Apache-2.0
// translate: a URL in another language, with what the site's rules make of it: presets are written
// out, defaults are named, and the URL that is written is admitted and settled as a request for it
// would be, so that it is never one for another picture. For `tintype translate`. Pure.
#pragma once

#include <string>

#include "base/result.h"
#include "dialect/mount.h"
#include "policy/policy.h"
#include "transform/ask.h"

namespace tintype {

struct Translation {
  std::string target;  // "/img/a.jpg?w=400"
  std::string note;    // what the reader should know; empty: nothing
};

// Native URLs are those outside of all mounts, or below a native mount where another mount hides
// them. Every other language is written below the first of its mounts on the ask's site that can.
// Fails with UnsupportedOption, naming the option that the language cannot say; with NotFound where
// the site, or its mount, is not there; with admit's failures where presets have to be written out.
// Requires: can_write(to).
Result<Translation> translate(const Ask& asked, const Policy& policy, Dialect to);

}  // namespace tintype
