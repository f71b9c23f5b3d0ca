// SPDX-License-Identifier: Apache-2.0
#include "base/result.h"

#include <gtest/gtest.h>

#include "base/async.h"

namespace tintype {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return fail_public(ErrorCode::BadRequest, "odd", "n");
  return n / 2;
}
Result<> need_even(int n) {
  TRY(half(n));
  return {};
}
Result<int> quarter(int n) {
  TRY(auto once, half(n));
  TRY(auto twice, half(once));
  TRY(need_even(twice * 2));
  return twice;
}
Task<Result<int>> quarter_later(int n) {
  CO_TRY(auto once, half(n));
  auto later = [](int m) -> Task<Result<int>> { co_return half(m); };
  CO_TRY(auto twice, co_await later(once));
  CO_TRY(need_even(twice * 2));
  co_return twice;
}

TEST(Result, TryHandsTheErrorOn) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().option, "n");
  EXPECT_EQ(quarter(6).error().detail, "odd");
}

TEST(Result, CoTryHandsTheErrorOn) {
  asio::io_context loop;
  int good = 0;
  std::string bad;
  asio::co_spawn(
      loop,
      [&]() -> Task<> {
        good = (co_await quarter_later(8)).value();
        bad = (co_await quarter_later(6)).error().detail;
      },
      asio::detached);
  loop.run();
  EXPECT_EQ(good, 2);
  EXPECT_EQ(bad, "odd");
}

TEST(Async, AwaitCallbackResumesOnTheLoopAndKeepsItAlive) {
  asio::io_context loop;
  asio::thread_pool pool(1);
  int seen = 0;
  asio::co_spawn(
      loop, [&]() -> Task<> { seen = co_await run_on(pool, [] { return 42; }); }, asio::detached);
  loop.run();
  EXPECT_EQ(seen, 42);
}

// With a lambda that owns memory: GCC 12 frees it twice when it stands inside the co_await
// expression, in await_callback and run_on as well as here.
TEST(Async, WorkThatOwnsMemoryIsFreedOnce) {
  asio::io_context loop;
  asio::thread_pool pool(1);
  auto owned = std::make_shared<std::string>("text");
  std::size_t seen = 0;
  auto count = [&]() -> Task<> {
    auto work = [owned] { return owned->size(); };
    seen = co_await run_on(pool, std::move(work));
  };
  asio::co_spawn(loop, count, asio::detached);
  loop.run();
  pool.join();
  EXPECT_EQ(seen, 4u);
  EXPECT_EQ(owned.use_count(), 1);
}

}  // namespace
}  // namespace tintype
