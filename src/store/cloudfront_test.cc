// SPDX-License-Identifier: Apache-2.0
#include "store/cloudfront.h"

#include <atomic>
#include <mutex>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/scripted_origin.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;
using Request = ScriptedOrigin::Request;

std::string invalidation(const std::string& id, const std::string& status) {
  return "<?xml version=\"1.0\"?>\n<Invalidation "
         "xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Id>" +
         id + "</Id><Status>" + status + "</Status></Invalidation>";
}

std::string error(const std::string& code) {
  return "<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error><Type>"
         "Sender</Type><Code>" +
         code + "</Code><Message>private words</Message></Error></ErrorResponse>";
}

// CloudFront as far as invalidations go: what is in progress completes when the test says so.
class CloudFrontTest : public testing::Test {
 protected:
  CloudFrontTest()
      : origin_([this](ScriptedOrigin::Connection& connection, const Request& request) {
          return connection.send(answer(request));
        }) {
    settings_.distribution = "E2EXAMPLE";
    settings_.endpoint = origin_.url("");
    settings_.poll_ms = Milliseconds(5);
    settings_.patience_ms = Milliseconds(20'000);
    http_settings_.may_connect = [](const sockaddr&) { return true; };
    http_settings_.public_ports = {origin_.port()};
  }

  std::string answer(const Request& request) {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (!refusal_.empty()) {
      std::string code = refusal_;
      if (refusals_left_ > 0 && --refusals_left_ == 0) refusal_.clear();
      return ScriptedOrigin::answer(code == "AccessDenied" ? 403 : 400, error(code));
    }
    if (request.method == "POST") {
      std::string id = "I" + std::to_string(++created_);
      return ScriptedOrigin::answer(201, invalidation(id, "InProgress"));
    }
    ++polls_;
    bool is_done = polls_ >= polls_until_done_;
    return ScriptedOrigin::answer(200, invalidation("I1", is_done ? "Completed" : "InProgress"));
  }

  Result<> invalidate(std::vector<std::string> paths) {
    HttpClient http(http_settings_, clock_);
    FixedAwsCredentials credentials({.access_key_id = "AKID", .secret_access_key = "secret"});
    AwsClient aws(http, credentials, clock_);
    CloudFront cloudfront(settings_, aws, clock_);
    return run_to_end(cloudfront.invalidate(std::move(paths), "purge-1"));
  }
  std::vector<std::string> bodies() {
    std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const Request& request : requests_) {
      if (request.method == "POST") all.push_back(request.body);
    }
    return all;
  }

  SystemClock clock_;
  std::mutex mutex_;
  std::vector<Request> requests_;
  std::string refusal_;
  int refusals_left_ = 0, created_ = 0, polls_ = 0, polls_until_done_ = 1;
  ScriptedOrigin origin_;
  CloudFrontSettings settings_;
  HttpClientSettings http_settings_;
};

