// SPDX-License-Identifier: Apache-2.0
// ChainOrigin, and how a site's origins are opened.
#include "store/chain_origin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/open_origin.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ChainOrigin : public testing::Test {
 protected:
  std::shared_ptr<Origin> chain() {
    return chain_origins({{bucket_, true}, {dam_, false}}, clock_);
  }
  ErrorCode code_of(std::optional<ErrorCode> bucket, std::optional<ErrorCode> dam) {
    bucket_->fail_with(bucket);
    dam_->fail_with(dam);
    auto got = run(chain()->fetch("a.jpg", {}));
    EXPECT_FALSE(got);
    return got ? ErrorCode::Internal : got.error().code;
  }

  SystemClock clock_;
  std::shared_ptr<MemoryOrigin> bucket_ = std::make_shared<MemoryOrigin>();
  std::shared_ptr<MemoryOrigin> dam_ = std::make_shared<MemoryOrigin>();
};

TEST_F(ChainOrigin, TheFirstThatHasItAnswers) {
  bucket_->put("both.jpg", Bytes{1});
  dam_->put("both.jpg", Bytes{2});
  dam_->put("dam.jpg", Bytes{3});
  EXPECT_THAT(*run(chain()->fetch("both.jpg", {}))->bytes, ElementsAre(1));
  EXPECT_EQ(dam_->fetches(), 0);
  EXPECT_THAT(*run(chain()->fetch("dam.jpg", {}))->bytes, ElementsAre(3));
  EXPECT_EQ(run(chain()->fetch("absent.jpg", {})).error().code, ErrorCode::NotFound);
}

TEST_F(ChainOrigin, GoesOnWhenAnOriginFails) {
  bucket_->put("a.jpg", Bytes{1});
  dam_->put("a.jpg", Bytes{2});
  for (ErrorCode code : {ErrorCode::NotFound, ErrorCode::Forbidden, ErrorCode::OriginFailed,
                         ErrorCode::Timeout, ErrorCode::Busy}) {
    bucket_->fail_with(code);
    auto got = run(chain()->fetch("a.jpg", {}));
    ASSERT_TRUE(got) << name_of(code);
    EXPECT_THAT(*got->bytes, ElementsAre(2));
  }
  bucket_->fail_with(ErrorCode::TooLarge);
  EXPECT_EQ(run(chain()->fetch("a.jpg", {})).error().code, ErrorCode::TooLarge)
      << "it is there: another's copy would be another picture";
}

TEST_F(ChainOrigin, TheMostTellingFailureIsTheAnswer) {
  using E = ErrorCode;
  EXPECT_EQ(code_of(E::NotFound, E::NotFound), E::NotFound);
  EXPECT_EQ(code_of(E::Forbidden, E::NotFound), E::NotFound) << "S3 says 403 of absent keys";
  EXPECT_EQ(code_of(E::OriginFailed, E::NotFound), E::OriginFailed) << "it may be there";
  EXPECT_EQ(code_of(E::Timeout, E::NotFound), E::Timeout);
  EXPECT_EQ(code_of(E::NotFound, E::Timeout), E::Timeout);
  EXPECT_EQ(code_of(E::Timeout, E::OriginFailed), E::Timeout) << "the first of its kind";
  EXPECT_EQ(code_of(E::NotFound, E::Forbidden), E::Forbidden) << "the DAM means it";
  EXPECT_EQ(code_of(E::Forbidden, E::Forbidden), E::Forbidden);
  EXPECT_EQ(code_of(E::Forbidden, E::OriginFailed), E::OriginFailed);
  bucket_->fail_with(E::Forbidden);
  dam_->fail_with(E::NotFound);
  auto message = run(chain()->fetch("a.jpg", {})).error().message;
  EXPECT_THAT(message, HasSubstr("; ")) << "all of them are in the log";
}

// Waits until its deadline has come near, and says then how long it was given.
class HangingOrigin final : public Origin {
 public:
  explicit HangingOrigin(ManualClock& clock) : clock_(clock) {}
  Task<Result<Source>> fetch(std::string /*path*/, Deadline deadline) override {
    given = deadline.remaining(clock_);
    clock_.advance(given);
    co_return fail_private(ErrorCode::Timeout, "hung");
  }
  Milliseconds given{0};

 private:
  ManualClock& clock_;
};

