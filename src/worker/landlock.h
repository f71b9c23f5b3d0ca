// SPDX-License-Identifier: Apache-2.0
// Landlock by raw system calls (Debian 12's libc has no wrapper): denies the process every access
// to files, and on newer kernels TCP, abstract sockets and signals to outsiders. A second wall
// behind the system call filter; see Documentation/userspace-api/landlock.rst of the kernel.
#pragma once

#include <cstdint>

namespace tintype {

// Returns the ABI version in force, or 0 if the kernel offers none. Requires: no_new_privs is set.
std::int32_t forbid_files();

}  // namespace tintype
