// SPDX-License-Identifier: Apache-2.0
// The pool in good order: queueing, admission, deadlines, recycling, draining. Time is moved by
// hand.
#include "worker/pool.h"

#include <algorithm>
#include <csignal>
#include <set>

#include <gtest/gtest.h>

#include "worker/fault_engine.h"
#include "worker/sample_pictures.h"
#include "worker/sanitizer.h"

namespace tintype {
namespace {

using faults::PoolUnderTest;

WorkerSettings one_worker() {
  WorkerSettings settings = faults::settings();
  settings.count = 1;
  return settings;
}

void expect_failure(const Result<RenderedVariant>& result, ErrorCode code) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, code) << result.error().message;
}

TEST(Pool, RendersAndCounts) {
  PoolUnderTest test;
  const Result<RenderedVariant> variant = test.render("fine");
  ASSERT_TRUE(variant) << variant.error().message;
  EXPECT_TRUE(std::ranges::equal(variant->bytes, samples::kPng2x1));
  EXPECT_EQ(variant->size, (Size{2, 1}));
  const PoolState state = test.pool->state();
  EXPECT_EQ(state.workers, 2);
  EXPECT_EQ(state.busy, 0);
  EXPECT_EQ(state.queued, 0);
  EXPECT_EQ(state.queued_weight, 0);
  EXPECT_EQ(state.queued_bytes, 0);
  EXPECT_EQ(state.rendered, 1u);
  EXPECT_EQ(state.spawned, 2u);
  EXPECT_FALSE(state.saturated);
}

TEST(Pool, PassesOnWhatTheEngineSays) {
  PoolUnderTest test;
  const Result<RenderedVariant> result = test.render("fail");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::TooLarge);
  EXPECT_EQ(result.error().message, "a? b?");
  EXPECT_EQ(result.error().detail, "too wide");
  EXPECT_EQ(result.error().option, "width");
  EXPECT_EQ(test.pool->state().failed, 1u);
  EXPECT_EQ(test.pool->state().workers, 2);
}

TEST(Pool, AnswersManyAtOnce) {
  PoolUnderTest test;
  std::vector<RenderJob> jobs;
  for (int i = 0; i < 300; ++i) jobs.push_back(faults::job("fine " + std::to_string(i)));
  for (const auto& result : test.render_all(std::move(jobs))) EXPECT_TRUE(result);
  EXPECT_EQ(test.pool->state().rendered, 300u);
}

TEST(Pool, RefusesASourceLargerThanTheArena) {
  PoolUnderTest test;
  const std::string source(static_cast<std::size_t>(faults::settings().max_source_bytes) + 1, 'x');
  expect_failure(test.render(source), ErrorCode::TooLarge);
  EXPECT_TRUE(test.render(source.substr(1)));
}

TEST(Pool, RendersAnEmptySourceWithoutHarm) {
  PoolUnderTest test;
  EXPECT_TRUE(test.render(""));
}

TEST(Pool, SaysBusyWhenTheQueueIsFull) {
  WorkerSettings settings = one_worker();
  settings.max_queued_weight = 4;  // the jobs of this test weigh 1
  PoolUnderTest test(settings);
  const auto running = test.submit(faults::job("spin"));
  const auto second = test.submit(faults::job("fine"));
  const auto another = test.submit(faults::job("fine"));
  const auto third = test.submit(faults::job("fine"));
  test.wait_until([&] { return test.pool->state().busy == 1 && test.pool->state().queued == 3; });
  EXPECT_TRUE(test.pool->state().saturated);
  expect_failure(test.render("fine"), ErrorCode::Busy);
  EXPECT_EQ(test.pool->state().refused, 1u);

  test.clock.advance(settings.render_timeout_ms);
  test.wait_until([&] { return !third->empty(); });
  expect_failure(running->front(), ErrorCode::Timeout);
  EXPECT_TRUE(second->front());
  EXPECT_TRUE(third->front());
  EXPECT_TRUE(test.render("fine"));
}

TEST(Pool, KillsAtTheRenderTimeoutAndReplacesTheWorker) {
  PoolUnderTest test(one_worker());
  const auto running = test.submit(faults::job("spin"));
  test.wait_until([&] { return test.pool->state().busy == 1; });
  test.clock.advance(one_worker().render_timeout_ms - Milliseconds(1));
  test.loop.restart();
  test.loop.run_for(std::chrono::milliseconds(50));
  EXPECT_TRUE(running->empty());
  test.clock.advance(Milliseconds(1));
  test.wait_until([&] { return !running->empty(); });
  expect_failure(running->front(), ErrorCode::Timeout);
  EXPECT_TRUE(test.render("fine"));
  const PoolState state = test.pool->state();
  EXPECT_EQ(state.killed, 1u);
  EXPECT_EQ(state.crashed, 0u);
  EXPECT_EQ(state.spawned, 2u);
  EXPECT_EQ(state.workers, 1);
}

TEST(Pool, AJobsOwnDeadlineKillsEarlier) {
  PoolUnderTest test(one_worker());
  RenderJob job = faults::job("spin");
  job.deadline = Deadline::after(test.clock, Milliseconds(100));
  const auto running = test.submit(std::move(job));
  test.wait_until([&] { return test.pool->state().busy == 1; });
  test.clock.advance(Milliseconds(100));
  test.wait_until([&] { return !running->empty(); });
  expect_failure(running->front(), ErrorCode::Timeout);
}

