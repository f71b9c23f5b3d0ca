// SPDX-License-Identifier: Apache-2.0
// Answers that the HTTP front gives without asking the walk: a request that is no proper HTTP, a
// target that is nobody's, a full house. Problem details (RFC 9457) of type about:blank, because
// the status says it all; never cached. Failures of pictures are delivery/failure.h's.
#pragma once

#include <string>
#include <string_view>

#include "delivery/answer.h"

namespace tintype {

// "Not Found"; empty for a status that is never sent from here.
std::string_view phrase_of(int status);

// An entry with its head rendered. `detail` is public.
SharedEntry problem_entry(int status, std::string_view detail);

// An uncached answer of the server's own with its head rendered: the studio and the admin port.
SharedEntry page_entry(int status, std::string_view media_type, std::string_view body);

}  // namespace tintype
