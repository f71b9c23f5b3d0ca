// SPDX-License-Identifier: Apache-2.0
// A dialect turns the text of a request target into an Ask. Pure; one file per URL language.
// Which dialects listen on which mount point of which site is the policy's to say; without any
// mount, targets are in the native dialect with the site as the first segment.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dialect/mount.h"
#include "transform/ask.h"

namespace tintype {

// `target` is the origin-form request target as received ("/shop/p/front.jpg?w=800"); at most
// 8 KB reach this (the server refuses longer ones with 414). The dialect is that of the mount with
// the longest matching path, else native; canonical paths are served beside the mounts.
//
// Native: "/<site>/<source path>?<options>", options by any name or alias in any order and case;
// a value is percent-decoded ('+' is a space) before it is looked at. The same option twice with
// one value is fine, with two values a BadRequest. Unknown parameter names are collected in
// Ask::unknown. A path that contains the segment "_", unescaped, is a canonical path: the options
// behind the last one are parsed strictly; of the query only s and expires are read
// (policy/signature.h).
//
// Fails with BadRequest on malformed escapes, NUL or control characters, invalid UTF-8, empty
// segments, "." and "..", backslashes, and wrong values; with NotFound when the path has no source;
// with UnsupportedOption on what a vendor's language has and we cannot do; with Forbidden when the
// mount's signature does not match or a source URL is not the mount's.
Result<Ask> parse_target(std::string_view target, std::span<const Mount> mounts = {});

// What a client would send for a URL: its path and query. A text that begins with "/" is a target
// already; a fragment is left out.
std::string target_of_url(std::string_view url);

}  // namespace tintype
