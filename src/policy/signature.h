// SPDX-License-Identifier: Apache-2.0
// Our own signatures, for sites that sign their URLs: an HMAC-SHA-256 over the canonical form of
// what is asked, so that any spelling of a signed request stays signed (a CDN may sort parameters,
// a page may escape them). It stands beside the options as s=, and until when it holds as expires=.
//
// Signed text, UTF-8:
//
//   /<site>/<source>/_/<options as asked, canonical names and order>.<format, or auto>
//   (an option named at its default with nothing behind its dash: "up-")
//   and, where the URL expires, a line feed and the Unix time in seconds, in decimal
//
// for example "/shop/a.jpg/_/dpr-2_p-card.auto\n1795000000". The signature is base64url without
// padding: 43 characters. Compared in constant time against every live key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "policy/policy.h"
#include "transform/ask.h"

namespace tintype {

// Who asks, as far as it matters for what may be asked.
struct Caller {
  std::int64_t now_unix_seconds = 0;
  // The edge in front of the service, known by its secret: of the canonical paths that it asks for
  // it has checked signatures and allowed options already. Of nothing else: an edge may have a way
  // past its function. Of a site whose signatures are checked here (verify_at: service) it has
  // checked none, so that its canonical paths need a signature like anybody's.
  bool is_edge = false;
  // This process itself, which makes standard variants ahead of requests: canonical paths only.
  bool is_ours = false;
};

// On a site that signs, fails with Forbidden when the signature is missing, wrong or has expired
// (option "expires"); foreign mounts have checked their vendor's signature before. Where a site
// allows only some options, a canonical path is Forbidden too: it could carry any. Costs nothing on
// other sites, an HMAC a key else.
Result<> check_caller(const Ask& ask, const SitePolicy& site, const Caller& caller);

// The signature of `ask`, whose `expires` is part of it.
std::string sign(const Ask& ask, std::string_view key);

}  // namespace tintype
