// SPDX-License-Identifier: Apache-2.0
#include "worker/pool.h"

#include <utility>

#include "worker/pool_state.h"

namespace tintype {
namespace {

// How often drain() looks; a render takes tens of milliseconds.
constexpr Milliseconds kDrainPoll{5};

}  // namespace

Result<std::unique_ptr<WorkerPool>> WorkerPool::start(Zygote zygote, const WorkerSettings& settings,
                                                      const Clock& clock) {
  TRY(settings.validate());
  auto state = std::make_unique<State>(std::move(zygote), settings, clock);
  TRY(state->start());
  return std::unique_ptr<WorkerPool>(new WorkerPool(std::move(state), clock));
}

WorkerPool::WorkerPool(std::unique_ptr<State> state, const Clock& clock)
    : state_(std::move(state)), clock_(clock) {}

WorkerPool::~WorkerPool() = default;

Task<Result<RenderedVariant>> WorkerPool::render(RenderJob job) {
  CO_TRY(state_->admit(job));
  // Nothing of the pool is touched after the wait: it may be gone by then.
  auto start = [this, job = std::move(job)](auto answer) mutable {
    state_->submit({.job = std::move(job), .answer = answer, .admitted_at = clock_.now()});
  };
  co_return co_await await_callback<Result<RenderedVariant>>(std::move(start));
}

PoolState WorkerPool::state() const {
  return state_->snapshot();
}

Task<> WorkerPool::drain(Deadline deadline) {
  state_->admission().close();
  while (state_->admission().load().jobs > 0 && !deadline.passed(clock_)) {
    co_await sleep_for(kDrainPoll);
  }
}

}  // namespace tintype
