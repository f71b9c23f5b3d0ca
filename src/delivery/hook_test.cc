// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "delivery/hook_body.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Recipe = HookRule::Recipe;

constexpr std::int64_t kNow = 1'795'521'600;

HookRule rule_of(Recipe recipe, std::string source = {}, std::string event = {}) {
  HookRule rule;
  rule.recipe = recipe;
  rule.secrets = {"0123456789abcdef"};
  rule.source_pointer = std::move(source);
  rule.event_pointer = std::move(event);
  return rule;
}

HookResult<HookOrder> read(const HookRule& rule, std::string_view body) {
  HookHeaders headers;
  headers.take("x-tintype-secret", "0123456789abcdef");
  return read_hook(rule, headers, body, kNow);
}

HookOrder order_of(const HookRule& rule, std::string_view body) {
  auto order = read(rule, body);
  if (!order) ADD_FAILURE() << order.error().detail;
  return order ? *order : HookOrder{};
}

std::string fault_of(const HookRule& rule, std::string_view body) {
  auto order = read(rule, body);
  EXPECT_FALSE(order) << body;
  if (order) return {};
  return std::to_string(order.error().status) + " " + order.error().detail;
}

TEST(Hook, TheProofComesFirst) {
  auto order = read_hook(rule_of(Recipe::Generic, "/p"), {}, "no JSON at all", kNow);
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().status, 401);
}

TEST(Hook, GenericPathsAndLists) {
  HookRule rule = rule_of(Recipe::Generic, "/asset/path");
  EXPECT_THAT(order_of(rule, R"({"asset":{"path":"/p/a b.jpg"}})").changed,
              ElementsAre("p/a b.jpg"));
  EXPECT_THAT(order_of(rule, R"({"asset":{"path":["a.jpg","b.jpg","a.jpg"]}})").changed,
              ElementsAre("a.jpg", "b.jpg"));
  EXPECT_THAT(order_of(rule, R"({"asset":{"path":4711}})").changed, ElementsAre("4711"));
  HookRule inside = rule_of(Recipe::Generic, "/x~1y/1/~0z");
  EXPECT_THAT(order_of(inside, R"({"x/y":[0,{"~z":"a.jpg"}]})").changed, ElementsAre("a.jpg"));
}

TEST(Hook, GenericEvents) {
  HookRule rule = rule_of(Recipe::Generic, "/p", "/e");
  EXPECT_THAT(order_of(rule, R"({"p":"a.jpg","e":"asset.updated"})").changed, ElementsAre("a.jpg"));
  HookOrder gone = order_of(rule, R"({"p":"a.jpg","e":"asset.deleted"})");
  EXPECT_THAT(gone.deleted, ElementsAre("a.jpg"));
  EXPECT_THAT(gone.changed, IsEmpty());
  HookOrder other = order_of(rule, R"({"e":"user.login"})");
  EXPECT_TRUE(other.is_empty());
  EXPECT_THAT(other.ignored, HasSubstr("no picture"));
}

TEST(Hook, GenericSaysWhatIsMissing) {
  HookRule rule = rule_of(Recipe::Generic, "/asset/path", "/e");
  EXPECT_EQ(fault_of(rule, "[]"), "400 the body is not a JSON object");
  EXPECT_EQ(fault_of(rule, "{"), "400 the body is not a JSON object");
  EXPECT_EQ(fault_of(rule, R"({"e":"new"})"), "400 there is no path at /asset/path");
  EXPECT_EQ(fault_of(rule, R"({"e":"new","asset":{"path":{}}})"),
            "400 there is no path at /asset/path");
  EXPECT_EQ(fault_of(rule, R"({"e":"new","asset":{"path":["a",{}]}})"),
            "400 the list at /asset/path holds more than paths");
  EXPECT_EQ(fault_of(rule, R"({"asset":{"path":"a.jpg"}})"), "400 there is no event at /e");
}

