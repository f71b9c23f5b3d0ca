// SPDX-License-Identifier: Apache-2.0
// Who sent a hook, proven in one of the ways that DAMs have:
//
//   X-Tintype-Signature: t=<unix seconds>,v1=<hex HMAC-SHA-256 of "<t>.<body>">
//   X-Tintype-Secret: <secret>, Authorization: Bearer <secret>, or Basic with it as the password
//   X-Cld-Signature, X-Cld-Timestamp: Cloudinary's
//
// Compared in constant time against every live secret. Signed hooks are good for one time only:
// SeenHooks remembers them for as long as their signature holds. A bare secret proves the sender,
// not the body, and can be sent again. Pure but for SeenHooks, which is thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/result.h"
#include "policy/policy.h"

namespace tintype {

// Those headers of a hook that are read.
struct HookHeaders {
  std::string signature, secret, cloudinary_signature, cloudinary_timestamp;
  // Names in lower case; others are passed over. Of two that say the same, the first holds.
  void take(std::string_view name, std::string_view value);
};

// Why a hook is not obeyed, with a text for whoever sent it.
struct HookRefusal {
  int status = 400;
  std::string detail;
};
template <class T>
using HookResult = tl::expected<T, HookRefusal>;

struct HookProof {
  std::string signature;  // as it was computed here; empty: a secret, which can be sent again
  std::int64_t valid_until_unix_seconds = 0;  // afterwards the signature is refused as too old
};

// Fails with 401 when nothing is there that could prove anything, with 403 when it is wrong, too
// old or too new.
HookResult<HookProof> check_hook(const HookRule& rule, const HookHeaders& headers,
                                 std::string_view body, std::int64_t now_unix_seconds);

// The signed hooks that were obeyed and could still be sent again.
class SeenHooks {
 public:
  enum class Verdict : std::uint8_t { New, Seen, Full };

  // 100,000 of some 150 bytes: 15 MB at the worst. A DAM that loads more than 330 pictures a second
  // in single hooks is asked to come again, never allowed a replay.
  explicit SeenHooks(std::size_t room = 100'000) : room_(room) {}

  // Remembers a new one. Proofs without a signature are always new.
  Verdict remember(const HookProof& proof, std::int64_t now_unix_seconds);
  // The hook could not be obeyed after all: its sender may try it again.
  void forget(const HookProof& proof);

 private:
  const std::size_t room_;
  std::mutex mutex_;
  using Order = std::multimap<std::int64_t, std::string>;
  Order by_end_;  // valid until, signature
  std::unordered_map<std::string, Order::iterator> places_;
};

}  // namespace tintype
