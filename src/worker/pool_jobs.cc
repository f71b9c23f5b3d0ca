// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <string>
#include <utility>

#include "base/check.h"
#include "telemetry/log.h"
#include "worker/pool_state.h"

namespace tintype {
namespace {

// How late a deadline may be noticed; P3 of docs/internals/figures.md allows 50 ms.
constexpr Milliseconds kTick{10};
// A worker that dies without a job has met the kernel's out-of-memory killer or an operator.
constexpr Milliseconds kIdleDeathDelay{100};

std::int64_t microseconds(Steady from, Steady to) {
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

}  // namespace

Result<> WorkerPool::State::admit(const RenderJob& job) {
  CHECK(job.source != nullptr);
  if (is_orphaned_) return fail_private(ErrorCode::Internal, "the zygote has died");
  if (job.source->size() > static_cast<std::size_t>(settings_.max_source_bytes)) {
    return fail_public(ErrorCode::TooLarge,
                       "the source has " + std::to_string(job.source->size()) +
                           " bytes; allowed: " + std::to_string(settings_.max_source_bytes));
  }
  if (quarantine_.refuses(*job.source, describe(job.plan))) {
    ++tally_.refused;
    return fail_private(ErrorCode::Crashed, "quarantined: workers died on this source before");
  }
  if (!admission_.admit(job.plan.cost)) {
    ++tally_.refused;
    return fail_private(ErrorCode::Busy, "too much is waiting to be rendered");
  }
  return {};
}

void WorkerPool::State::submit(PendingJob pending) {
  ++tally_.queued;
  asio::post(loop_, [this, pending = std::move(pending)]() mutable {
    queue_.push(std::move(pending));
    if (is_stopping_) {
      return fail_all_waiting(Error::in_private(ErrorCode::Busy, "the pool is shutting down"));
    }
    if (is_orphaned_) {
      return fail_all_waiting(Error::in_private(ErrorCode::Internal, "the zygote has died"));
    }
    dispatch();
    keep_ticking();
  });
}

void WorkerPool::State::dispatch() {
  for (const auto& slot : slots_) {
    while (slot->worker && slot->worker->is_idle()) {
      std::optional<PendingJob> next = queue_.take_next();
      if (!next) return;
      begin(*slot, std::move(*next));
    }
  }
}

void WorkerPool::State::begin(Slot& slot, PendingJob pending) {
  const Steady now = clock_.now();
  if (pending.job.deadline.passed(clock_)) {
    --tally_.queued;
    return finish(std::move(pending),
                  fail_private(ErrorCode::Timeout, "the deadline passed in the queue"));
  }
  const Steady kill_at = std::min(pending.job.deadline.at, now + settings_.render_timeout_ms);
  std::optional<PendingJob> returned = slot.worker->begin(
      std::move(pending), {.job_id = ++last_job_id_, .now = now, .kill_at = kill_at});
  if (returned) {
    queue_.push_front(std::move(*returned));
    return handle_death(slot);
  }
  --tally_.queued;
  ++tally_.busy;
}

void WorkerPool::State::listen(Slot& slot) {
  slot.worker->await_event([this, &slot, generation = slot.generation] {
    if (slot.generation == generation) handle_event(slot);
  });
}

void WorkerPool::State::handle_event(Slot& slot) {
  ReplyMessage reply;
  switch (slot.worker->read_event(reply)) {
    case WorkerProcess::Event::Nothing:
      return listen(slot);
    case WorkerProcess::Event::Reply:
      handle_reply(slot, reply);
      break;
    case WorkerProcess::Event::Death:
      handle_death(slot);
      break;
  }
  dispatch();
}

void WorkerPool::State::handle_reply(Slot& slot, const ReplyMessage& reply) {
  WorkerProcess::Ended ended = slot.worker->settle(reply);
  --tally_.busy;
  Result<RenderedVariant>& answer = ended.verdict.answer;
  const std::size_t variant_bytes = answer ? answer->bytes.size() : 0;
  if (answer) {
    answer->queued_us = microseconds(ended.pending.admitted_at, ended.started_at);
    answer->rendered_us = microseconds(ended.started_at, clock_.now());
  }
  if (!ended.verdict.is_honest) {
    log(LogLevel::Error, "worker-lied",
        {{"pid", slot.worker->pid()}, {"error", answer.error().message}});
    quarantine_.blame(*ended.pending.job.source, describe(ended.pending.job.plan));
    ++tally_.killed;
    replace(slot);
    return finish(std::move(ended.pending), std::move(answer));
  }
  if (should_recycle(*slot.worker)) {
    ++tally_.recycled;
    replace(slot);
    return finish(std::move(ended.pending), std::move(answer));
  }
  finish(std::move(ended.pending), std::move(answer));
  slot.worker->clean(variant_bytes);
  listen(slot);
}

bool WorkerPool::State::should_recycle(const WorkerProcess& worker) const {
  return worker.jobs_done() >= settings_.recycle_after_jobs ||
         worker.rss_bytes() > settings_.recycle_above_rss_bytes;
}

void WorkerPool::State::handle_death(Slot& slot) {
  std::optional<PendingJob> pending = slot.worker->abandon();
  const bool was_orphaned = !zygote_.is_alive();  // then all workers die, and no source is to blame
  const pid_t pid = slot.worker->pid();
  if (pending) {
    --tally_.busy;
    replace(slot);
    if (was_orphaned) {
      return finish(std::move(*pending), fail_private(ErrorCode::Internal, "the zygote has died"));
    }
    ++tally_.crashed;
    const int crashes = quarantine_.blame(*pending->job.source, describe(pending->job.plan));
    return finish(std::move(*pending),
                  fail_private(ErrorCode::Crashed, "worker " + std::to_string(pid) +
                                                       " died on this source, time " +
                                                       std::to_string(crashes)));
  }
  if (!was_orphaned) log(LogLevel::Warn, "idle-worker-died", {{"pid", pid}});
  --tally_.workers;
  slot.worker.reset();
  ++slot.generation;
  if (was_orphaned) return end_as_orphan();
  respawn_later(slot, kIdleDeathDelay);
}

// Answers, and makes room. Called once for every admitted job, when the counts already say what
// has become of its worker.
void WorkerPool::State::finish(PendingJob pending, Result<RenderedVariant> result) {
  ++(result ? tally_.rendered : tally_.failed);
  admission_.leave(pending.job.plan.cost);
  pending.answer(std::move(result));
}

void WorkerPool::State::fail_all_waiting(const Error& error) {
  for (PendingJob& pending : queue_.take_all()) {
    --tally_.queued;
    finish(std::move(pending), fail(error));
  }
}

void WorkerPool::State::keep_ticking() {
  if (is_ticking_ || is_stopping_ || (queue_.size() == 0 && tally_.busy == 0)) return;
  is_ticking_ = true;
  tick_timer_.expires_after(kTick);
  tick_timer_.async_wait([this](const std::error_code& error) {
    is_ticking_ = false;
    if (error) return;
    tick();
    keep_ticking();
  });
}

void WorkerPool::State::tick() {
  const Steady now = clock_.now();
  for (const auto& slot : slots_) {
    if (!slot->worker || !slot->worker->is_overdue(now)) continue;
    std::optional<PendingJob> pending = slot->worker->abandon();
    --tally_.busy;
    ++tally_.killed;
    replace(*slot);
    finish(std::move(*pending),
           fail_private(ErrorCode::Timeout, "killed at the deadline of the render"));
  }
  for (PendingJob& pending : queue_.take_expired(clock_)) {
    --tally_.queued;
    finish(std::move(pending),
           fail_private(ErrorCode::Timeout, "the deadline passed in the queue"));
  }
}

}  // namespace tintype
