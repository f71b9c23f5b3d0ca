// SPDX-License-Identifier: Apache-2.0
// The pool under attack: what a worker that crashes, breaks out, lies or spies can do to others
// (P1, P2 and P3 of docs/internals/figures.md).
#include <algorithm>
#include <csignal>
#include <string>

#include <gtest/gtest.h>

#include "worker/fault_engine.h"
#include "worker/sanitizer.h"

namespace tintype {
namespace {

using faults::PoolUnderTest;

WorkerSettings one_worker() {
  WorkerSettings settings = faults::settings();
  settings.count = 1;
  return settings;
}

std::string said(const Result<RenderedVariant>& result) {
  if (result) return "rendered";
  return std::string(name_of(result.error().code)) + ": " + result.error().message;
}

std::string ask(PoolUnderTest& test, const std::string& probe) {
  const Result<RenderedVariant> result = test.render("probe " + probe);
  return result ? "rendered" : result.error().message;
}

TEST(PoolFaults, AWorkerSeesOnlyItsDoorbell) {
  PoolUnderTest test(one_worker());
  EXPECT_EQ(ask(test, "descriptors"), "0 1 2 3 ");
}

TEST(PoolFaults, AWorkerCannotReadTheServersEnvironment) {
  faults::hide_secret_in_environment();
  PoolUnderTest test(one_worker());
  EXPECT_EQ(ask(test, "environment"), "empty");
  EXPECT_EQ(ask(test, "secret"), "wiped");
}

TEST(PoolFaults, AWorkerCanOpenNoFileAndStartThreads) {
  PoolUnderTest test(one_worker());
  EXPECT_EQ(ask(test, "open"), "Permission denied");
  EXPECT_EQ(ask(test, "thread"), "7");
}

TEST(PoolFaults, EveryWayToDieCostsOneAnswer) {
  PoolUnderTest test(one_worker());
  std::vector<std::string> ways = {"segv",   "abort", "overflow", "throw", "exit",
                                   "socket", "fork",  "execve",   "kill",  "exec-page"};
  if (!kIsSanitized) ways.push_back("eat");  // without a memory limit it would be the machine's
  for (const std::string& way : ways) {
    const std::string result = said(test.render("crash " + way));
    EXPECT_TRUE(result.starts_with("crashed: ")) << way << " " << result;
    EXPECT_TRUE(test.render("fine")) << way;
  }
  const PoolState state = test.pool->state();
  EXPECT_EQ(state.crashed, ways.size());
  EXPECT_EQ(state.spawned, ways.size() + 1);
  EXPECT_EQ(state.workers, 1);
}

TEST(PoolFaults, FivePercentCrashesAmongFiveHundredHarmNobodyElse) {
  PoolUnderTest test;
  const char* ways[] = {"segv", "abort", "overflow", "throw", "socket"};
  std::vector<RenderJob> jobs;
  for (int i = 0; i < 500; ++i) {
    // Distinct sources, so that none is in quarantine.
    const std::string number = " " + std::to_string(i);
    jobs.push_back(faults::job(i % 20 == 7 ? "crash " + std::string(ways[i / 20 % 5]) + number
                                           : "fine" + number));
  }
  const auto results = test.render_all(std::move(jobs));
  for (int i = 0; i < 500; ++i) {
    const std::string result = said(results[static_cast<std::size_t>(i)]);
    EXPECT_TRUE(result.starts_with(i % 20 == 7 ? "crashed" : "rendered")) << i << " " << result;
  }
  test.wait_until([&] { return test.pool->state().workers == 2; });
  EXPECT_EQ(test.pool->state().crashed, 25u);
  EXPECT_EQ(test.pool->state().rendered, 475u);
  EXPECT_EQ(test.pool->state().spawned, 27u);
}

TEST(PoolFaults, ASourceIsQuarantinedAfterTwoCrashes) {
  PoolUnderTest test(one_worker());
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(said(test.render("crash segv")).starts_with("crashed: worker"));
  }
  EXPECT_EQ(said(test.render("crash segv")),
            "crashed: quarantined: workers died on this source before");
  EXPECT_EQ(test.pool->state().crashed, 2u);
  EXPECT_EQ(test.pool->state().refused, 1u);
  EXPECT_TRUE(test.render("fine"));
}

TEST(PoolFaults, ALyingWorkerIsKilledAndNotBelieved) {
  for (const char* how : {"length", "negative", "empty", "code", "busy", "id"}) {
    PoolUnderTest test(one_worker());
    const std::string result = said(test.render("lie " + std::string(how)));
    EXPECT_TRUE(result.starts_with("internal: a worker lied")) << how << " " << result;
    EXPECT_TRUE(test.render("fine")) << how;
    EXPECT_EQ(test.pool->state().killed, 1u) << how;
  }
}

TEST(PoolFaults, AMessageOfTheWrongLengthIsADeath) {
  for (const char* how : {"short", "long"}) {
    PoolUnderTest test(one_worker());
    const std::string result = said(test.render("lie " + std::string(how)));
    EXPECT_TRUE(result.starts_with("crashed")) << how << " " << result;
    EXPECT_TRUE(test.render("fine")) << how;
  }
}

TEST(PoolFaults, AVariantThatIsNotThePlannedOneIsRefused) {
  for (const char* how : {"format", "garbage", "size"}) {
    PoolUnderTest test(one_worker());
    const std::string result = said(test.render("mislead " + std::string(how)));
    EXPECT_TRUE(result.starts_with("internal: a worker lied")) << how << " " << result;
    EXPECT_TRUE(test.render("fine")) << how;
  }
}

TEST(PoolFaults, AVariantLargerThanTheOutAreaIsTooLarge) {
  PoolUnderTest test(one_worker());
  EXPECT_EQ(said(test.render("mislead huge")),
            "too-large: the variant is larger than the out-area");
  EXPECT_EQ(test.pool->state().spawned, 1u);
}

TEST(PoolFaults, AWorkerThatSpeaksUnaskedIsReplaced) {
  PoolUnderTest test(one_worker());
  // The forged reply comes first and names no job; the true one is never read.
  EXPECT_TRUE(said(test.render("mislead unasked")).starts_with("internal: a worker lied"));
  EXPECT_TRUE(test.render("fine"));
}

TEST(PoolFaults, TheArenaLeaksNothingBetweenTenants) {
  PoolUnderTest test(one_worker());
  EXPECT_TRUE(test.render("fine " + std::string(19'000'000, 'x')));
  EXPECT_EQ(ask(test, "arena"), "0");
  EXPECT_TRUE(test.render("fine " + std::string(300'000, 'x')));
  EXPECT_EQ(ask(test, "arena"), "0");
  EXPECT_EQ(test.pool->state().spawned, 1u);  // the same worker all the time
}

TEST(PoolFaults, AnIdleWorkerThatIsKilledIsReplacedAndNobodyBlamed) {
  PoolUnderTest test(one_worker());
  const std::string pid = ask(test, "pid");
  ASSERT_EQ(::kill(std::stoi(pid), SIGKILL), 0);
  test.wait_until([&] { return test.pool->state().spawned == 2; });
  EXPECT_TRUE(test.render("fine"));
  EXPECT_NE(ask(test, "pid"), pid);
  EXPECT_EQ(test.pool->state().crashed, 0u);
}

}  // namespace
}  // namespace tintype
