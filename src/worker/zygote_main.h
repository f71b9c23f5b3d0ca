// SPDX-License-Identifier: Apache-2.0
// What the zygote process does: shed everything inherited from the server, load the engine, then
// fork a worker per request until the server closes the control socket. Single-threaded throughout,
// so that each fork is a complete process.
#pragma once

#include <sys/types.h>

#include "base/descriptor.h"
#include "worker/settings.h"
#include "worker/zygote.h"

namespace tintype {

struct ZygoteStart {
  Descriptor control;
  pid_t server_pid = -1;
  WorkerSettings settings;
  RenderEntry entry;
};

// Runs in the forked child and never returns.
[[noreturn]] void run_zygote(ZygoteStart start);

}  // namespace tintype