TEST(Hook, PrefixesAndUrls) {
  HookRule rule = rule_of(Recipe::Generic, "/p");
  rule.strip_prefix = "https://dam.example/assets";
  EXPECT_THAT(order_of(rule, R"({"p":"https://dam.example/assets/a%20b.jpg?v=2"})").changed,
              ElementsAre("a b.jpg"));
  HookOrder other = order_of(rule, R"({"p":"https://elsewhere.example/a.jpg"})");
  EXPECT_TRUE(other.is_empty());
  EXPECT_THAT(other.ignored, HasSubstr("strip_prefix"));
  rule.strip_prefix.clear();
  EXPECT_THAT(order_of(rule, R"({"p":"https://dam.example/a.jpg"})").ignored,
              HasSubstr("strip_prefix"));
}

TEST(Hook, PathsThatAreNoSourcesAreIgnored) {
  HookRule rule = rule_of(Recipe::Generic, "/p");
  for (const char* path : {"../etc/passwd", "a/../b.jpg", "a//b.jpg", "", "/", "a\\u0000.jpg"}) {
    HookOrder order = order_of(rule, R"({"p":")" + std::string(path) + R"("})");
    EXPECT_TRUE(order.is_empty()) << path;
    EXPECT_FALSE(order.ignored.empty()) << path;
  }
  HookOrder some = order_of(rule, R"({"p":["a.jpg","../b.jpg"]})");
  EXPECT_THAT(some.changed, ElementsAre("a.jpg"));
  EXPECT_THAT(some.ignored, HasSubstr("../b.jpg"));
}

TEST(Hook, TooManyPicturesAreRefused) {
  JsonArray paths;
  for (std::size_t i = 0; i <= kMaxHookSources; ++i) paths.add(std::to_string(i) + ".jpg");
  std::string body = JsonObject().raw("p", paths.str()).str();
  EXPECT_THAT(fault_of(rule_of(Recipe::Generic, "/p"), body), HasSubstr("413 at most 1000"));
}

TEST(Hook, Words) {
  for (const char* word : {"asset.updated", "AssetCreated", "RECORD_CHANGED", "upload", "published",
                           "newVersion", "ObjectCreated:Put", "media.approved"}) {
    EXPECT_EQ(kind_of_event(word), HookEvent::Changed) << word;
  }
  for (const char* word : {"asset.deleted", "unpublished", "ObjectRemoved:DeleteMarkerCreated",
                           "record.archived", "AssetExpired"}) {
    EXPECT_EQ(kind_of_event(word), HookEvent::Deleted) << word;
  }
  for (const char* word : {"user.login", "", "renewed", "1234", "viewed", "download"}) {
    EXPECT_EQ(kind_of_event(word), HookEvent::Other) << word;
  }
}

TEST(Hook, S3Events) {
  HookRule rule = rule_of(Recipe::S3);
  rule.strip_prefix = "shop/";
  HookOrder order = order_of(rule, R"({"Records":[
    {"eventName":"ObjectCreated:Put",
     "s3":{"bucket":{"name":"b"},"object":{"key":"shop/a+b%2Bc.jpg"}}},
    {"eventName":"s3:ObjectRemoved:DeleteMarkerCreated","s3":{"object":{"key":"shop/old.jpg"}}},
    {"eventName":"LifecycleExpiration:Delete","s3":{"object":{"key":"shop/older.jpg"}}},
    {"eventName":"ObjectTagging:Put","s3":{"object":{"key":"shop/c.jpg"}}},
    {"eventName":"ObjectCreated:Put","s3":{"object":{"key":"shop/folder/"}}},
    {"eventName":"ObjectCreated:Put","s3":{"object":{"key":"logs/1.gz"}}}]})");
  EXPECT_THAT(order.changed, ElementsAre("a b+c.jpg"));
  EXPECT_THAT(order.deleted, ElementsAre("old.jpg", "older.jpg"));
  EXPECT_EQ(order.event, "ObjectCreated:Put");
  EXPECT_THAT(fault_of(rule, R"({"Records":[{"eventName":"ObjectCreated:Put"}]})"),
              HasSubstr("400"));
  EXPECT_THAT(fault_of(rule, R"({"hello":1})"), HasSubstr("400 expected an S3 event"));
}

TEST(Hook, S3TestEvent) {
  HookOrder order =
      order_of(rule_of(Recipe::S3), R"({"Service":"Amazon S3","Event":"s3:TestEvent"})");
  EXPECT_TRUE(order.is_empty());
  EXPECT_EQ(order.event, "s3:TestEvent");
}

TEST(Hook, EventBridge) {
  HookRule rule = rule_of(Recipe::S3);
  HookOrder made = order_of(rule, R"({"source":"aws.s3","detail-type":"Object Created",
    "detail":{"bucket":{"name":"b"},"object":{"key":"a+b%20.jpg"}}})");
  EXPECT_THAT(made.changed, ElementsAre("a+b%20.jpg"));
  HookOrder gone =
      order_of(rule, R"({"detail-type":"Object Deleted","detail":{"object":{"key":"a.jpg"}}})");
  EXPECT_THAT(gone.deleted, ElementsAre("a.jpg"));
  EXPECT_TRUE(order_of(rule, R"({"detail-type":"Object Tags Added","detail":{}})").is_empty());
  EXPECT_THAT(fault_of(rule, R"({"detail-type":"Object Created","detail":{}})"),
              HasSubstr("detail.object.key"));
}

std::string in_sns(std::string_view message, std::string_view subject = "Amazon S3 Notification") {
  return JsonObject()
      .field("Type", "Notification")
      .field("MessageId", "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324")
      .field("TopicArn", "arn:aws:sns:us-east-1:123456789012:pictures")
      .field("Subject", subject)
      .field("Message", message)
      .str();
}

