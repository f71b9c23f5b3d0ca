// SPDX-License-Identifier: Apache-2.0
#include "store/dynamodb_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/dynamodb_testing.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::Not;

class DynamoClientTest : public testing::Test {
 protected:
  void answer_with(std::string answer) {
    bench_.fake.set_fault([answer](FakeDynamo::Connection& connection, const std::string&) {
      connection.send(answer);
      return true;
    });
  }
  Result<std::vector<DynamoItem>> query(std::string pk) {
    return run(bench_.client.query({.pk = std::move(pk)}, bench_.soon()));
  }

  DynamoBench bench_;
};

TEST_F(DynamoClientTest, ItemsComeBackAsTheyWerePut) {
  DynamoItem item{{"pk", "a"}, {"sk", "1"}, {"text", "ä\n"}, {"number", -12}, {"flag", true}};
  ASSERT_TRUE(*run(bench_.client.put(item, {}, bench_.soon())));
  auto found = run(bench_.client.get({"a", "1"}, bench_.soon()));
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(*found, item);
  auto absent = run(bench_.client.get({"a", "2"}, bench_.soon()));
  ASSERT_TRUE(absent);
  EXPECT_EQ(*absent, std::nullopt);
}

TEST_F(DynamoClientTest, TypesThatWeDoNotKnowAreNothing) {
  bench_.fake.put("a", "1", {{"list", {{"L", nlohmann::json::array()}}}, {"half", {{"N", "0.5"}}}});
  auto found = query("a");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->at(0)["list"], DynamoValue());
  EXPECT_EQ(found->at(0)["half"], DynamoValue());
  EXPECT_EQ(text_at(found->at(0), "list"), "");
  EXPECT_EQ(number_at(found->at(0), "half"), 0);
}

TEST_F(DynamoClientTest, AConditionThatDoesNotHoldIsAValue) {
  DynamoItem item{{"pk", "a"}, {"sk", "1"}};
  DynamoExpression is_new{.text = "attribute_not_exists(pk)"};
  EXPECT_TRUE(*run(bench_.client.put(item, is_new, bench_.soon())));
  EXPECT_FALSE(*run(bench_.client.put(item, is_new, bench_.soon())));
  DynamoUpdate update{
      .key = {"a", "1"},
      .change = "SET #v = :v",
      .condition = {
          .text = "#v = :old", .names = {{"#v", "v"}}, .values = {{":v", 2}, {":old", 1}}}};
  EXPECT_EQ(*run(bench_.client.update(update, bench_.soon())), std::nullopt);
  EXPECT_FALSE(*run(bench_.client.remove({"a", "1"}, update.condition, bench_.soon())));
}

TEST_F(DynamoClientTest, AllPagesAreRead) {
  std::vector<DynamoItem> items;
  for (int i = 10; i < 70; ++i) items.push_back({{"pk", "a"}, {"sk", std::to_string(i)}});
  ASSERT_TRUE(run(bench_.client.put_all(items, bench_.soon())));
  EXPECT_EQ(bench_.fake.calls("BatchWriteItem"), 3) << "25 at a time";
  bench_.fake.set_page_size(7);
  auto found = query("a");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->size(), 60u);
  EXPECT_EQ(bench_.fake.calls("Query"), 9);
  auto some = run(bench_.client.query({.pk = "a", .sk_prefix = "2"}, bench_.soon()));
  EXPECT_EQ(some->size(), 10u);
  auto late = run(bench_.client.query({.pk = "a", .sk_after = "67"}, bench_.soon()));
  EXPECT_EQ(late->size(), 2u);
}

TEST_F(DynamoClientTest, WhatABatchLeavesUndoneIsSentAgain) {
  std::vector<DynamoItem> items;
  for (int i = 10; i < 40; ++i) items.push_back({{"pk", "a"}, {"sk", std::to_string(i)}});
  bench_.fake.leave_undone(11);
  ASSERT_TRUE(run(bench_.client.put_all(items, bench_.soon())));
  EXPECT_EQ(bench_.fake.keys("a").size(), 30u);
  std::vector<DynamoKey> keys;
  for (int i = 10; i < 40; ++i) keys.push_back({"a", std::to_string(i)});
  bench_.fake.leave_undone(3);
  ASSERT_TRUE(run(bench_.client.remove_all(keys, bench_.soon())));
  EXPECT_TRUE(bench_.fake.keys("a").empty());
}

TEST_F(DynamoClientTest, AMissingTableIsNamedWithItsRegion) {
  answer_with(FakeDynamo::refusal("ResourceNotFoundException"));
  auto found = query("a");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::NotFound);
  EXPECT_THAT(found.error().message, HasSubstr("no table tintype in region eu-central-1"));
  EXPECT_THAT(found.error().message, HasSubstr("create-table"));
}

TEST_F(DynamoClientTest, RefusalsHaveTheirCodes) {
  struct Case {
    const char* type;
    int status;
    ErrorCode code;
  };
  for (const Case& c : {Case{"AccessDeniedException", 400, ErrorCode::Forbidden},
                        Case{"ThrottlingException", 400, ErrorCode::Busy},
                        Case{"ValidationException", 400, ErrorCode::BadRequest},
                        Case{"InternalServerError", 500, ErrorCode::OriginFailed}}) {
    answer_with(FakeDynamo::refusal(c.type, c.status));
    auto found = query("a");
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code, c.code) << c.type;
    EXPECT_THAT(found.error().message, HasSubstr(c.type));
    EXPECT_THAT(found.error().message, Not(HasSubstr("secret")));
  }
}

TEST_F(DynamoClientTest, ADamagedAnswerIsRefused) {
  // The checksum of {"Items":[]} is 2770214093.
  answer_with(ScriptedOrigin::answer(200, R"({"Items":[]})", "x-amz-crc32: 2770214093\r\n"));
  auto whole = query("a");
  EXPECT_TRUE(whole) << whole.error().message;
  answer_with(ScriptedOrigin::answer(200, R"({"Items":[]})", "x-amz-crc32: 1\r\n"));
  auto damaged = query("a");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::OriginFailed);
  EXPECT_THAT(damaged.error().message, HasSubstr("damaged"));
  answer_with(ScriptedOrigin::answer(200, "<html>"));
  EXPECT_FALSE(query("a"));
}

TEST_F(DynamoClientTest, AHungTableIsATimeout) {
  bench_.fake.set_fault([](FakeDynamo::Connection& connection, const std::string&) {
    connection.wait(Milliseconds(20'000));
    return true;
  });
  auto found =
      run(bench_.client.query({.pk = "a"}, Deadline::after(bench_.clock, Milliseconds(200))));
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::Timeout);
}

}  // namespace
}  // namespace tintype
