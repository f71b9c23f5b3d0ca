// SPDX-License-Identifier: Apache-2.0
// The sandbox a render worker closes around itself before it sees the first byte of a source: no
// new privileges, resource limits, Landlock where the kernel has it, and a list of allowed system
// calls; any other call kills the process. Everything here works without privileges and inside
// containers (docs/internals/figures.md F-sandbox). There is no way back.
//
// Runs in the worker process only, which has one thread at that point.
#pragma once

#include <cstdint>

#include "base/result.h"

namespace tintype {

struct SandboxLimits {
  std::int64_t memory_bytes = 0;  // of address space, arena included
};

struct SandboxPosture {
  std::int32_t landlock_abi = 0;  // 0: not available
};

// Fails with Internal when a mandatory part cannot be closed; the caller must then exit. Landlock
// is best effort, because not every container runtime offers it; system calls are filtered
// regardless. Requires: the calling process holds no descriptor it wants to keep secret.
Result<SandboxPosture> enter_sandbox(const SandboxLimits& limits);

// The CPU time after which the kernel kills this process, counted from now. A second line behind
// the server's deadline, for the case that the server itself hangs.
void limit_cpu(std::int64_t cpu_seconds);

}  // namespace tintype
