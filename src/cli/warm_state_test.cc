// SPDX-License-Identifier: Apache-2.0
#include "cli/warm_state.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tintype {
namespace {

using testing::HasSubstr;

class WarmStateTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "warm_state_" +
              testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = folder_ + "/state";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  WarmState open() {
    auto state = WarmState::open(path_, "shop");
    EXPECT_TRUE(state) << state.error().detail;
    return std::move(*state);
  }
  std::string text() {
    std::ifstream in(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  std::string folder_, path_;
};

TEST_F(WarmStateTest, GoesOnWhereItStopped) {
  {
    WarmState state = open();
    EXPECT_FALSE(state.is_done("/shop/a"));
    ASSERT_TRUE(state.add("/shop/a"));
    EXPECT_TRUE(state.is_done("/shop/a"));
    ASSERT_TRUE(state.add("/shop/a"));
    ASSERT_TRUE(state.sync());
  }
  EXPECT_EQ(text(), "tintype-warm 1 shop\n/shop/a\n");
  WarmState state = open();
  EXPECT_TRUE(state.is_done("/shop/a"));
  EXPECT_FALSE(state.is_done("/shop/b"));
  EXPECT_EQ(state.done_count(), 1u);
}

TEST_F(WarmStateTest, WritesInBatches) {
  WarmState state = open();
  for (int i = 0; i < 63; ++i) ASSERT_TRUE(state.add(std::to_string(i)));
  EXPECT_EQ(text(), "tintype-warm 1 shop\n");
  ASSERT_TRUE(state.add("63"));
  EXPECT_THAT(text(), HasSubstr("\n63\n"));
}

TEST_F(WarmStateTest, ALineThatWasCutOffIsDropped) {
  std::ofstream(path_) << "tintype-warm 1 shop\n/shop/a\n/shop/b-cut";
  WarmState state = open();
  EXPECT_TRUE(state.is_done("/shop/a"));
  EXPECT_FALSE(state.is_done("/shop/b-cut"));
  ASSERT_TRUE(state.add("/shop/c"));
  ASSERT_TRUE(state.sync());
  EXPECT_EQ(text(), "tintype-warm 1 shop\n/shop/a\n/shop/c\n");
}

TEST_F(WarmStateTest, RefusesWhatIsNotItsOwn) {
  std::ofstream(path_) << "tintype-warm 1 press\n";
  EXPECT_THAT(WarmState::open(path_, "shop").error().detail, HasSubstr("site 'shop'"));
  std::ofstream(path_) << "dear diary\n";
  EXPECT_THAT(WarmState::open(path_, "shop").error().detail, HasSubstr("is not the state"));
  EXPECT_EQ(text(), "dear diary\n");
  EXPECT_FALSE(WarmState::open(folder_, "shop"));
}

TEST_F(WarmStateTest, OneRunAtATime) {
  WarmState state = open();
  EXPECT_THAT(WarmState::open(path_, "shop").error().detail, HasSubstr("in use"));
}

TEST_F(WarmStateTest, GoesWhenAllIsDone) {
  WarmState state = open();
  ASSERT_TRUE(state.add("/shop/a"));
  state.remove();
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(WarmStateTest, MayBeKeptNowhere) {
  auto state = WarmState::open("", "shop");
  ASSERT_TRUE(state);
  ASSERT_TRUE(state->add("/shop/a"));
  EXPECT_TRUE(state->is_done("/shop/a"));
  state->remove();
}

}  // namespace
}  // namespace tintype
