// SPDX-License-Identifier: Apache-2.0
// Hashes. XXH3-128 is fast and not collision-resistant: for sharding, and for checksums against
// bit rot. SHA-256 names what outlives the process (disk files, ETags): names are chosen by
// clients.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>

#include "base/bytes.h"

namespace tintype {

struct Hash128 {
  std::uint64_t high = 0, low = 0;
  auto operator<=>(const Hash128&) const = default;
};

// About 8 ns for a 73-byte key (docs/internals/figures.md F-hash).
Hash128 xxh3_128(ByteView bytes);
std::uint64_t xxh3_64(ByteView bytes);
// With a secret seed a client cannot choose keys that fall into one bucket.
std::uint64_t xxh3_64(ByteView bytes, std::uint64_t seed);

using Sha256 = std::array<std::uint8_t, 32>;
// About 256 ns for a 73-byte key (docs/internals/figures.md F-hash).
Sha256 sha256(ByteView bytes);

// Lower-case hexadecimal.
std::string hex(ByteView bytes);

// 16 random hexadecimal digits, to tell one task from another. No secret.
std::string random_id();

}  // namespace tintype