TEST(Hook, InsideOfSns) {
  HookOrder order = order_of(
      rule_of(Recipe::S3),
      in_sns(R"({"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"a.jpg"}}}]})"));
  EXPECT_THAT(order.changed, ElementsAre("a.jpg"));
  EXPECT_THAT(order_of(rule_of(Recipe::Generic, "/p"), in_sns(R"({"p":"a.jpg"})")).changed,
              ElementsAre("a.jpg"));
  EXPECT_THAT(fault_of(rule_of(Recipe::S3), in_sns("hello")), HasSubstr("Message"));
}

TEST(Hook, SnsSubscriptionsWaitForAnOperator) {
  auto body = [](std::string_view url) {
    return JsonObject()
        .field("Type", "SubscriptionConfirmation")
        .field("MessageId", "1")
        .field("TopicArn", "arn:aws:sns:eu-central-1:123456789012:pictures")
        .field("SubscribeURL", url)
        .str();
  };
  const std::string url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription";
  HookOrder order = order_of(rule_of(Recipe::S3), body(url));
  EXPECT_EQ(order.subscribe_url, url);
  EXPECT_TRUE(order.is_empty());
  for (const char* trick :
       {"http://sns.eu-central-1.amazonaws.com/", "https://sns.evil.example/", "",
        "https://sns.x@evil.example/.amazonaws.com", "https://sns.evil.example?.amazonaws.com"}) {
    EXPECT_THAT(fault_of(rule_of(Recipe::S3), body(trick)), HasSubstr("SubscribeURL")) << trick;
  }
}

TEST(Hook, Cloudinary) {
  HookRule rule = rule_of(Recipe::Cloudinary);
  EXPECT_THAT(order_of(rule, R"({"notification_type":"upload","public_id":"shop/front",
    "format":"jpg","resource_type":"image","version":1})")
                  .changed,
              ElementsAre("shop/front.jpg"));
  EXPECT_TRUE(order_of(rule, R"({"notification_type":"upload","public_id":"film",
    "format":"mp4","resource_type":"video"})")
                  .is_empty());
  HookOrder gone = order_of(rule, R"({"notification_type":"delete","resources":[
    {"resource_type":"image","public_id":"shop/front"},{"resource_type":"raw","public_id":"x"}]})");
  EXPECT_THAT(gone.deleted_prefixes, ElementsAre("shop/front."));
  EXPECT_THAT(gone.deleted, IsEmpty());
  HookOrder moved = order_of(rule, R"({"notification_type":"rename","format":"jpg",
    "from_public_id":"a","to_public_id":"b"})");
  EXPECT_THAT(moved.deleted, ElementsAre("a.jpg"));
  EXPECT_THAT(moved.changed, ElementsAre("b.jpg"));
  HookOrder vague =
      order_of(rule, R"({"notification_type":"rename","from_public_id":"a","to_public_id":"b"})");
  EXPECT_THAT(vague.deleted_prefixes, ElementsAre("a.", "b."));
  EXPECT_TRUE(order_of(rule, R"({"notification_type":"eager","public_id":"a"})").is_empty());
  EXPECT_THAT(fault_of(rule, R"({"public_id":"a"})"), HasSubstr("notification_type"));
  EXPECT_THAT(fault_of(rule, R"({"notification_type":"delete"})"), HasSubstr("resources"));
}

TEST(Hook, Bynder) {
  HookRule rule = rule_of(Recipe::Bynder, "/media_id");
  const char* message = R"({"media_id":"9542A933-2DF5-4999-9AB52701F33613C0"})";
  EXPECT_THAT(order_of(rule, in_sns(message, "asset_bank.media.uploaded")).changed,
              ElementsAre("9542A933-2DF5-4999-9AB52701F33613C0"));
  EXPECT_THAT(order_of(rule, in_sns(message, "asset_bank.media.deleted")).deleted,
              ElementsAre("9542A933-2DF5-4999-9AB52701F33613C0"));
  for (const char* quiet :
       {"asset_bank.media.meta_updated", "asset_bank.media.pre_archived", "collections.viewed"}) {
    EXPECT_TRUE(order_of(rule, in_sns(message, quiet)).is_empty()) << quiet;
  }
  EXPECT_THAT(order_of(rule, R"({"event":"asset_bank.media.updated","media_id":"x"})").changed,
              ElementsAre("x"));
  EXPECT_THAT(fault_of(rule, message), HasSubstr("SNS"));
  EXPECT_THAT(fault_of(rule, in_sns("{}", "asset_bank.media.updated")), HasSubstr("/media_id"));
}

TEST(Hook, Aprimo) {
  HookRule rule = rule_of(Recipe::Aprimo, "/source", "/event");
  EXPECT_THAT(order_of(rule, R"({"event":"RecordUpdated","source":"p/4711.jpg"})").changed,
              ElementsAre("p/4711.jpg"));
  EXPECT_THAT(order_of(rule, R"({"event":"record.deleted","source":"p/4711.jpg"})").deleted,
              ElementsAre("p/4711.jpg"));
}

}  // namespace
}  // namespace tintype
