// SPDX-License-Identifier: Apache-2.0
// CHECK: for programming mistakes only. Always on; prints the condition with file and line and
// aborts, so that a supervisor restarts the process. Input is never CHECKed: it gets a Result.
#pragma once

namespace tintype::detail {
// No std::source_location: clang 14, which builds the fuzz targets, has none.
[[noreturn]] void check_failed(const char* condition, const char* file, int line);
}  // namespace tintype::detail

#define CHECK(condition)                                               \
  do {                                                                 \
    if (!(condition)) [[unlikely]]                                     \
      ::tintype::detail::check_failed(#condition, __FILE__, __LINE__); \
  } while (false)
