// SPDX-License-Identifier: Apache-2.0
// The coroutine vocabulary: Task<T> is what a step that waits returns; a task runs on the event
// loop (asio executor) of whoever awaits it. One loop per core, one thread per loop: code between
// two co_await lines is not interrupted by other code of the same loop.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include <asio/any_io_executor.hpp>
#include <asio/async_result.hpp>
#include <asio/awaitable.hpp>
#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <asio/co_spawn.hpp>
#include <asio/detached.hpp>
#include <asio/dispatch.hpp>
#include <asio/execution.hpp>
#include <asio/executor_work_guard.hpp>
#include <asio/experimental/awaitable_operators.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/redirect_error.hpp>
#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>
#include <asio/thread_pool.hpp>
#include <asio/use_awaitable.hpp>

namespace tintype {

template <class T = void>
using Task = asio::awaitable<T>;

using Executor = asio::any_io_executor;

// Calls `start` with a callback `void(T)`; the awaiting coroutine resumes on its own executor with
// the value given to the callback. The callback may be called from any thread, exactly once;
// calling it is the only way the coroutine goes on, so whoever takes it must call it on every path.
//
// GCC 12 destroys a lambda that is written inside a co_await expression twice when it holds
// anything that is not trivially copyable. So name it first, in your own coroutine too:
//   auto start = [text = std::move(text)](auto done) { … };
//   auto value = co_await await_callback<int>(std::move(start));
template <class T, class Start>
Task<T> await_callback(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    // The guard keeps the loop running while nothing but this callback is outstanding.
    auto executor = asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked);
    auto shared = std::make_shared<std::decay_t<decltype(handler)>>(std::move(handler));
    start([shared, executor](T value) {
      asio::post(executor, [shared, value = std::move(value)]() mutable {
        std::move (*shared)(std::move(value));
      });
    });
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(
      std::move(initiate), asio::use_awaitable);
}

// Runs a blocking function on `pool` and resumes the caller on its own executor with the result.
// The function is to be named first where it holds more than references and numbers, as above.
template <class F>
Task<std::invoke_result_t<F&>> run_on(asio::thread_pool& pool, F function) {
  using T = std::invoke_result_t<F&>;
  auto start = [&pool, function = std::move(function)](auto done) mutable {
    asio::post(pool, [function = std::move(function), done]() mutable { done(function()); });
  };
  co_return co_await await_callback<T>(std::move(start));
}

// As run_on, but waits for `patience` at most: then there is no result, while the function runs on
// and what it returns is dropped. For reads of disks, which may hang. Join the pool before the loop
// is destroyed, as it posts there when the function comes back at last.
template <class F>
Task<std::optional<std::invoke_result_t<F&>>> run_on_within(asio::thread_pool& pool,
                                                            std::chrono::nanoseconds patience,
                                                            F function) {
  struct Shared {
    explicit Shared(const Executor& executor) : timer(executor) {}
    asio::steady_timer timer;
    std::optional<std::invoke_result_t<F&>> result;  // touched on the caller's loop only
  };
  auto shared = std::make_shared<Shared>(co_await asio::this_coro::executor);
  shared->timer.expires_after(patience);
  // The pool gives its share away: the timer must die on the loop, and with it, not after it.
  auto work = [shared, function = std::move(function)]() mutable {
    auto result = function();
    Executor executor = shared->timer.get_executor();
    asio::post(executor, [shared = std::move(shared), result = std::move(result)]() mutable {
      shared->result = std::move(result);
      shared->timer.cancel();
    });
  };
  asio::post(pool, std::move(work));
  std::error_code ignored;
  co_await shared->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  co_return std::move(shared->result);
}

// Runs two tasks at the same time on the caller's loop; returns both results as a tuple.
template <class A, class B>
Task<std::tuple<A, B>> both(Task<A> first, Task<B> second) {
  using namespace asio::experimental::awaitable_operators;
  co_return co_await (std::move(first) && std::move(second));
}

// As both(), but when the first task ends the second is told to end too (asio's cancellation): for
// what is worth having beside the first, and not worth waiting for. B needs a default value, which
// it has when the second throws.
template <class A, class B>
Task<std::tuple<A, B>> both_until_first(Task<A> first, Task<B> second) {
  struct Shared {
    explicit Shared(const Executor& executor)
        : ended(executor, asio::steady_timer::time_point::max()) {}
    asio::steady_timer ended;
    asio::cancellation_signal leave;
    std::optional<B> result;
  };
  auto executor = co_await asio::this_coro::executor;
  auto shared = std::make_shared<Shared>(executor);
  auto keep = [shared](const std::exception_ptr& fault, B value) {
    shared->result = fault ? B() : std::move(value);
    shared->ended.cancel();
  };
  asio::co_spawn(executor, std::move(second),
                 asio::bind_cancellation_slot(shared->leave.slot(), std::move(keep)));
  A value = co_await std::move(first);
  shared->leave.emit(asio::cancellation_type::terminal);
  if (!shared->result) {
    std::error_code ignored;
    co_await shared->ended.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return std::tuple<A, B>(std::move(value), std::move(*shared->result));
}

// Runs a task, and whatever it leaves behind, to its end on a loop of its own, and blocks
// meanwhile. For commands and tests.
template <class T>
T run_to_end(Task<T> task) {
  std::optional<T> result;
  asio::io_context loop;
  auto work = [&]() -> Task<> { result = co_await std::move(task); };
  asio::co_spawn(loop, work, asio::detached);
  loop.run();
  return std::move(*result);
}

// Waits on the caller's loop.
inline Task<> sleep_for(std::chrono::milliseconds duration) {
  asio::steady_timer timer(co_await asio::this_coro::executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace tintype
