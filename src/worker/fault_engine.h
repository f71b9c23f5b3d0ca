// SPDX-License-Identifier: Apache-2.0
// An engine for tests that does what the source tells it to: render, crash, hang, eat memory, break
// out, lie. It runs inside a real worker in the real sandbox. Test code only; no product file
// includes it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "worker/pool.h"
#include "worker/zygote.h"

namespace tintype::faults {

// The source is a text: a command, optionally a space and an argument; see fault_engine_test.cc.
Result<Rendered> render(const Plan& plan, ByteView source, const PlanLimits& limits);

// prepare() succeeds; render() as above.
RenderEntry entry();

// Two workers, small arenas.
WorkerSettings settings();

// A job whose variant must be samples::kPng2x1. Costs weight 1.
RenderJob job(std::string_view source);

// A pool over the fault engine, and a loop to await it from. The test's thread runs the loop.
class PoolUnderTest {
 public:
  explicit PoolUnderTest(const WorkerSettings& settings = faults::settings(),
                         const RenderEntry& entry = faults::entry());

  // Renders all at once; returns the answers in the order of the jobs.
  std::vector<Result<RenderedVariant>> render_all(std::vector<RenderJob> jobs);
  Result<RenderedVariant> render(std::string_view source);
  // Runs the loop until `is_true`; fails the test after half a minute.
  void wait_until(const std::function<bool()>& is_true);
  // Starts a job without waiting; its answer appears in *answer.
  using Answer = std::shared_ptr<std::vector<Result<RenderedVariant>>>;
  Answer submit(RenderJob job);

  ManualClock clock;
  pid_t zygote_pid = -1;
  asio::io_context loop;
  std::unique_ptr<WorkerPool> pool;
};

// Captured before the zygote is forked, at addresses the worker inherits.
void hide_secret_in_environment();

}  // namespace tintype::faults
