// SPDX-License-Identifier: Apache-2.0
#include "base/flights.h"

#include <array>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <asio/bind_cancellation_slot.hpp>
#include <asio/cancellation_signal.hpp>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using SharedText = std::shared_ptr<const std::string>;
using TextFlights = Flights<SharedText>;
using Landing = TextFlights::Landing;
using Milliseconds = std::chrono::milliseconds;

SharedText a_text(const std::string& text) {
  return std::make_shared<const std::string>(text);
}

// Works for `duration` and counts.
std::function<Task<Result<SharedText>>()> slow_work(std::atomic<int>& runs, Milliseconds duration) {
  return [&runs, duration]() -> Task<Result<SharedText>> {
    ++runs;
    co_await sleep_for(duration);
    co_return a_text("/a");
  };
}

Task<> join_once(TextFlights& flights, std::string key,
                 std::function<Task<Result<SharedText>>()> work,
                 std::function<void(Landing)> landed) {
  Landing landing = co_await flights.join(std::move(key), std::move(work));
  landed(std::move(landing));
}

TEST(Flights, AThousandJoinsOnTwoLoopsAreOneRun) {
  TextFlights flights;
  std::array<asio::io_context, 2> loops;
  std::array<std::thread::id, 2> ids;
  std::atomic<int> runs{0}, wrong_loop{0}, joining{0};
  auto work = [&]() -> Task<Result<SharedText>> {
    ++runs;
    while (joining < 1000) co_await sleep_for(Milliseconds(5));
    co_await sleep_for(Milliseconds(50));  // the last of the other loop is about to board
    co_return a_text("/a");
  };
  std::mutex mutex;
  std::set<const std::string*> answers;
  int leaders = 0, collapsed = 0;
  for (int i = 0; i < 1000; ++i) {
    std::size_t loop = static_cast<std::size_t>(i % 2);
    auto landed = [&, loop](Landing landing) {
      if (std::this_thread::get_id() != ids[loop]) ++wrong_loop;
      std::lock_guard lock(mutex);
      answers.insert(landing.result ? landing.result->get() : nullptr);
      ++(landing.collapsed ? collapsed : leaders);
    };
    auto one = [&, landed]() -> Task<> {
      ++joining;
      landed(co_await flights.join("/a", work));
    };
    asio::co_spawn(loops[loop], one, asio::detached);
  }
  std::array<std::thread, 2> threads;
  std::atomic<int> started{0};
  for (std::size_t i = 0; i < 2; ++i) {
    threads[i] = std::thread([&, i] {
      ids[i] = std::this_thread::get_id();
      ++started;
      while (started < 2) std::this_thread::yield();
      loops[i].run();
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(leaders, 1);
  EXPECT_EQ(collapsed, 999);
  EXPECT_EQ(answers.size(), 1u);
  EXPECT_FALSE(answers.contains(nullptr));
  EXPECT_EQ(wrong_loop, 0);
  EXPECT_EQ(flights.aloft(), 0u);
}

TEST(Flights, DifferentKeysFlyApart) {
  TextFlights flights;
  asio::io_context loop;
  std::atomic<int> runs{0};
  int collapsed = 0;
  std::size_t most_aloft = 0;
  for (int i = 0; i < 10; ++i) {
    asio::co_spawn(loop,
                   join_once(flights, "/" + std::to_string(i), slow_work(runs, Milliseconds(20)),
                             [&](Landing landing) {
                               collapsed += landing.collapsed;
                               most_aloft = std::max(most_aloft, flights.aloft());
                             }),
                   asio::detached);
  }
  loop.run();
  EXPECT_EQ(runs, 10);
  EXPECT_EQ(collapsed, 0);
  EXPECT_LT(most_aloft, 10u);  // struck off before the leader resumes
  EXPECT_EQ(flights.aloft(), 0u);
}

TEST(Flights, ErrorsCollapseToo) {
  TextFlights flights;
  asio::io_context loop;
  int runs = 0, failures = 0;
  for (int i = 0; i < 50; ++i) {
    auto work = [&]() -> Task<Result<SharedText>> {
      ++runs;
      co_await sleep_for(Milliseconds(20));
      co_return fail_private(ErrorCode::OriginFailed, "502");
    };
    auto landed = [&](Landing landing) {
      failures += !landing.result && landing.result.error().code == ErrorCode::OriginFailed;
    };
    asio::co_spawn(loop, join_once(flights, "/a", work, landed), asio::detached);
  }
  loop.run();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(failures, 50);
}

TEST(Flights, ExceptionsBecomeInternal) {
  TextFlights flights;
  asio::io_context loop;
  std::vector<Error> errors;
  auto note = [&](Landing landing) {
    if (!landing.result) errors.push_back(landing.result.error());
  };
  auto late = []() -> Task<Result<SharedText>> {
    co_await sleep_for(Milliseconds(1));
    throw std::runtime_error("late");
  };
  auto early = []() -> Task<Result<SharedText>> { throw std::runtime_error("early"); };
  auto odd = []() -> Task<Result<SharedText>> {
    throw 42;
    co_return a_text("/never");
  };
  asio::co_spawn(loop, join_once(flights, "/a", late, note), asio::detached);
  asio::co_spawn(loop, join_once(flights, "/b", early, note), asio::detached);
  asio::co_spawn(loop, join_once(flights, "/c", odd, note), asio::detached);
  loop.run();
  ASSERT_EQ(errors.size(), 3u);
  for (const Error& error : errors) EXPECT_EQ(error.code, ErrorCode::Internal);
  EXPECT_EQ(flights.aloft(), 0u);
}

TEST(Flights, ANewRequestAfterLandingStartsAnew) {
  TextFlights flights;
  asio::io_context loop;
  std::atomic<int> runs{0};
  asio::co_spawn(
      loop,
      [&]() -> Task<> {
        Landing first = co_await flights.join("/a", slow_work(runs, Milliseconds(1)));
        EXPECT_EQ(flights.aloft(), 0u);
        Landing second = co_await flights.join("/a", slow_work(runs, Milliseconds(1)));
        EXPECT_FALSE(first.collapsed || second.collapsed);
      },
      asio::detached);
  loop.run();
  EXPECT_EQ(runs, 2);
}

TEST(Flights, ACancelledLeaderLeavesAndTheWorkGoesOn) {
  TextFlights flights;
  asio::io_context loop;
  std::atomic<int> runs{0};
  asio::cancellation_signal client_gone;
  std::vector<std::string> order;
  auto leader = [&](Landing landing) {
    EXPECT_FALSE(landing.result);
    order.push_back("leader left");
  };
  auto follower = [&](Landing landing) {
    EXPECT_TRUE(landing.result);
    EXPECT_TRUE(landing.collapsed);
    order.push_back("follower landed");
  };
  asio::co_spawn(loop, join_once(flights, "/a", slow_work(runs, Milliseconds(100)), leader),
                 asio::bind_cancellation_slot(client_gone.slot(), asio::detached));
  asio::co_spawn(loop, join_once(flights, "/a", slow_work(runs, Milliseconds(100)), follower),
                 asio::detached);
  asio::co_spawn(
      loop,
      [&]() -> Task<> {
        co_await sleep_for(Milliseconds(20));
        EXPECT_EQ(flights.aloft(), 1u);
        client_gone.emit(asio::cancellation_type::terminal);
      },
      asio::detached);
  loop.run();
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(order, (std::vector<std::string>{"leader left", "follower landed"}));
}

TEST(Flights, ATornDownLoopLandsItsFollowersElsewhere) {
  TextFlights flights;
  asio::io_context following;
  std::optional<Result<SharedText>> got;
  {
    asio::io_context leading;
    std::atomic<int> runs{0};
    auto nothing = [](Landing) {};
    asio::co_spawn(leading,
                   join_once(flights, "/a", slow_work(runs, std::chrono::hours(1)), nothing),
                   asio::detached);
    leading.poll();
    EXPECT_EQ(runs, 1);
    asio::co_spawn(following,
                   join_once(flights, "/a", slow_work(runs, Milliseconds(1)),
                             [&](Landing landing) { got = landing.result; }),
                   asio::detached);
    following.poll();
    EXPECT_EQ(flights.aloft(), 1u);
  }
  following.restart();
  following.run();
  ASSERT_TRUE(got.has_value());
  ASSERT_FALSE(got->has_value());
  EXPECT_EQ(got->error().code, ErrorCode::Busy);
  EXPECT_EQ(flights.aloft(), 0u);
}

TEST(Flights, FlightsMayBeDestroyedBeforeTheirWorkLands) {
  asio::io_context loop;
  std::atomic<int> runs{0};
  bool landed = false;
  auto flights = std::make_unique<TextFlights>();
  asio::co_spawn(loop,
                 join_once(*flights, "/a", slow_work(runs, Milliseconds(20)),
                           [&](Landing landing) { landed = landing.result.has_value(); }),
                 asio::detached);
  loop.poll();
  flights.reset();
  loop.restart();
  loop.run();
  EXPECT_TRUE(landed);
}

}  // namespace
}  // namespace tintype
