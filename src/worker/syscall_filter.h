// SPDX-License-Identifier: Apache-2.0
// The list of system calls a render worker may make (seccomp-bpf through libseccomp). What is not
// on it kills the process; what libraries merely probe for is refused with an error. The list was
// measured for libvips with JPEG, PNG, WebP, AVIF and HEIF (docs/internals/figures.md F-syscalls).
#pragma once

#include "base/result.h"

namespace tintype {

// Installs the filter for good. Fails with Internal when the kernel refuses it.
// Requires: no_new_privs is set; the process has one thread.
Result<> filter_syscalls();

}  // namespace tintype
