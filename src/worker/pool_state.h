// SPDX-License-Identifier: Apache-2.0
// WorkerPool::State: the inside of the pool. One thread runs the loop that owns the queue and the
// workers; a second one asks the zygote for new workers, so that spawning never delays an answer.
// Whatever is not said to be for any thread lives on the loop.
//
// Time: a tick while anything waits or runs looks for passed deadlines. It reads the Clock port, so
// tests move time by hand.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include <asio/steady_timer.hpp>

#include "base/async.h"
#include "worker/admission.h"
#include "worker/pool.h"
#include "worker/quarantine.h"
#include "worker/queue.h"
#include "worker/worker_process.h"

namespace tintype {

struct WorkerPool::State {
  State(Zygote zygote, const WorkerSettings& settings, const Clock& clock);
  ~State();

  // Spawns the workers and starts the threads. Called once.
  Result<> start();

  // --- any thread
  // Decides whether the job may wait; on success it is counted in and must be submitted.
  Result<> admit(const RenderJob& job);
  void submit(PendingJob pending);
  PoolState snapshot() const;
  Admission& admission() { return admission_; }

 private:
  struct Slot {
    explicit Slot(asio::io_context& loop) : retry(loop) {}
    std::unique_ptr<WorkerProcess> worker;  // null while a new one is spawned
    std::uint64_t generation = 0;           // tells a late event of the previous worker apart
    asio::steady_timer retry;
  };
  struct Tally {
    std::atomic<int> workers{0}, busy{0}, queued{0};
    std::atomic<std::uint64_t> rendered{0}, failed{0}, refused{0};
    std::atomic<std::uint64_t> killed{0}, crashed{0}, recycled{0}, spawned{0};
  };

  // The workers' lives (pool_state.cc).
  void adopt(Slot& slot, Result<Zygote::Worker> worker);
  void replace(Slot& slot);
  void respawn(Slot& slot);
  void respawn_later(Slot& slot, Milliseconds delay);
  void end_as_orphan();
  void shut_down();

  // The jobs' lives (pool_jobs.cc).
  void dispatch();
  void begin(Slot& slot, PendingJob pending);
  void listen(Slot& slot);
  void handle_event(Slot& slot);
  void handle_reply(Slot& slot, const ReplyMessage& reply);
  void handle_death(Slot& slot);
  void finish(PendingJob pending, Result<RenderedVariant> result);
  void fail_all_waiting(const Error& error);
  void keep_ticking();
  void tick();
  bool should_recycle(const WorkerProcess& worker) const;

  const WorkerSettings settings_;
  const ArenaShape shape_;
  const Clock& clock_;
  Zygote zygote_;
  Admission admission_;
  Quarantine quarantine_;
  Tally tally_;
  std::atomic<bool> is_orphaned_{false};  // the zygote has died

  asio::io_context loop_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{loop_.get_executor()};
  asio::steady_timer tick_timer_{loop_};
  bool is_ticking_ = false;
  bool is_stopping_ = false;
  JobQueue queue_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::uint64_t last_job_id_ = 0;

  asio::thread_pool spawner_{1};
  std::thread thread_;
};

}  // namespace tintype
