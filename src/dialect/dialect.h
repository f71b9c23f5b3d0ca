// SPDX-License-Identifier: Apache-2.0
// A dialect turns the text of a request target into an Ask. Pure; one file per URL language.
// Which dialects listen on which site and mount point is the policy's to say; today there is one,
// the native dialect, and canonical paths.
#pragma once

#include <string_view>

#include "base/result.h"
#include "transform/ask.h"

namespace tintype {

// `target` is the origin-form request target as received ("/shop/p/front.jpg?w=800"); at most
// kMaxTarget bytes reach this (the server refuses longer ones with 414).
//
// Native: "/<site>/<source path>?<options>", options by any name or alias in any order and case;
// a value is percent-decoded ('+' is a space) before it is looked at. The same option twice with
// one value is fine, with two values a BadRequest. Unknown parameter names are collected in
// Ask::unknown. A path that contains the segment "_", unescaped, is a canonical path: the options
// behind the last one are parsed strictly, the query is ignored. Fails with BadRequest on malformed
// escapes, NUL or control characters, invalid UTF-8, empty segments, "." and "..", backslashes, and
// wrong values; with NotFound when the path has no source.
Result<Ask> parse_target(std::string_view target);

}  // namespace tintype