TEST(CloudFrontXml, IsWhatTheApiAsksFor) {
  EXPECT_EQ(invalidation_xml({"/shop/a.jpg/_/*", "/shop/<&>'\""}, "purge-1"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">"
            "<Paths><Quantity>2</Quantity><Items><Path>/shop/a.jpg/_/*</Path>"
            "<Path>/shop/&lt;&amp;&gt;'\"</Path></Items></Paths>"
            "<CallerReference>purge-1</CallerReference></InvalidationBatch>");
}

TEST(CloudFrontPaths, AreEncodedAsTheEdgeHasThem) {
  EXPECT_THAT(*invalidation_paths({"/shop/a%20b.jpg/_/w-4.webp", "/shop/*", "/*"}),
              ElementsAre("/shop/a%20b.jpg/_/w-4.webp", "/shop/*", "/*"));
  EXPECT_THAT(*invalidation_paths({"/shop/\xC3\xA9 {x}"}), ElementsAre("/shop/%C3%A9%20%7Bx%7D"));
  EXPECT_THAT(*invalidation_paths({"/shop/a~b/*"}), ElementsAre("/shop/a%7Eb/*", "/shop/a~b/*"));
  for (const char* bad : {"", "shop/*", "/a*b", "/*/", "/**"}) {
    EXPECT_FALSE(invalidation_paths({bad})) << bad;
  }
  EXPECT_FALSE(invalidation_paths({"/" + std::string(4'000, 'a')}));
}

TEST_F(CloudFrontTest, TheCallIsSignedAndCarriesAReference) {
  ASSERT_TRUE(invalidate({"/shop/a.jpg/_/*"}));
  ASSERT_EQ(requests_.size(), 1u);
  const Request& request = requests_[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/2020-05-31/distribution/E2EXAMPLE/invalidation");
  EXPECT_EQ(request.header("content-type"), "text/xml");
  EXPECT_THAT(request.header("authorization"), StartsWith("AWS4-HMAC-SHA256 Credential=AKID/"));
  EXPECT_THAT(request.header("authorization"), HasSubstr("/us-east-1/cloudfront/aws4_request"));
  EXPECT_THAT(request.body, HasSubstr("<Path>/shop/a.jpg/_/*</Path>"));
  EXPECT_THAT(request.body, HasSubstr("<CallerReference>purge-1-"));
  // The same purge again is the same reference; other paths are another.
  ASSERT_TRUE(invalidate({"/shop/a.jpg/_/*"}));
  ASSERT_TRUE(invalidate({"/shop/b.jpg/_/*"}));
  EXPECT_EQ(requests_[1].body, requests_[0].body);
  std::string b = requests_[2].body;
  auto reference = [](const std::string& body) { return body.substr(body.find("<CallerRef")); };
  EXPECT_NE(reference(b), reference(requests_[0].body));
}

TEST_F(CloudFrontTest, MoreWildcardsThanMayBeInProgressWaitForTheFirst) {
  polls_until_done_ = 3;
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) paths.push_back("/shop/" + std::to_string(i) + "/*");
  ASSERT_TRUE(invalidate(paths));
  auto sent = bodies();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_THAT(sent[0], HasSubstr("<Quantity>15</Quantity>"));
  EXPECT_THAT(sent[1], HasSubstr("<Quantity>5</Quantity>"));
  EXPECT_GE(polls_, 3) << "the second went out before the first was through";
}

TEST_F(CloudFrontTest, FilesAreCountedApartFromWildcards) {
  settings_.max_files = 4;
  std::vector<std::string> paths{"/shop/*"};
  for (int i = 0; i < 6; ++i) paths.push_back("/a/" + std::to_string(i));
  ASSERT_TRUE(invalidate(paths));
  auto sent = bodies();
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_THAT(sent[0], HasSubstr("<Quantity>5</Quantity>"));
  EXPECT_THAT(sent[1], HasSubstr("<Quantity>2</Quantity>"));
}

// Others invalidate the same distribution too.
TEST_F(CloudFrontTest, AFullQuotaIsWaitedFor) {
  refusal_ = "TooManyInvalidationsInProgress";
  refusals_left_ = 3;
  ASSERT_TRUE(invalidate({"/shop/*"}));
  EXPECT_EQ(bodies().size(), 4u);
}

TEST_F(CloudFrontTest, ButNotForEver) {
  settings_.patience_ms = Milliseconds(40);
  refusal_ = "TooManyInvalidationsInProgress";
  auto done = invalidate({"/shop/*"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::Busy);
  EXPECT_THAT(done.error().detail, HasSubstr("too many invalidations"));
}

struct Refusal {
  const char* code;
  ErrorCode means;
  const char* says;
};

TEST_F(CloudFrontTest, RefusalsSayWhatToDo) {
  const Refusal all[] = {
      {"AccessDenied", ErrorCode::Forbidden, "cloudfront:CreateInvalidation"},
      {"NoSuchDistribution", ErrorCode::NotFound, "distribution's id"},
      {"InvalidArgument", ErrorCode::OriginFailed, "400 InvalidArgument"},
  };
  for (const Refusal& refusal : all) {
    refusal_ = refusal.code;
    auto done = invalidate({"/shop/*"});
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, refusal.means) << refusal.code;
    EXPECT_THAT(done.error().detail, HasSubstr(refusal.says));
    EXPECT_THAT(done.error().detail, testing::Not(HasSubstr("private words")));
  }
}

}  // namespace
}  // namespace tintype
