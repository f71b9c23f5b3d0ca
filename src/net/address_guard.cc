// SPDX-License-Identifier: Apache-2.0
#include "net/address_guard.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

#include <netinet/in.h>

namespace tintype {
namespace {

struct Range4 {
  std::uint8_t a, b, c, d;
  int prefix_bits;
};

// IANA IPv4 Special-Purpose Address Registry (RFC 6890 and successors): everything that is not
// globally reachable, with multicast and the reserved class E.
constexpr std::array kRefused4{
    Range4{0, 0, 0, 0, 8},        // "this network", RFC 791; Linux connects 0.0.0.0 to itself
    Range4{10, 0, 0, 0, 8},       // private, RFC 1918
    Range4{100, 64, 0, 0, 10},    // carrier-grade NAT, RFC 6598
    Range4{127, 0, 0, 0, 8},      // loopback, RFC 1122
    Range4{169, 254, 0, 0, 16},   // link-local, RFC 3927: cloud metadata, ECS task credentials
    Range4{172, 16, 0, 0, 12},    // private, RFC 1918
    Range4{192, 0, 0, 0, 24},     // IETF protocol assignments, RFC 6890
    Range4{192, 0, 2, 0, 24},     // documentation, RFC 5737
    Range4{192, 88, 99, 0, 24},   // 6to4 relay anycast, RFC 7526
    Range4{192, 168, 0, 0, 16},   // private, RFC 1918
    Range4{198, 18, 0, 0, 15},    // benchmarking, RFC 2544
    Range4{198, 51, 100, 0, 24},  // documentation, RFC 5737
    Range4{203, 0, 113, 0, 24},   // documentation, RFC 5737
    Range4{224, 0, 0, 0, 4},      // multicast, RFC 5771
    Range4{240, 0, 0, 0, 4},      // reserved and broadcast, RFC 1112
};

constexpr std::uint32_t join(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  return std::uint32_t{a} << 24 | std::uint32_t{b} << 16 | std::uint32_t{c} << 8 | d;
}

bool is_public4(std::uint32_t address) {
  return std::none_of(kRefused4.begin(), kRefused4.end(), [address](const Range4& r) {
    std::uint32_t mask = ~std::uint32_t{0} << (32 - r.prefix_bits);
    return (address & mask) == join(r.a, r.b, r.c, r.d);
  });
}

using Octets = std::array<std::uint8_t, 16>;

struct Range6 {
  Octets first;
  int prefix_bits;
};

bool is_within(const Octets& address, const Range6& range) {
  auto whole = static_cast<std::size_t>(range.prefix_bits / 8);
  if (!std::equal(address.begin(), address.begin() + whole, range.first.begin())) return false;
  int rest = range.prefix_bits % 8;
  if (rest == 0) return true;
  auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
  return (address[whole] & mask) == (range.first[whole] & mask);
}

std::uint32_t embedded4(const Octets& address) {
  return join(address[12], address[13], address[14], address[15]);
}

// IPv4-mapped, RFC 4291 section 2.5.5.2: a socket turns it into plain IPv4.
constexpr Range6 kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
// NAT64's well-known prefix, RFC 6052: how an IPv6-only network reaches IPv4, so its public half is
// as good as the IPv4 address inside.
constexpr Range6 kNat64{{0x00, 0x64, 0xff, 0x9b}, 96};
// Global unicast, RFC 4291 section 2.4. All else (loopback, compatible, translated, local NAT64,
// discard-only, unique local, link-local, site-local, multicast) lies outside and is refused.
constexpr Range6 kGlobalUnicast{{0x20}, 3};
// IANA IPv6 Special-Purpose Address Registry, the part within 2000::/3.
constexpr std::array kRefused6{
    Range6{{0x20, 0x01, 0x00}, 23},        // IETF assignments: Teredo, benchmarking, ORCHID
    Range6{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation, RFC 3849
    Range6{{0x20, 0x02}, 16},              // 6to4, RFC 7526: embeds an IPv4 address
    Range6{{0x3f, 0xfe}, 16},              // the former 6bone, RFC 3701
    Range6{{0x3f, 0xff, 0x00}, 20},        // documentation, RFC 9637
};

// ISATAP, RFC 5214 section 6.1: the interface identifier ::0:5efe:a.b.c.d, or ::200:5efe:a.b.c.d.
bool is_isatap(const Octets& a) {
  return (a[8] & 0xfd) == 0 && a[9] == 0 && a[10] == 0x5e && a[11] == 0xfe;
}

bool is_public6(const Octets& address) {
  if (is_within(address, kMapped) || is_within(address, kNat64)) {
    return is_public4(embedded4(address));
  }
  if (!is_within(address, kGlobalUnicast)) return false;
  if (is_isatap(address) && !is_public4(embedded4(address))) return false;
  return std::none_of(kRefused6.begin(), kRefused6.end(),
                      [&](const Range6& range) { return is_within(address, range); });
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  // Copied out, because the caller's object may be any of the sockaddr types.
  if (address.sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return is_public4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &address, sizeof v6);
    Octets octets;
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return is_public6(octets);
  }
  return false;
}

}  // namespace tintype
