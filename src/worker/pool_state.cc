// SPDX-License-Identifier: Apache-2.0
#include "worker/pool_state.h"

#include <string>
#include <utility>

#include "base/cgroup.h"
#include "base/check.h"
#include "telemetry/log.h"
#include "worker/sanitizer.h"

namespace tintype {
namespace {

// Spawning fails when the machine is out of memory or processes; hurrying would make it worse.
constexpr Milliseconds kSpawnRetryDelay{1'000};

}  // namespace

WorkerPool::State::State(Zygote zygote, const WorkerSettings& settings, const Clock& clock)
    : settings_(settings),
      shape_(ArenaShape::of(settings)),
      clock_(clock),
      zygote_(std::move(zygote)),
      admission_(settings) {}

Result<> WorkerPool::State::start() {
  const int count = settings_.count > 0 ? settings_.count : usable_cores();
  std::int32_t landlock_abi = 0;
  Error last_error;
  for (int i = 0; i < count; ++i) {
    slots_.push_back(std::make_unique<Slot>(loop_));
    Result<Zygote::Worker> worker = zygote_.spawn();
    if (worker) {
      landlock_abi = worker->landlock_abi;
    } else {
      last_error = worker.error();
    }
    adopt(*slots_.back(), std::move(worker));
  }
  if (tally_.workers == 0) return fail(last_error);
  log(LogLevel::Info, "workers-started",
      {{"count", tally_.workers.load()},
       {"zygote_pid", zygote_.pid()},
       {"seccomp", 1},
       {"landlock_abi", landlock_abi},
       {"memory_limit", kIsSanitized ? "none (sanitizer build)" : "address space"}});
  thread_ = std::thread([this] { loop_.run(); });
  return {};
}

WorkerPool::State::~State() {
  asio::post(loop_, [this] { shut_down(); });
  if (!thread_.joinable()) thread_ = std::thread([this] { loop_.run(); });  // start() has failed
  spawner_.join();  // a spawn under way ends within its time limit
  work_.reset();
  thread_.join();
}

// Everything that waits or runs is answered; the loop then runs dry.
void WorkerPool::State::shut_down() {
  is_stopping_ = true;
  tick_timer_.cancel();
  for (const auto& slot : slots_) {
    slot->retry.cancel();
    ++slot->generation;
    if (!slot->worker) continue;
    if (auto pending = slot->worker->abandon()) {
      finish(std::move(*pending), fail_private(ErrorCode::Busy, "the pool is shutting down"));
    }
    slot->worker.reset();
  }
  fail_all_waiting(Error::in_private(ErrorCode::Busy, "the pool is shutting down"));
  tally_.workers = 0;
  tally_.busy = 0;
}

void WorkerPool::State::adopt(Slot& slot, Result<Zygote::Worker> worker) {
  CHECK(!slot.worker);
  if (is_stopping_) return;  // its doorbell closes here, upon which the new worker ends
  Result<std::unique_ptr<WorkerProcess>> process =
      worker ? WorkerProcess::adopt(loop_, std::move(*worker), shape_)
             : fail(std::move(worker).error());
  if (process) {
    slot.worker = std::move(*process);
    ++tally_.spawned;
    ++tally_.workers;
    listen(slot);
    return;
  }
  if (!zygote_.is_alive()) return end_as_orphan();
  log(LogLevel::Error, "worker-spawn-failed", {{"error", process.error().message}});
  respawn_later(slot, kSpawnRetryDelay);
}

// Kills the worker, if it still lives, and gets another.
void WorkerPool::State::replace(Slot& slot) {
  if (slot.worker) --tally_.workers;
  slot.worker.reset();
  ++slot.generation;
  respawn(slot);
}

void WorkerPool::State::respawn(Slot& slot) {
  if (is_stopping_ || is_orphaned_) return;
  asio::post(spawner_, [this, &slot] {
    auto worker = std::make_shared<Result<Zygote::Worker>>(zygote_.spawn());
    asio::post(loop_, [this, &slot, worker] {
      adopt(slot, std::move(*worker));
      dispatch();
    });
  });
}

void WorkerPool::State::respawn_later(Slot& slot, Milliseconds delay) {
  slot.retry.expires_after(delay);
  slot.retry.async_wait([this, &slot](const std::error_code& error) {
    if (!error) respawn(slot);
  });
}

// Without a zygote no worker can ever be forked again: this process has threads by now. Answering
// from the caches goes on, renders fail, and no worker is left, which readiness must report:
// whoever supervises the process replaces it. Aborting here would take the healthy hits down as
// well.
void WorkerPool::State::end_as_orphan() {
  if (is_orphaned_.exchange(true)) return;
  log(LogLevel::Error, "zygote-died",
      {{"consequence", "no renders until the process is restarted"}});
  fail_all_waiting(Error::in_private(ErrorCode::Internal, "the zygote has died"));
}

PoolState WorkerPool::State::snapshot() const {
  const Admission::Load load = admission_.load();
  return {.workers = tally_.workers,
          .busy = tally_.busy,
          .queued = tally_.queued,
          .queued_weight = load.weight,
          .queued_bytes = load.bytes,
          .rendered = tally_.rendered,
          .failed = tally_.failed,
          .refused = tally_.refused,
          .killed = tally_.killed,
          .crashed = tally_.crashed,
          .recycled = tally_.recycled,
          .spawned = tally_.spawned,
          .saturated = load.is_saturated};
}

}  // namespace tintype
