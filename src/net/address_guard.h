// SPDX-License-Identifier: Apache-2.0
// The address guard: which addresses an outgoing fetch may connect to. Asked about the address that
// is really connected to (libcurl's open-socket callback), so neither redirects, nor rebinding DNS,
// nor odd spellings get around it. Refused: everything that is not global unicast, including
// loopback, private, CGNAT, link-local (cloud metadata, ECS task credentials), multicast,
// documentation ranges, and IPv6 that embeds such an IPv4 (mapped, compatible, NAT64, 6to4, Teredo,
// ISATAP).
#pragma once

#include <sys/socket.h>

namespace tintype {

// Pure. Only AF_INET and AF_INET6 can be public.
bool is_public_address(const sockaddr& address);

}  // namespace tintype