TEST(Pool, AJobThatExpiresInTheQueueIsAnsweredThereAndNeverRun) {
  PoolUnderTest test(one_worker());
  const auto running = test.submit(faults::job("spin"));
  test.wait_until([&] { return test.pool->state().busy == 1; });
  RenderJob job = faults::job("crash segv");
  job.deadline = Deadline::after(test.clock, Milliseconds(100));
  const auto waiting = test.submit(std::move(job));
  test.wait_until([&] { return test.pool->state().queued == 1; });
  test.clock.advance(Milliseconds(100));
  test.wait_until([&] { return !waiting->empty(); });
  expect_failure(waiting->front(), ErrorCode::Timeout);
  EXPECT_TRUE(running->empty());
  EXPECT_EQ(test.pool->state().killed, 0u);
  EXPECT_EQ(test.pool->state().crashed, 0u);
}

TEST(Pool, ADeadlinePassedOnArrivalIsATimeout) {
  PoolUnderTest test;
  RenderJob job = faults::job("crash segv");
  job.deadline = Deadline::after(test.clock, Milliseconds(0));
  std::vector<RenderJob> jobs;
  jobs.push_back(std::move(job));
  expect_failure(test.render_all(std::move(jobs)).front(), ErrorCode::Timeout);
  EXPECT_EQ(test.pool->state().crashed, 0u);
}

TEST(Pool, RecyclesAWorkerAfterItsJobs) {
  WorkerSettings settings = one_worker();
  settings.recycle_after_jobs = 3;
  PoolUnderTest test(settings);
  std::set<std::string> pids;
  for (int i = 0; i < 9; ++i) {
    const Result<RenderedVariant> answer = test.render("probe pid");
    ASSERT_FALSE(answer);
    pids.insert(answer.error().message);
  }
  EXPECT_EQ(pids.size(), 3u);
  EXPECT_EQ(test.pool->state().recycled, 3u);
  EXPECT_EQ(test.pool->state().failed, 9u);  // a probe answers by failing
}

TEST(Pool, RecyclesAWorkerThatHoardsMemory) {
  WorkerSettings settings = one_worker();
  // A sanitizer's shadow memory counts as resident too.
  settings.recycle_above_rss_bytes = kIsSanitized ? 600'000'000 : 80'000'000;
  PoolUnderTest test(settings);
  EXPECT_TRUE(test.render("hoard"));
  EXPECT_TRUE(test.render("fine"));
  EXPECT_EQ(test.pool->state().recycled, 1u);
  EXPECT_EQ(test.pool->state().spawned, 2u);
}

TEST(Pool, DrainWaitsForWhatRunsAndTakesNothingNew) {
  PoolUnderTest test;
  std::vector<PoolUnderTest::Answer> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(test.submit(faults::job("fine")));
  test.wait_until([&] { return !answers.front()->empty(); });
  bool is_drained = false;
  asio::co_spawn(test.loop, test.pool->drain({}), [&](std::exception_ptr) { is_drained = true; });
  test.wait_until([&] { return is_drained; });
  EXPECT_EQ(test.pool->state().queued + test.pool->state().busy, 0);
  EXPECT_EQ(test.pool->state().rendered, 50u);
  expect_failure(test.render("fine"), ErrorCode::Busy);
}

TEST(Pool, DrainGivesUpAtItsDeadline) {
  PoolUnderTest test(one_worker());
  const auto running = test.submit(faults::job("spin"));
  test.wait_until([&] { return test.pool->state().busy == 1; });
  bool is_drained = false;
  asio::co_spawn(test.loop, test.pool->drain(Deadline::after(test.clock, Milliseconds(500))),
                 [&](std::exception_ptr) { is_drained = true; });
  test.loop.restart();
  test.loop.run_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(is_drained);
  test.clock.advance(Milliseconds(500));
  test.wait_until([&] { return is_drained; });
  EXPECT_TRUE(running->empty());
}

TEST(Pool, EndingThePoolAnswersWhatWaitsAndWhatRuns) {
  PoolUnderTest test(one_worker());
  const auto running = test.submit(faults::job("spin"));
  const auto waiting = test.submit(faults::job("fine"));
  test.wait_until([&] { return test.pool->state().busy == 1 && test.pool->state().queued == 1; });
  test.pool.reset();
  test.wait_until([&] { return !running->empty() && !waiting->empty(); });
  expect_failure(running->front(), ErrorCode::Busy);
  expect_failure(waiting->front(), ErrorCode::Busy);
}

TEST(Pool, WithoutItsZygoteItFailsEveryJobAndHasNoWorkers) {
  PoolUnderTest test;
  const auto running = test.submit(faults::job("spin"));
  test.wait_until([&] { return test.pool->state().busy == 1; });
  ASSERT_EQ(::kill(test.zygote_pid, SIGKILL), 0);
  test.wait_until([&] { return test.pool->state().workers == 0 && !running->empty(); });
  expect_failure(running->front(), ErrorCode::Internal);
  expect_failure(test.render("fine"), ErrorCode::Internal);
  EXPECT_EQ(test.pool->state().crashed, 0u);
}

}  // namespace
}  // namespace tintype
