// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook_proof.h"

#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/signing.h"
#include "base/text.h"

namespace tintype {
namespace {

// How far the sender's clock and ours may differ, and how old a signature of ours may be; the same
// five minutes that Stripe's and Slack's webhooks allow.
constexpr std::int64_t kWindowSeconds = 300;
// Cloudinary tries again after 3, 6 and 9 minutes; its own libraries accept two hours
// (verify_notification_signature's valid_for).
constexpr std::int64_t kCloudinarySeconds = 7'200;

[[nodiscard]] tl::unexpected<HookRefusal> refuse(int status, std::string detail) {
  return tl::unexpected(HookRefusal{status, std::move(detail)});
}

std::string hex_of(const std::string& bytes) {
  return hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

// Of digests, so that not even the length of a secret can be measured.
bool equal_secrets(std::string_view a, std::string_view b) {
  return equal_in_constant_time(sha256_of(a), sha256_of(b));
}

// "t=1795000000,v1=<hex>": whatever else stands there is passed over, for later versions.
struct Signature {
  std::string time;  // as it was signed
  std::int64_t unix_seconds = 0;
  std::string digest;  // lower case
};
std::optional<Signature> parse_signature(std::string_view text) {
  Signature signature;
  bool has_time = false;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    if (part.starts_with("t=") && !has_time) {
      signature.time = part.substr(2);
      auto seconds = parse_int(signature.time);
      if (!seconds) return std::nullopt;
      signature.unix_seconds = *seconds;
      has_time = true;
    } else if (part.starts_with("v1=") && signature.digest.empty()) {
      signature.digest = lower(part.substr(3));
    }
  }
  if (!has_time || signature.digest.empty()) return std::nullopt;
  return signature;
}

struct Age {
  std::int64_t signed_unix_seconds = 0, now_unix_seconds = 0, allowed_seconds = 0;
};
HookResult<std::int64_t> valid_until(const Age& age) {
  bool is_far = age.signed_unix_seconds < 0 ||
                age.signed_unix_seconds > age.now_unix_seconds + kWindowSeconds;
  if (is_far) return refuse(403, "the signature's time is in the future; is the clock right?");
  std::int64_t until = age.signed_unix_seconds + age.allowed_seconds;
  if (until < age.now_unix_seconds) {
    return refuse(
        403, "the signature is older than " + std::to_string(age.allowed_seconds) + " seconds");
  }
  return until;
}

// Every secret is tried, whichever fits: the time says nothing. The digest that fits, or nothing.
template <class Digest>
std::string find_digest(const HookRule& rule, std::string_view shown, Digest digest) {
  std::string found;
  for (const std::string& secret : rule.secrets) {
    std::string expected = hex_of(digest(secret));
    if (equal_in_constant_time(expected, shown)) found = std::move(expected);
  }
  return found;
}

HookResult<HookProof> check_signature(const HookRule& rule, const HookHeaders& headers,
                                      std::string_view body, std::int64_t now_unix_seconds) {
  auto signature = parse_signature(headers.signature);
  if (!signature) {
    return refuse(403, "X-Tintype-Signature: expected t=<unix seconds>,v1=<hex digits>");
  }
  std::string text = signature->time + '.';
  text += body;
  std::string found = find_digest(rule, signature->digest, [&text](const std::string& secret) {
    return hmac_sha256(secret, text);
  });
  if (found.empty()) return refuse(403, "X-Tintype-Signature: the signature is wrong");
  auto until = valid_until({signature->unix_seconds, now_unix_seconds, kWindowSeconds});
  if (!until) return tl::unexpected(until.error());
  return HookProof{std::move(found), *until};
}

// https://cloudinary.com/documentation/notification_signatures: the digest, SHA-1 or SHA-256, of
// the body, the time and the API secret, one behind the other.
HookResult<HookProof> check_cloudinary(const HookRule& rule, const HookHeaders& headers,
                                       std::string_view body, std::int64_t now_unix_seconds) {
  auto seconds = parse_int(headers.cloudinary_timestamp);
  if (!seconds) return refuse(403, "X-Cld-Timestamp: expected seconds since 1970");
  constexpr std::size_t kSha256HexDigits = 64;
  bool is_sha256 = headers.cloudinary_signature.size() == kSha256HexDigits;
  std::string text(body);
  text += headers.cloudinary_timestamp;
  auto digest = [&](const std::string& secret) {
    return is_sha256 ? sha256_of(text + secret) : sha1(text + secret);
  };
  std::string found = find_digest(rule, lower(headers.cloudinary_signature), digest);
  if (found.empty()) return refuse(403, "X-Cld-Signature: the signature is wrong");
  auto until = valid_until({*seconds, now_unix_seconds, kCloudinarySeconds});
  if (!until) return tl::unexpected(until.error());
  return HookProof{std::move(found), *until};
}

// RFC 6750 and RFC 7617; of Basic the password counts, whatever the user's name.
std::string secret_in_authorization(std::string_view value) {
  std::size_t space = value.find(' ');
  std::string_view scheme = value.substr(0, space);
  if (space == std::string_view::npos) return {};
  std::string_view rest = trim(value.substr(space));
  if (equals_ignoring_case(scheme, "bearer")) return std::string(rest);
  if (!equals_ignoring_case(scheme, "basic")) return {};
  auto pair = decode_base64(rest);
  std::size_t colon = pair ? pair->find(':') : std::string::npos;
  return colon == std::string::npos ? std::string() : pair->substr(colon + 1);
}

}  // namespace

void HookHeaders::take(std::string_view name, std::string_view value) {
  auto set = [value](std::string& field) {
    if (field.empty()) field = value;
  };
  if (name == "x-tintype-signature") set(signature);
  if (name == "x-tintype-secret") set(secret);
  if (name == "x-cld-signature") set(cloudinary_signature);
  if (name == "x-cld-timestamp") set(cloudinary_timestamp);
  if (name == "authorization" && secret.empty()) secret = secret_in_authorization(value);
}

HookResult<HookProof> check_hook(const HookRule& rule, const HookHeaders& headers,
                                 std::string_view body, std::int64_t now_unix_seconds) {
  if (!headers.signature.empty()) return check_signature(rule, headers, body, now_unix_seconds);
  bool is_cloudinary = rule.recipe == HookRule::Recipe::Cloudinary;
  if (is_cloudinary && !headers.cloudinary_signature.empty()) {
    return check_cloudinary(rule, headers, body, now_unix_seconds);
  }
  if (headers.secret.empty()) {
    return refuse(401, is_cloudinary ? "X-Cld-Signature is missing"
                                     : "X-Tintype-Signature or X-Tintype-Secret is missing");
  }
  bool is_right = false;
  for (const std::string& secret : rule.secrets) is_right |= equal_secrets(secret, headers.secret);
  if (!is_right) return refuse(403, "the secret is wrong");
  return HookProof{};
}

SeenHooks::Verdict SeenHooks::remember(const HookProof& proof, std::int64_t now_unix_seconds) {
  if (proof.signature.empty()) return Verdict::New;
  std::lock_guard lock(mutex_);
  while (!by_end_.empty() && by_end_.begin()->first < now_unix_seconds) {
    places_.erase(by_end_.begin()->second);
    by_end_.erase(by_end_.begin());
  }
  if (places_.contains(proof.signature)) return Verdict::Seen;
  if (places_.size() >= room_) return Verdict::Full;
  auto place = by_end_.emplace(proof.valid_until_unix_seconds, proof.signature);
  places_.emplace(proof.signature, place);
  return Verdict::New;
}

void SeenHooks::forget(const HookProof& proof) {
  std::lock_guard lock(mutex_);
  auto place = places_.find(proof.signature);
  if (place == places_.end()) return;
  by_end_.erase(place->second);
  places_.erase(place);
}

}  // namespace tintype
