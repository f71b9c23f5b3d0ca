// SPDX-License-Identifier: Apache-2.0
// Whether this build runs under a sanitizer: the one place that asks. Sanitizers reserve terabytes
// of address space and read /proc, so their builds go without RLIMIT_AS and with a few more system
// calls (sandbox.cc); the pool says so in its start line.
#pragma once

namespace tintype {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool kIsSanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool kIsSanitized = true;
#else
inline constexpr bool kIsSanitized = false;
#endif
#else
inline constexpr bool kIsSanitized = false;
#endif

}  // namespace tintype
