// SPDX-License-Identifier: Apache-2.0
// Flights: request collapsing. Of many identical misses one leads and works; the others wait for
// its answer, whatever it is (errors collapse too). The work runs detached on the leader's loop, so
// a leader whose client goes away still finishes for the others; everybody resumes on their own
// loop. Thread-safe across loops. Every loop must outlive the flights that somebody on it waits
// for: stop and join all loops before the first of them is destroyed.
//
// The order that keeps a render single: the work puts its answer into the memory tier before it
// returns; then the flight is struck off; then the waiters resume. Who comes after the striking
// finds the answer in the memory tier, or starts anew.
//
// T is what a landing brings, shared by all who wait: cheap to copy.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/result.h"

namespace tintype {

template <class T>
class Flights {
 public:
  using Work = std::function<Task<Result<T>>()>;
  struct Landing {
    Result<T> result;
    bool collapsed = false;  // somebody else did the work
  };

  // Joins the flight for `key`, or starts `work` if there is none. `work` is called at most once
  // per flight and is kept alive until it has landed. Exceptions that escape it become Internal; a
  // loop that is torn down under it lands as Busy. Whoever awaits may be cancelled (asio's
  // cancellation): they leave with Timeout, the flight goes on.
  Task<Landing> join(std::string key, Work work) {
    auto state = state_;
    Executor executor = co_await asio::this_coro::executor;
    auto begin = [&](auto handler) {
      auto slot = asio::get_associated_cancellation_slot(handler);
      auto waiter = std::make_shared<HandlerWaiter<decltype(handler)>>(std::move(handler));
      if (slot.is_connected()) {
        slot.assign([leaver = std::weak_ptr<Waiter>(waiter)](asio::cancellation_type) {
          if (auto waiting = leaver.lock()) {
            waiting->resume({fail_private(ErrorCode::Timeout, "left the flight"), true});
          }
        });
      }
      if (state->board(key, std::move(waiter))) {
        asio::co_spawn(executor, fly(state, key, std::move(work)), asio::detached);
      }
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Landing)>(
        std::move(begin), asio::use_awaitable);
  }

  std::size_t aloft() const {
    std::lock_guard lock(state_->mutex);
    return state_->aloft.size();
  }

 private:
  // One who waits. Landing and cancellation race for it; the first resumes it, on its own loop.
  class Waiter {
   public:
    virtual ~Waiter() = default;
    void resume(Landing landing) {
      if (!resumed_.exchange(true)) deliver(std::move(landing));
    }

   private:
    virtual void deliver(Landing landing) = 0;
    std::atomic<bool> resumed_{false};
  };

  template <class Handler>
  class HandlerWaiter final : public Waiter {
   public:
    explicit HandlerWaiter(Handler handler)
        // The guard keeps the loop running while nothing but this landing is outstanding.
        : executor_(asio::prefer(asio::get_associated_executor(handler),
                                 asio::execution::outstanding_work.tracked)),
          handler_(std::move(handler)) {}

   private:
    void deliver(Landing landing) override {
      // Both are moved out, so that nothing here holds the loop or the coroutine any longer.
      auto executor = std::exchange(executor_, std::nullopt);
      auto handler = std::make_shared<Handler>(std::move(*std::exchange(handler_, std::nullopt)));
      asio::post(*executor, [handler, landing = std::move(landing)]() mutable {
        auto slot = asio::get_associated_cancellation_slot(*handler);
        if (slot.is_connected()) slot.clear();
        std::move (*handler)(std::move(landing));
      });
    }

    std::optional<Executor> executor_;
    std::optional<Handler> handler_;
  };

  struct Flight {
    std::shared_ptr<Waiter> leader;
    std::vector<std::shared_ptr<Waiter>> followers;
  };

  struct State {
    mutable std::mutex mutex;
    std::unordered_map<std::string, Flight> aloft;

    // Whether the waiter leads.
    bool board(const std::string& key, std::shared_ptr<Waiter> waiter) {
      std::lock_guard lock(mutex);
      auto [place, is_new] = aloft.try_emplace(key);
      if (is_new) {
        place->second.leader = std::move(waiter);
      } else {
        place->second.followers.push_back(std::move(waiter));
      }
      return is_new;
    }

    void land(const std::string& key, const Result<T>& result) {
      Flight flight;
      {
        std::lock_guard lock(mutex);
        auto node = aloft.extract(key);
        if (node.empty()) return;
        flight = std::move(node.mapped());
      }
      flight.leader->resume({result, false});
      for (auto& follower : flight.followers) follower->resume({result, true});
    }
  };

  // Lands the flight when its coroutine ends, also when it is destroyed with its loop.
  struct Lander {
    std::shared_ptr<State> state;
    std::string key;
    Result<T> result = fail_private(ErrorCode::Busy, "the leader's loop was torn down");

    ~Lander() { state->land(key, result); }
  };

  // The detached coroutine of a flight.
  static Task<> fly(std::shared_ptr<State> state, std::string key, Work work) {
    Lander lander{std::move(state), std::move(key)};
    try {
      lander.result = co_await work();
    } catch (const std::exception& error) {
      lander.result = fail_private(ErrorCode::Internal, std::string("exception: ") + error.what());
    } catch (...) {
      lander.result = fail_private(ErrorCode::Internal, "unknown exception");
    }
  }

  std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace tintype
