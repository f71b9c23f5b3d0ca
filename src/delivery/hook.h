// SPDX-License-Identifier: Apache-2.0
// read_hook: what a DAM's hook asks for: which sources changed and which are gone, whatever the
// sender's way of saying so (policy's recipes; docs/operating/hooks.md). The proof of the sender is
// checked before a byte of the body is understood. An event that is none of ours is an order of
// nothing, not a failure: a failure would have the DAM send it again and again. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "delivery/hook_proof.h"
#include "policy/policy.h"

namespace tintype {

// Paths of sources on the hook's site, as in Ask::source; none twice in one list.
struct HookOrder {
  std::vector<std::string> changed;
  std::vector<std::string> deleted;
  // "p/front.": all sources that begin so are gone. Of senders that do not say the file's ending.
  std::vector<std::string> deleted_prefixes;
  std::string event;  // the sender's word for it, cut to 64 bytes; for the log
  // Why nothing is to be done, or not all; empty: everything that the hook names is in the lists.
  std::string ignored;
  // Amazon SNS asks whether it may send: an operator opens this, the service never does.
  std::string subscribe_url;
  HookProof proof;

  bool is_empty() const { return changed.empty() && deleted.empty() && deleted_prefixes.empty(); }
};

// The most pictures of one hook.
inline constexpr std::size_t kMaxHookSources = 1'000;

// Fails as check_hook does; with 400 when the body is not what the recipe expects, naming what is
// missing; with 413 above kMaxHookSources.
HookResult<HookOrder> read_hook(const HookRule& rule, const HookHeaders& headers,
                                std::string_view body, std::int64_t now_unix_seconds);

}  // namespace tintype
