// SPDX-License-Identifier: Apache-2.0
// The three fixed-size messages on a worker's doorbell socket, one datagram each: the worker's
// hello, the server's job, the worker's reply. Plans cross as they are, because both processes are
// the same program. What the server reads is hostile: only plain integers and character arrays,
// every value of which is safe to copy, and reply.h judges them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

#include "plan/plan.h"

namespace tintype {

// Copies as much of `text` as fits; the rest of `out` becomes zero.
template <std::size_t N>
void put_text(char (&out)[N], std::string_view text) {
  auto end = std::copy_n(text.data(), std::min(text.size(), N), out);
  std::fill(end, out + N, '\0');
}
// Up to the first zero or the end of the array.
template <std::size_t N>
std::string_view peek_text(const char (&in)[N]) {
  return {in, static_cast<std::size_t>(std::find(in, in + N, '\0') - in)};
}

// Said once, when the sandbox is closed (problem empty) or could not be closed.
struct HelloMessage {
  std::int32_t landlock_abi = 0;  // 0: this kernel has no Landlock, or it is switched off
  char problem[240] = {};
};

struct JobMessage {
  std::uint64_t id = 0;
  std::uint64_t source_bytes = 0;  // of the in-area
  Plan plan;
  PlanLimits limits;
};

inline constexpr std::int32_t kRenderedCode = -1;

struct ReplyMessage {
  std::uint64_t id = 0;   // of the job
  std::int32_t code = 0;  // kRenderedCode, or an ErrorCode
  std::uint32_t has_alpha = 0;
  std::uint64_t variant_bytes = 0;  // of the out-area
  std::int64_t decode_us = 0, encode_us = 0;
  char message[240] = {};  // Error::message, detail and option
  char detail[240] = {};
  char option[32] = {};
};

static_assert(std::is_trivially_copyable_v<HelloMessage>);
static_assert(std::is_trivially_copyable_v<JobMessage>);
static_assert(std::is_trivially_copyable_v<ReplyMessage>);

}  // namespace tintype
