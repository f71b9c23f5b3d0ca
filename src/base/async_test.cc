// SPDX-License-Identifier: Apache-2.0
#include "base/async.h"

#include <string>

#include <gtest/gtest.h>

namespace tintype {
namespace {

template <class T>
T run(Task<T> task) {
  asio::io_context loop;
  std::optional<T> result;
  auto keep = [](Task<T> awaited, std::optional<T>& kept) -> Task<> {
    kept = co_await std::move(awaited);
  };
  asio::co_spawn(loop, keep(std::move(task), result), asio::detached);
  loop.run();
  return std::move(*result);
}

// "late" after an hour, "cut short" when it is cancelled.
Task<std::string> wait_an_hour() {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
  std::error_code error;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, error));
  co_return error ? "cut short" : "late";
}

Task<std::string> wait_for(std::chrono::milliseconds duration) {
  co_await sleep_for(duration);
  co_return "done";
}

TEST(Async, TheFirstTasksEndCutsTheSecondShort) {
  auto [first, second] =
      run(both_until_first(wait_for(std::chrono::milliseconds(2)), wait_an_hour()));
  EXPECT_EQ(first, "done");
  EXPECT_EQ(second, "cut short");
}

TEST(Async, ASecondTaskThatEndsFirstIsKept) {
  auto [first, second] = run(both_until_first(wait_for(std::chrono::milliseconds(20)),
                                              wait_for(std::chrono::milliseconds(1))));
  EXPECT_EQ(first, "done");
  EXPECT_EQ(second, "done");
  auto at_once = []() -> Task<int> { co_return 1; };
  auto [one, other] = run(both_until_first(at_once(), at_once()));
  EXPECT_EQ(one + other, 2);
}

TEST(Async, AFaultOfTheFirstIsItsCallers) {
  auto fails = []() -> Task<int> {
    throw std::runtime_error("first");
    co_return 0;
  };
  auto watch = [](Task<int> failing) -> Task<std::string> {
    try {
      auto pair =
          co_await both_until_first(std::move(failing), wait_for(std::chrono::milliseconds(1)));
      co_return std::get<1>(pair);
    } catch (const std::runtime_error& error) {
      co_return error.what();
    }
  };
  EXPECT_EQ(run(watch(fails())), "first");
}

}  // namespace
}  // namespace tintype
