// SPDX-License-Identifier: Apache-2.0
// The zygote: a small single-threaded process forked before the server has started a thread, read a
// secret or run a codec. It loads the engine's libraries, runs no operation, and forks render
// workers on request; a worker killed at its deadline is replaced from it in milliseconds.
//
// Zygote is the server's handle to that process. Move-only, owned by the WorkerPool, used by one
// thread at a time. Walk: main() starts it first of all; the pool asks it for workers.
#pragma once

#include <cstdint>

#include <sys/types.h>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "engine/render.h"
#include "worker/arena.h"
#include "worker/settings.h"

namespace tintype {

// What workers run: the engine, or in tests a stand-in that misbehaves on purpose. `prepare` is
// called once in the zygote, `render` for each job in a worker.
struct RenderEntry {
  Result<> (*prepare)() = prepare_engine;
  Result<Rendered> (*render)(const Plan&, ByteView, const PlanLimits&) = tintype::render;
};

class Zygote {
 public:
  // Forks. Must be called before any thread exists in the process, before any codec has run, and
  // before secrets are read: the child starts as a copy of this process' memory (its environment is
  // wiped). Fails with Internal, also when the engine cannot be prepared.
  static Result<Zygote> start(const WorkerSettings& settings);
  static Result<Zygote> start(const WorkerSettings& settings, const RenderEntry& entry);

  Zygote(Zygote&&) noexcept = default;
  Zygote& operator=(Zygote&&) = delete;
  ~Zygote();  // ends the zygote and, with it, its workers

  struct Worker {
    pid_t pid = -1;
    Descriptor pidfd;               // to signal without a race
    Descriptor doorbell;            // SOCK_SEQPACKET, our end
    Descriptor arena;               // memory file of ArenaShape::of(settings)
    std::int32_t landlock_abi = 0;  // 0: not available
  };
  // Forks one worker, sandboxed and ready. Blocks for about a millisecond. Fails with Internal.
  Result<Worker> spawn();
  // False once the zygote process has ended; its workers have ended with it, and none can be
  // spawned.
  bool is_alive() const;
  pid_t pid() const { return pid_.number; }

 private:
  // A moved-from handle must not end the process.
  struct OwnedPid {
    explicit OwnedPid(pid_t n) : number(n) {}
    OwnedPid(OwnedPid&& other) noexcept : number(other.number) { other.number = -1; }
    pid_t number;
  };
  Zygote(Descriptor control, pid_t pid, const ArenaShape& shape)
      : control_(std::move(control)), pid_(pid), shape_(shape) {}

  Descriptor control_;
  OwnedPid pid_;
  ArenaShape shape_;
  std::uint64_t last_number_ = 0;  // of a spawn request
};

}  // namespace tintype
