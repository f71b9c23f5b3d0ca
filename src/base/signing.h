// SPDX-License-Identifier: Apache-2.0
// What URL signatures are made of: keyed digests as raw bytes, base64, and a comparison that takes
// the same time wherever two texts differ. MD5 and SHA-1 are here because vendors' URLs are signed
// with them; nothing of ours is. Pure and thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tintype {

std::string hmac_sha1(std::string_view key, std::string_view message);
std::string hmac_sha256(std::string_view key, std::string_view message);
std::string md5(std::string_view message);
std::string sha1(std::string_view message);
std::string sha256_of(std::string_view message);

// RFC 4648 section 5, without padding.
std::string base64_url(std::string_view bytes);
// URL-safe or standard base64, padding optional; nothing for anything else, and for a text whose
// last bits are not zero (else two texts would be one value).
std::optional<std::string> decode_base64(std::string_view text);

bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace tintype
