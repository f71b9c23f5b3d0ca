// SPDX-License-Identifier: Apache-2.0
// WorkerPool: the render processes. One sandboxed worker process per core, forked from a zygote
// that has never run a codec; a persistent shared arena and a doorbell socket per worker; a queue
// bounded by the cost of the plans in it; a deadline that kills. The pool trusts nothing a worker
// says.
//
// Thread-safe: render() may be awaited on any loop; the pool has a thread of its own, and a second
// one that only waits for the zygote. If the zygote itself dies, the pool stays up with no workers
// and fails every job with Internal: readiness must be red when state().workers is 0. The picture
// of all processes and the table of limits: docs/internals/workers.md. Walk: plan -> admission
// (Busy) -> queue -> worker -> variant bytes.
#pragma once

#include <cstdint>
#include <memory>

#include "base/async.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "plan/plan.h"
#include "worker/settings.h"
#include "worker/zygote.h"

namespace tintype {

struct RenderJob {
  Plan plan;
  PlanLimits limits;
  SharedBytes source;
  Deadline deadline;  // of the whole job, queueing included
};

struct RenderedVariant {
  Bytes bytes;
  Size size;
  bool has_alpha = false;
  std::int64_t queued_us = 0, rendered_us = 0;  // waiting for a worker; from doorbell to answer
};

// A point-in-time picture of the pool, for readiness and metrics.
struct PoolState {
  int workers = 0, busy = 0;  // alive; of them with a job
  int queued = 0;
  double queued_weight = 0;       // megapixel-weights waiting or running
  std::int64_t queued_bytes = 0;  // peak bytes waiting or running
  std::uint64_t rendered = 0, failed = 0, refused = 0;
  std::uint64_t killed = 0, crashed = 0, recycled = 0, spawned = 0;
  bool saturated = false;  // the next average job would be refused
};

class WorkerPool {
 public:
  // Takes over a running zygote (zygote.h). Spawns the workers; fails with Internal if none comes
  // up.
  static Result<std::unique_ptr<WorkerPool>> start(Zygote zygote, const WorkerSettings& settings,
                                                   const Clock& clock);
  // Kills the workers and the zygote; jobs still waiting fail with Busy.
  ~WorkerPool();

  // Fails with Busy (queue full, at once), Timeout (deadline passed while waiting, or worker
  // killed), Crashed (worker died on this source; a source that crashed workers twice is refused
  // from then on with Crashed and not tried again), and with whatever engine/render.h fails with.
  Task<Result<RenderedVariant>> render(RenderJob job);

  PoolState state() const;
  // No further jobs are taken (Busy); returns when none is running or queued, or at the deadline.
  Task<> drain(Deadline deadline);

 private:
  struct State;
  WorkerPool(std::unique_ptr<State> state, const Clock& clock);
  std::unique_ptr<State> state_;
  const Clock& clock_;
};

}  // namespace tintype
