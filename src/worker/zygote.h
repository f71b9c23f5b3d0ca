// SPDX-License-Identifier: Apache-2.0
// The zygote: a small single-threaded process forked before the server has started a thread or run a
// codec. It loads the engine's libraries, runs no operation, and forks render workers on request;
// a worker killed at its deadline is replaced from it in milliseconds.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "worker/settings.h"

namespace tintype {

// A handle to the running zygote. Move-only; owned by the WorkerPool.
class Zygote {
 public:
  // Forks. Must be called before any thread exists in the process and before any codec has run.
  // Fails with Internal, also when the engine cannot be prepared.
  static Result<Zygote> start(const WorkerSettings& settings);

  Zygote(Zygote&& other) noexcept;
  Zygote& operator=(Zygote&& other) noexcept;
  ~Zygote();  // closes the control socket, upon which the zygote and its workers end

  struct Worker {
    pid_t pid = -1;
    int pidfd = -1;      // to signal without a race
    int doorbell = -1;   // SOCK_SEQPACKET, our end
    int arena = -1;      // memfd, mapped by both
  };
  // Forks one worker, sandboxed and ready. Blocks for about a millisecond.
  Result<Worker> spawn();
  int control_fd() const { return control_; }

 private:
  explicit Zygote(int control, pid_t pid) : control_(control), pid_(pid) {}
  int control_ = -1;
  pid_t pid_ = -1;
};

}  // namespace tintype
