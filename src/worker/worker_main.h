// SPDX-License-Identifier: Apache-2.0
// What a render worker does: closes the sandbox around itself, then renders one job after another
// from the arena it shares with the server. It holds the doorbell, /dev/null and nothing else. It
// handles no fault: a crash ends the process, and the server answers for that one job.
#pragma once

#include <sys/types.h>

#include "base/descriptor.h"
#include "worker/settings.h"
#include "worker/zygote.h"

namespace tintype {

struct WorkerStart {
  Descriptor doorbell;
  Descriptor arena;
  pid_t zygote_pid = -1;
  WorkerSettings settings;
  RenderEntry entry;
};

// Runs in the process the zygote has just forked and never returns.
[[noreturn]] void run_worker(WorkerStart start);

// Steps that zygote and worker share.
// Sets the name seen in ps, and makes the kernel kill this process when `parent_pid` ends. Exits if
// it has ended already.
void tie_to_parent(const char* name, pid_t parent_pid);
// Closes every descriptor from `first` on.
void close_from(int first);

}  // namespace tintype
