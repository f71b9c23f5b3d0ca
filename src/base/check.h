// SPDX-License-Identifier: Apache-2.0
// CHECK: for programming mistakes only. Always on; prints the condition with file and line and
// aborts, so that a supervisor restarts the process. Input is never CHECKed: it gets a Result.
#pragma once

#include <source_location>

namespace tintype::detail {
[[noreturn]] void check_failed(const char* condition, std::source_location where);
}

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) [[unlikely]]                                                  \
      ::tintype::detail::check_failed(#condition, std::source_location::current()); \
  } while (false)
