// SPDX-License-Identifier: Apache-2.0
#include "store/s3_variant_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/scripted_origin.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kept = VariantStore::Kept;

const SystemClock kClock;
constexpr const char* kPath = "/shop/p/%C3%A4%20b%2B.jpg/_/w-400.webp";

StoredVariant variant() {
  return {.key = kPath,
          .bytes = share(Bytes{'w', 'e', 'b', 'p'}),
          .media_type = "image/webp",
          .cache_control = "public, max-age=2592000",
          .etag = "\"e1\"",
          .tags = "p campaign:spring",
          .stored_unix_seconds = 1'700'000'000,
          .fresh_until_unix_seconds = 1'702'592'000,
          .max_age_seconds = 2'592'000};
}

class S3VariantStore : public testing::Test {
 protected:
  void serve(std::vector<std::string> answers, const std::string& prefix = "") {
    server_ = std::make_unique<ScriptedOrigin>(
        [this, answers = std::move(answers)](ScriptedOrigin::Connection& connection,
                                             const ScriptedOrigin::Request&) {
          return connection.send(answers[std::min(served_++, answers.size() - 1)]);
        });
    auto store = open_s3_variant_store({.bucket = "variants",
                                        .prefix = prefix,
                                        .region = "eu-central-1",
                                        .endpoint = server_->url("")},
                                       aws_);
    ASSERT_TRUE(store) << store.error().message;
    store_ = std::move(*store);
  }
  Result<Kept> keep(StoredVariant made, bool replace = false) {
    return run(store_->keep(std::move(made), replace, soon()));
  }
  ScriptedOrigin::Request last() const { return server_->requests().back(); }
  static Deadline soon() { return Deadline::after(kClock, Milliseconds(20'000)); }

  HttpClient http_{HttpClientSettings{}, kClock};
  FixedAwsCredentials credentials_{{.access_key_id = "KEY", .secret_access_key = "hush"}};
  AwsClient aws_{http_, credentials_, kClock, {.max_attempts = 1}};
  std::atomic<std::size_t> served_{0};
  std::unique_ptr<ScriptedOrigin> server_;
  std::unique_ptr<VariantStore> store_;
};

TEST_F(S3VariantStore, OnTheWireThePathIsTheCanonicalPath) {
  serve({ScriptedOrigin::answer(200, "")});
  EXPECT_EQ(keep(variant()), Kept::New);
  auto request = last();
  EXPECT_EQ(request.target, "/variants" + std::string(kPath));
  EXPECT_EQ(request.body, "webp");
  EXPECT_EQ(request.header("content-type"), "image/webp");
  EXPECT_EQ(request.header("cache-control"), "public, max-age=2592000");
  EXPECT_EQ(request.header("x-amz-meta-etag"), "\"e1\"");
  EXPECT_EQ(request.header("x-amz-meta-stored"), "1700000000");
  EXPECT_EQ(request.header("x-amz-meta-fresh-until"), "1702592000");
  EXPECT_EQ(request.header("x-amz-meta-tags"), "p campaign:spring");
  EXPECT_EQ(request.header("if-none-match"), "*");
  EXPECT_EQ(keep(variant(), true), Kept::New);
  EXPECT_EQ(last().header("if-none-match"), "");
}

TEST_F(S3VariantStore, ThePrefixStandsBeforeEachKey) {
  serve({ScriptedOrigin::answer(200, "")}, "live/");
  keep(variant()).value();
  EXPECT_EQ(last().target, "/variants/live" + std::string(kPath));
}

TEST_F(S3VariantStore, WhatStandsThereIsADuplicate) {
  serve({ScriptedOrigin::answer(412, "")});
  EXPECT_EQ(keep(variant()), Kept::AlreadyThere);
}

TEST_F(S3VariantStore, AServiceWithoutConditionsGetsPlainPuts) {
  serve({ScriptedOrigin::answer(501, "<Error><Code>NotImplemented</Code></Error>"),
         ScriptedOrigin::answer(200, "")});
  EXPECT_EQ(keep(variant()), Kept::New);
  EXPECT_EQ(keep(variant()), Kept::New);
  auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 3u) << "it is asked only once";
  EXPECT_EQ(requests[0].header("if-none-match"), "*");
  EXPECT_EQ(requests[1].header("if-none-match"), "");
  EXPECT_EQ(requests[2].header("if-none-match"), "");
}

TEST_F(S3VariantStore, GivesBackWhatWasKept) {
  serve({ScriptedOrigin::answer(200, "webp",
                                "Content-Type: image/webp\r\n"
                                "Cache-Control: public, max-age=2592000\r\n"
                                "x-amz-meta-etag: \"e1\"\r\nx-amz-meta-stored: 1700000000\r\n"
                                "x-amz-meta-fresh-until: 1702592000\r\n"
                                "x-amz-meta-tags: p campaign:spring\r\n"),
         ScriptedOrigin::answer(404, "<Error><Code>NoSuchKey</Code></Error>"),
         ScriptedOrigin::answer(403, "<Error><Code>AccessDenied</Code></Error>"),
         ScriptedOrigin::answer(500, "")});
  auto got = run(store_->get(kPath, soon()));
  ASSERT_TRUE(got && *got) << got.error().message;
  StoredVariant expected = variant();
  EXPECT_EQ((*got)->key, expected.key);
  EXPECT_EQ(*(*got)->bytes, *expected.bytes);
  EXPECT_EQ((*got)->media_type, expected.media_type);
  EXPECT_EQ((*got)->cache_control, expected.cache_control);
  EXPECT_EQ((*got)->etag, expected.etag);
  EXPECT_EQ((*got)->tags, expected.tags);
  EXPECT_EQ((*got)->stored_unix_seconds, expected.stored_unix_seconds);
  EXPECT_EQ((*got)->fresh_until_unix_seconds, expected.fresh_until_unix_seconds);
  EXPECT_EQ((*got)->max_age_seconds, expected.max_age_seconds);
  EXPECT_EQ(run(store_->get(kPath, soon())).value(), nullptr);
  EXPECT_EQ(run(store_->get(kPath, soon())).value(), nullptr) << "absent without s3:ListBucket";
  EXPECT_EQ(run(store_->get(kPath, soon())).error().code, ErrorCode::OriginFailed);
}

TEST_F(S3VariantStore, ListsAndRemovesByPath) {
  serve({ScriptedOrigin::answer(
             200,
             "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>false</IsTruncated>"
             "<Contents><Key>live/shop/p/%C3%A4+b%2B.jpg/_/w-400.webp</Key></Contents>"
             "</ListBucketResult>"),
         ScriptedOrigin::answer(200, "<DeleteResult/>")},
        "live/");
  auto keys = run(store_->list("/shop/p/%C3%A4", "/shop/p/%C3%A4%20a", soon()));
  ASSERT_TRUE(keys) << keys.error().message;
  EXPECT_THAT(*keys, ElementsAre(kPath));
  EXPECT_THAT(last().target, HasSubstr("prefix=live%2Fshop%2Fp%2F%C3%A4&"));
  EXPECT_THAT(last().target, HasSubstr("start-after=live%2Fshop%2Fp%2F%C3%A4%20a"));
  EXPECT_TRUE(run(store_->remove({kPath}, soon())));
  EXPECT_THAT(last().body, HasSubstr("<Key>live/shop/p/ä b+.jpg/_/w-400.webp</Key>"));
}

TEST_F(S3VariantStore, RefusesWhatIsNoPath) {
  serve({ScriptedOrigin::answer(200, "")});
  StoredVariant bad = variant();
  for (const std::string& key : {std::string("shop/a"), std::string("/a%zz"), std::string("")}) {
    bad.key = key;
    EXPECT_EQ(keep(bad).error().code, ErrorCode::BadRequest) << key;
  }
  bad.key = "/" + std::string(1'025, 'a');
  EXPECT_EQ(keep(bad).error().code, ErrorCode::TooLarge);
  bad.key = "/" + std::string(1'024, 'a');
  EXPECT_EQ(keep(bad), Kept::New);
  EXPECT_EQ(server_->requests().size(), 1u);
}

TEST_F(S3VariantStore, NeedsABucketAndARegion) {
  EXPECT_EQ(open_s3_variant_store({.bucket = "A", .region = "x"}, aws_).error().code,
            ErrorCode::BadRequest);
  EXPECT_THAT(open_s3_variant_store({.bucket = "abc"}, aws_).error().detail, HasSubstr("region"));
}

}  // namespace
}  // namespace tintype
