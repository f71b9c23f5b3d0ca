// SPDX-License-Identifier: Apache-2.0
// HttpOrigin: sources behind HTTP(S), fetched by net/http_client.h with the rule's headers, size
// and time limits, the address guard and, where the rule says so, a bearer token by OAuth 2.0. 404
// and 410 are NotFound, 401 and 403 Forbidden, all else that is not 200 OriginFailed; a body
// shorter than its Content-Length is OriginFailed, never a source.
#pragma once

#include <memory>

#include "base/clock.h"
#include "net/http_client.h"
#include "policy/policy.h"
#include "store/origin.h"

namespace tintype {

// `client` and `clock` must outlive the origin.
std::unique_ptr<Origin> open_http_origin(const OriginRule& rule, HttpClient& client,
                                         const Clock& clock);

}  // namespace tintype