TEST(ChainOriginTime, WhoHangsLeavesHalfToThoseBehind) {
  ManualClock clock;
  auto first = std::make_shared<HangingOrigin>(clock);
  auto second = std::make_shared<HangingOrigin>(clock);
  auto third = std::make_shared<HangingOrigin>(clock);
  auto chain = chain_origins({{first}, {second}, {third}}, clock);
  EXPECT_FALSE(run(chain->fetch("a", Deadline::after(clock, Milliseconds(8'000)))));
  EXPECT_EQ(first->given, Milliseconds(4'000));
  EXPECT_EQ(second->given, Milliseconds(2'000));
  EXPECT_EQ(third->given, Milliseconds(2'000));
}

TEST_F(ChainOrigin, PassesOnWhatIsKnown) {
  dam_->put("a.jpg", Bytes{2});
  dam_->set_etag("a.jpg", "\"v1\"");
  auto same = run(chain()->fetch_if_changed("a.jpg", {.etag = "\"v1\""}, {}));
  ASSERT_TRUE(same);
  EXPECT_FALSE(*same);
  auto other = run(chain()->fetch_if_changed("a.jpg", {.etag = "\"v0\""}, {}));
  EXPECT_TRUE(other && *other);
  auto dated = run(chain()->fetch_if_changed("a.jpg", {.modified_unix_seconds = 5}, {}));
  EXPECT_TRUE(dated && *dated) << "a date says nothing across origins";
}

// Cannot be listed.
class MuteOrigin final : public Origin {
 public:
  Task<Result<Source>> fetch(std::string /*path*/, Deadline /*deadline*/) override {
    co_return fail_private(ErrorCode::NotFound, "mute");
  }
};

TEST_F(ChainOrigin, ListsWhatAnyOfThemLists) {
  bucket_->put("b.jpg", Bytes{1});
  bucket_->put("c.jpg", Bytes{1});
  dam_->put("a.jpg", Bytes{1});
  dam_->put("b.jpg", Bytes{1});
  EXPECT_THAT(run(chain()->list(9)).value(), ElementsAre("a.jpg", "b.jpg", "c.jpg"));
  EXPECT_THAT(run(chain()->list(2)).value(), ElementsAre("a.jpg", "b.jpg"));
  auto mute = std::make_shared<MuteOrigin>();
  EXPECT_THAT(run(chain_origins({{mute}, {dam_}}, clock_)->list(1)).value(), ElementsAre("a.jpg"));
  EXPECT_EQ(run(chain_origins({{mute}, {mute}}, clock_)->list(1)).error().code,
            ErrorCode::Unsupported);
}

TEST(OpenSiteOrigin, OpensAllRulesInTheirOrder) {
  TestFolder first, second;
  second.write("a.jpg", "second");
  SystemClock clock;
  HttpClient http({}, clock);
  asio::thread_pool blocking(1);
  const OriginMeans means{.http = http, .blocking = blocking, .clock = clock};
  SitePolicy site;
  site.name = "shop";
  site.origin.folder = first.path().string();
  site.fallback_origins.resize(1);
  site.fallback_origins[0].folder = second.path().string();
  auto origin = open_site_origin(site, means);
  ASSERT_TRUE(origin) << origin.error().message;
  EXPECT_EQ(text_of(*run((*origin)->fetch("a.jpg", {}))->bytes), "second");
  site.fallback_origins[0].folder = "/absent";
  EXPECT_FALSE(open_site_origin(site, means));
}

TEST(OpenSiteOrigin, ABucketNeedsAClientAndARegion) {
  SystemClock clock;
  HttpClient http({}, clock);
  asio::thread_pool blocking(1);
  FixedAwsCredentials credentials({.access_key_id = "K", .secret_access_key = "S"});
  AwsClient aws(http, credentials, clock);
  SitePolicy site;
  site.origin.kind = OriginRule::Kind::S3;
  site.origin.bucket = "abc";
  OriginMeans means{.http = http, .blocking = blocking, .clock = clock};
  EXPECT_THAT(open_site_origin(site, means).error().detail, HasSubstr("no S3 client"));
  means.aws = &aws;
  EXPECT_THAT(open_site_origin(site, means).error().detail, HasSubstr("AWS_REGION"));
  means.region = "eu-central-1";
  EXPECT_TRUE(open_site_origin(site, means));
}

TEST(OpenSiteOrigin, PutsTheSourceCacheBeforeFarOriginsOnly) {
  TestFolder pictures, cached;
  pictures.write("a.jpg", "one");
  SystemClock clock;
  HttpClient http({}, clock);
  asio::thread_pool blocking(1);
  auto cache = SourceCache::open({.folder = cached.path().string()}, blocking, clock);
  ASSERT_TRUE(cache) << cache.error().message;
  SitePolicy site;
  site.name = "shop";
  site.origin.folder = pictures.path().string();
  const OriginMeans means{
      .http = http, .blocking = blocking, .clock = clock, .sources = cache->get()};
  auto near = open_site_origin(site, means);
  ASSERT_TRUE(near);
  EXPECT_TRUE(run((*near)->fetch("a.jpg", {})));
  EXPECT_EQ((*cache)->counts().misses, 0u);
  site.fallback_origins.resize(1);
  site.fallback_origins[0].kind = OriginRule::Kind::Http;
  site.fallback_origins[0].base_url = "http://127.0.0.1:9/";
  auto far = open_site_origin(site, means);
  ASSERT_TRUE(far);
  EXPECT_TRUE(run((*far)->fetch("a.jpg", {})));
  EXPECT_EQ((*cache)->counts().misses, 1u);
  blocking.join();
}

}  // namespace
}  // namespace tintype
