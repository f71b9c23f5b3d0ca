// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <random>

#include <openssl/sha.h>
#include <xxhash.h>

namespace tintype {

Hash128 xxh3_128(ByteView bytes) {
  XXH128_hash_t h = XXH3_128bits(bytes.data(), bytes.size());
  return {h.high64, h.low64};
}

std::uint64_t xxh3_64(ByteView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

std::uint64_t xxh3_64(ByteView bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

Sha256 sha256(ByteView bytes) {
  Sha256 out;
  SHA256(bytes.data(), bytes.size(), out.data());
  return out;
}

std::string hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string random_id() {
  std::random_device random;
  std::uint8_t bytes[8];
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random());
  return hex(bytes);
}

}  // namespace tintype
