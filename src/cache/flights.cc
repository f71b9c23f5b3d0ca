// SPDX-License-Identifier: Apache-2.0
#include "cache/flights.h"

#include <exception>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tintype {
namespace {

using Landing = Flights::Landing;
using Work = std::function<Task<Result<SharedEntry>>()>;

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

}  // namespace

struct Flights::State {
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

  void land(const std::string& key, const Result<SharedEntry>& entry) {
    Flight flight;
    {
      std::lock_guard lock(mutex);
      auto node = aloft.extract(key);
      if (node.empty()) return;
      flight = std::move(node.mapped());
    }
    flight.leader->resume({entry, false});
    for (auto& follower : flight.followers) follower->resume({entry, true});
  }

  // The detached coroutine of a flight.
  static Task<> fly(std::shared_ptr<State> state, std::string key, Work work);
};

namespace {

// Lands the flight when its coroutine ends, also when it is destroyed with its loop.
template <class State>
struct Lander {
  std::shared_ptr<State> state;
  std::string key;
  Result<SharedEntry> entry = fail_private(ErrorCode::Busy, "the leader's loop was torn down");

  ~Lander() { state->land(key, entry); }
};

}  // namespace

Task<> Flights::State::fly(std::shared_ptr<State> state, std::string key, Work work) {
  Lander<State> lander{std::move(state), std::move(key)};
  try {
    lander.entry = co_await work();
  } catch (const std::exception& error) {
    lander.entry = fail_private(ErrorCode::Internal, std::string("exception: ") + error.what());
  } catch (...) {
    lander.entry = fail_private(ErrorCode::Internal, "unknown exception");
  }
}

Flights::Flights() : state_(std::make_shared<State>()) {}
Flights::~Flights() = default;

Task<Flights::Landing> Flights::join(std::string key, Work work) {
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
      asio::co_spawn(executor, State::fly(state, key, std::move(work)), asio::detached);
    }
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>&, void(Landing)>(
      std::move(begin), asio::use_awaitable);
}

std::size_t Flights::aloft() const {
  std::lock_guard lock(state_->mutex);
  return state_->aloft.size();
}

}  // namespace tintype
