// SPDX-License-Identifier: Apache-2.0
#include "delivery/source_fetches.h"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tintype {
namespace {

// Notes how many fetches are under way; each takes `duration`.
class SlowOrigin final : public Origin {
 public:
  explicit SlowOrigin(Milliseconds duration) : duration_(duration) {}
  Task<Result<Source>> fetch(std::string path, Deadline) override {
    ++fetched;
    most = std::max(most, ++under_way_);
    co_await sleep_for(duration_);
    --under_way_;
    if (path == "gone") co_return fail_private(ErrorCode::NotFound, "gone");
    co_return Source{.bytes = share(Bytes(path.size())), .etag = path};
  }

  int fetched = 0, most = 0;

 private:
  Milliseconds duration_;
  int under_way_ = 0;
};

class SourceFetchesTest : public testing::Test {
 protected:
  using Answers = std::vector<Result<Source>>;

  // Asks for all of them at the same time, on one loop.
  Answers ask(SourceFetches& fetches, const std::vector<std::string>& paths,
              Milliseconds patience = Milliseconds(5'000)) {
    asio::io_context loop;
    Answers answers;
    for (const std::string& path : paths) {
      Deadline deadline = Deadline::after(clock_, patience);
      SourceFetches::Wanted wanted{.path = path, .version = {}};
      auto work = [&, wanted, deadline]() -> Task<> {
        answers.push_back(co_await fetches.fetch(origin_, SourceFetches::Wanted(wanted), deadline));
      };
      asio::co_spawn(loop, work, asio::detached);
    }
    loop.run();
    return answers;
  }
  static std::vector<std::string> distinct(int count) {
    std::vector<std::string> paths;
    for (int i = 0; i < count; ++i) paths.push_back(std::to_string(i));
    return paths;
  }
  static int count(const Answers& answers, ErrorCode code) {
    auto is = [code](const Result<Source>& a) { return !a && a.error().code == code; };
    return static_cast<int>(std::ranges::count_if(answers, is));
  }

  SystemClock clock_;
  std::shared_ptr<SlowOrigin> origin_ = std::make_shared<SlowOrigin>(Milliseconds(10));
};

TEST_F(SourceFetchesTest, OneSourceIsFetchedOnceForAllWhoAsk) {
  SourceFetches fetches({}, clock_);
  const Answers answers = ask(fetches, std::vector<std::string>(50, "a.jpg"));
  EXPECT_EQ(origin_->fetched, 1);
  ASSERT_EQ(answers.size(), 50u);
  for (const auto& answer : answers) EXPECT_EQ(answer.value().bytes, answers[0].value().bytes);
}

TEST_F(SourceFetchesTest, AnotherVersionIsAnotherFetch) {
  SourceFetches fetches({}, clock_);
  asio::io_context loop;
  for (std::string version : {"1", "2", "2"}) {
    SourceFetches::Wanted wanted{.path = "a.jpg", .version = version};
    auto work = [&, wanted]() -> Task<> {
      auto ignored = co_await fetches.fetch(origin_, SourceFetches::Wanted(wanted),
                                            Deadline::after(clock_, Seconds(5)));
    };
    asio::co_spawn(loop, work, asio::detached);
  }
  loop.run();
  EXPECT_EQ(origin_->fetched, 2);
}

TEST_F(SourceFetchesTest, FailuresAreSharedAndNotKept) {
  SourceFetches fetches({}, clock_);
  EXPECT_EQ(count(ask(fetches, {"gone", "gone"}), ErrorCode::NotFound), 2);
  EXPECT_EQ(count(ask(fetches, {"gone"}), ErrorCode::NotFound), 1);
  EXPECT_EQ(origin_->fetched, 2);
}

TEST_F(SourceFetchesTest, OnlySoManyAreUnderWayAndAllGetTheirTurn) {
  SourceFetches fetches({.max_at_once = 3}, clock_);
  const Answers answers = ask(fetches, distinct(20));
  EXPECT_EQ(origin_->most, 3);
  EXPECT_EQ(origin_->fetched, 20);
  for (const auto& answer : answers) EXPECT_TRUE(answer);
  EXPECT_EQ(fetches.load().under_way, 0);
  EXPECT_EQ(fetches.load().waiting, 0);
}

TEST_F(SourceFetchesTest, AboveTheLimitOfWaitingIsBusy) {
  SourceFetches fetches({.max_at_once = 2, .max_waiting = 5}, clock_);
  const Answers answers = ask(fetches, distinct(20));
  EXPECT_EQ(count(answers, ErrorCode::Busy), 13);
  EXPECT_EQ(origin_->fetched, 7);
}

TEST_F(SourceFetchesTest, ATurnThatDoesNotComeBeforeTheDeadlineIsBusy) {
  origin_ = std::make_shared<SlowOrigin>(Milliseconds(300));
  SourceFetches fetches({.max_at_once = 1}, clock_);
  const Answers answers = ask(fetches, distinct(4), Milliseconds(50));
  EXPECT_EQ(count(answers, ErrorCode::Busy), 3);
  EXPECT_EQ(origin_->fetched, 1);
  EXPECT_EQ(fetches.load().under_way, 0);
}

TEST_F(SourceFetchesTest, ALoopThatIsTornDownGivesItsTurnsBack) {
  SourceFetches fetches({.max_at_once = 1}, clock_);
  {
    asio::io_context loop;
    for (const std::string& path : distinct(3)) {
      SourceFetches::Wanted wanted{.path = path, .version = {}};
      auto work = [&, wanted]() -> Task<> {
        auto ignored = co_await fetches.fetch(origin_, SourceFetches::Wanted(wanted),
                                              Deadline::after(clock_, Seconds(60)));
      };
      asio::co_spawn(loop, work, asio::detached);
    }
    loop.poll();
    EXPECT_EQ(fetches.load().under_way, 1);
    EXPECT_EQ(fetches.load().waiting, 2);
  }
  EXPECT_EQ(fetches.load().under_way, 0);
  EXPECT_EQ(count(ask(fetches, {"later"}), ErrorCode::Busy), 0);
}

}  // namespace
}  // namespace tintype
