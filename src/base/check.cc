// SPDX-License-Identifier: Apache-2.0
#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace tintype::detail {

void check_failed(const char* condition, std::source_location where) {
  std::fprintf(stderr, "CHECK failed: %s at %s:%u\n", condition, where.file_name(), where.line());
  std::abort();
}

}  // namespace tintype::detail
