// SPDX-License-Identifier: Apache-2.0
#include "delivery/warm_queue.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

Policy shop() {
  auto policy = parse_policy(
      "sites: { shop: { origin: { folder: x }, formats: [webp], "
      "presets: { card: 'w=400', hero: 'w=1600' } } }",
      "/etc");
  EXPECT_TRUE(policy) << policy.error().detail;
  return std::move(*policy);
}

class WarmQueueTest : public testing::Test {
 protected:
  std::unique_ptr<WarmQueue> queue_of(const WarmQueueSettings& settings) {
    WarmQueue::Parts parts{.policies = policies_,
                           .clock = clock_,
                           .ask = [this](std::string path) { return ask(std::move(path)); },
                           .is_busy = [this] { return is_busy(); }};
    return std::make_unique<WarmQueue>(std::move(parts), settings);
  }

  Task<Answer> ask(std::string path) {
    under_way_ += 1;
    most_under_way_ = std::max(most_under_way_, under_way_);
    asked_.push_back(path);
    co_await sleep_for(Milliseconds(1));
    under_way_ -= 1;
    auto entry = std::make_shared<Entry>();
    entry->meta.status = status_;
    entry->meta.key = std::move(path);
    Answer answer;
    answer.entry = std::move(entry);
    co_return answer;
  }

  bool is_busy() {
    if (busy_looks_ == 0) return false;
    busy_looks_ -= 1;
    EXPECT_THAT(asked_, IsEmpty());
    return true;
  }

  // Runs until so many variants are made or failed.
  void run(WarmQueue& queue, std::uint64_t variants) {
    queue.start(loop_.get_executor());
    auto end = [variants](WarmQueue& q) -> Task<> {
      while (q.state().made + q.state().failed < variants) co_await sleep_for(Milliseconds(1));
      q.stop();
    };
    asio::co_spawn(loop_, end(queue), asio::detached);
    loop_.run();
    loop_.restart();
  }

  WarmQueueSettings quick_{.max_waiting = 2, .at_once = 2, .pause_ms = Milliseconds(1)};
  FixedPolicy policies_{shop()};
  ManualClock clock_;
  asio::io_context loop_;
  std::vector<std::string> asked_;
  int under_way_ = 0, most_under_way_ = 0, busy_looks_ = 0, status_ = 200;
};

TEST_F(WarmQueueTest, AsksForEachVariantOnce) {
  quick_.at_once = 1;
  auto queue = queue_of(quick_);
  EXPECT_TRUE(queue->offer({"shop", "a.jpg", {"card"}, {}}));
  EXPECT_TRUE(queue->offer({"shop", "a.jpg", {"card", "hero"}, {}}));
  EXPECT_EQ(queue->state().waiting, 1u);
  run(*queue, 4);
  EXPECT_THAT(asked_, ElementsAre("/shop/a.jpg/_/w-400.webp", "/shop/a.jpg/_/w-400.jpeg",
                                  "/shop/a.jpg/_/w-1600.webp", "/shop/a.jpg/_/w-1600.jpeg"));
  EXPECT_EQ(queue->state().made, 4u);
  EXPECT_EQ(queue->state().failed, 0u);
}

TEST_F(WarmQueueTest, IsBounded) {
  auto queue = queue_of(quick_);
  EXPECT_TRUE(queue->offer({"shop", "a.jpg", {"card"}, {}}));
  EXPECT_TRUE(queue->offer({"shop", "b.jpg", {"card"}, {}}));
  EXPECT_FALSE(queue->offer({"shop", "c.jpg", {"card"}, {}}));
  EXPECT_EQ(queue->state().dropped, 1u);
  run(*queue, 4);
  EXPECT_THAT(asked_, SizeIs(4));
  EXPECT_LE(most_under_way_, 2);
}

TEST_F(WarmQueueTest, WaitsWhileRendersWait) {
  busy_looks_ = 5;
  auto queue = queue_of(quick_);
  queue->offer({"shop", "a.jpg", {"card"}, {}});
  run(*queue, 2);
  EXPECT_THAT(asked_, SizeIs(2));
  EXPECT_EQ(busy_looks_, 0);
}

TEST_F(WarmQueueTest, CountsWhatCannotBeMade) {
  status_ = 404;
  auto queue = queue_of(quick_);
  queue->offer({"shop", "a.jpg", {"card"}, {}});
  run(*queue, 2);
  EXPECT_EQ(queue->state().failed, 2u);
  EXPECT_EQ(queue->state().made, 0u);
}

TEST_F(WarmQueueTest, SitesAndPresetsThatAreGoneAreNoHarm) {
  auto queue = queue_of(quick_);
  queue->offer({"other", "a.jpg", {"card"}, {}});
  queue->offer({"shop", "a.jpg", {"zoom"}, {}});
  run(*queue, 1);
  EXPECT_THAT(asked_, IsEmpty());
  EXPECT_EQ(queue->state().failed, 1u);
}

TEST_F(WarmQueueTest, WhatIsNotDueWaits) {
  auto queue = queue_of(quick_);
  queue->offer({"shop", "late.jpg", {"card"}, Milliseconds(5'000)});
  queue->offer({"shop", "a.jpg", {"card"}, {}});
  queue->start(loop_.get_executor());
  auto steps = [&]() -> Task<> {
    while (queue->state().made < 2) co_await sleep_for(Milliseconds(1));
    EXPECT_THAT(asked_, testing::Each(testing::HasSubstr("/a.jpg/")));
    clock_.advance(Milliseconds(5'000));
    while (queue->state().made < 4) co_await sleep_for(Milliseconds(1));
    queue->stop();
  };
  asio::co_spawn(loop_, steps(), asio::detached);
  loop_.run();
  EXPECT_THAT(asked_, SizeIs(4));
}

}  // namespace
}  // namespace tintype
