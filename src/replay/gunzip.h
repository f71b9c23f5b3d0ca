// SPDX-License-Identifier: Apache-2.0
// gunzip: a whole gzip text in memory, such as a sitemap that was fetched. LineSource reads logs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace tintype {

// By its first two bytes (RFC 1952).
bool is_gzip(std::string_view bytes);
// All its members, one behind the other. Fails with Corrupt when it is damaged or ends early, with
// TooLarge above `max_bytes`.
Result<std::string> gunzip(std::string_view bytes, std::size_t max_bytes);

}  // namespace tintype
