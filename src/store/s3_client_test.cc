// SPDX-License-Identifier: Apache-2.0
// S3Client and S3Origin against a scripted server; tests/e2e has a real one.
#include "store/s3_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/scripted_origin.h"
#include "store/s3_origin.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

const SystemClock kClock;

std::string xml_error(int status, const std::string& code, std::string_view headers = {}) {
  return ScriptedOrigin::answer(
      status, "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message></Message></Error>",
      headers);
}

class S3 : public testing::Test {
 protected:
  // Answers in turn; the last goes on for ever.
  void serve(std::vector<std::string> answers) {
    server_ = std::make_unique<ScriptedOrigin>([this, answers = std::move(answers)](
                                                   ScriptedOrigin::Connection& connection,
                                                   const ScriptedOrigin::Request& request) {
      const std::string& next = answers[std::min(served_++, answers.size() - 1)];
      // The answer to HEAD has no body.
      return connection.send(request.method == "HEAD" ? next.substr(0, next.find("\r\n\r\n") + 4)
                                                      : next);
    });
    client_.emplace(
        aws_,
        S3Place{.bucket = "pictures", .region = "eu-central-1", .endpoint = server_->url("/")});
  }
  ScriptedOrigin::Request last() const { return server_->requests().back(); }
  std::unique_ptr<Origin> origin(OriginRule rule = {}) {
    rule.kind = OriginRule::Kind::S3;
    rule.bucket = "pictures";
    rule.endpoint = server_->url("");
    return open_s3_origin(rule, aws_, "eu-central-1");
  }
  static Deadline soon() { return Deadline::after(kClock, Milliseconds(20'000)); }

  HttpClient http_{HttpClientSettings{}, kClock};
  FixedAwsCredentials credentials_{{.access_key_id = "KEY", .secret_access_key = "hush"}};
  AwsClient aws_{http_,
                 credentials_,
                 kClock,
                 {.base_backoff_ms = Milliseconds(1), .max_backoff_ms = Milliseconds(2)}};
  std::atomic<std::size_t> served_{0};
  std::unique_ptr<ScriptedOrigin> server_;
  std::optional<S3Client> client_;
};

TEST_F(S3, GetsAnObjectWithWhatIsSaidOfIt) {
  serve({ScriptedOrigin::answer(200, "picture",
                                "ETag: \"v1\"\r\nContent-Type: image/jpeg\r\n"
                                "Cache-Control: max-age=1\r\nX-Amz-Meta-Cache-Tags: a,b\r\n"
                                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n")});
  auto got = run(client_->get({"p/ä b+=.jpg"}, soon()));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(text_of(*(*got)->bytes), "picture");
  EXPECT_EQ((*got)->etag, "\"v1\"");
  EXPECT_EQ((*got)->media_type, "image/jpeg");
  EXPECT_EQ((*got)->cache_control, "max-age=1");
  EXPECT_EQ((*got)->modified_unix_seconds, 784111777);
  EXPECT_EQ((*got)->size_bytes, 7);
  EXPECT_THAT((*got)->metadata, ElementsAre(Pair("cache-tags", "a,b")));
  EXPECT_EQ(last().target, "/pictures/p/%C3%A4%20b%2B%3D.jpg");
  EXPECT_THAT(last().header("authorization"), HasSubstr("/eu-central-1/s3/aws4_request"));
}

TEST_F(S3, AsksConditionally) {
  serve({ScriptedOrigin::answer(304, "")});
  auto got = run(client_->get({.key = "a", .unless_etag = "\"v1\""}, soon()));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_FALSE(*got);
  EXPECT_EQ(last().header("if-none-match"), "\"v1\"");
  EXPECT_EQ(run(client_->get({.key = "a"}, soon())).error().code, ErrorCode::OriginFailed)
      << "nobody asked for a 304";
}

TEST_F(S3, FailuresSayWhetherTheKeyIsAbsent) {
  const std::vector<std::tuple<int, const char*, ErrorCode>> expected{
      {404, "NoSuchKey", ErrorCode::NotFound},
      {404, "NoSuchBucket", ErrorCode::OriginFailed},
      {403, "AccessDenied", ErrorCode::Forbidden},
      {403, "SignatureDoesNotMatch", ErrorCode::OriginFailed},
      {400, "InvalidRequest", ErrorCode::OriginFailed},
      {301, "PermanentRedirect", ErrorCode::OriginFailed},
      {503, "SlowDown", ErrorCode::OriginFailed}};
  for (const auto& [status, word, code] : expected) {
    serve({xml_error(status, word)});
    auto got = run(client_->get({"a"}, soon()));
    ASSERT_FALSE(got) << word;
    EXPECT_EQ(got.error().code, code) << word;
    EXPECT_THAT(got.error().message, HasSubstr(word));
    EXPECT_THAT(got.error().message, Not(HasSubstr("hush")));
    EXPECT_THAT(got.error().detail, IsEmpty());
  }
  serve({xml_error(301, "PermanentRedirect", "x-amz-bucket-region: us-west-2\r\n")});
  EXPECT_THAT(run(client_->get({"a"}, soon())).error().message,
              HasSubstr("the bucket is in region us-west-2"));
}

TEST_F(S3, TheSizeLimitIsExactAndDoesNotHideAnAbsentKey) {
  serve({ScriptedOrigin::answer(200, "1234")});
  EXPECT_TRUE(run(client_->get({.key = "a", .max_bytes = 4}, soon())));
  EXPECT_EQ(run(client_->get({.key = "a", .max_bytes = 3}, soon())).error().code,
            ErrorCode::TooLarge);
  serve({xml_error(404, "NoSuchKey")});
  EXPECT_EQ(run(client_->get({.key = "a", .max_bytes = 3}, soon())).error().code,
            ErrorCode::NotFound);
}

TEST_F(S3, HeadsAnObject) {
  serve({"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nETag: \"v1\"\r\n\r\n",
         "HTTP/1.1 404 Not Found\r\n\r\n"});
  auto got = run(client_->head("a", soon()));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->size_bytes, 7);
  EXPECT_EQ(got->bytes, nullptr);
  EXPECT_EQ(run(client_->head("a", soon())).error().code, ErrorCode::NotFound);
}

TEST_F(S3, PutsWithEverythingThatIsKept) {
  serve({ScriptedOrigin::answer(200, "")});
  S3Client::Upload upload{.key = "a.webp",
                          .bytes = share(Bytes{'x', 'y'}),
                          .media_type = "image/webp",
                          .cache_control = "public, max-age=2592000",
                          .metadata = {{"etag", "\"e\""}, {"tags", ""}},
                          .only_if_absent = true};
  EXPECT_EQ(run(client_->put(upload, soon())), S3Client::Put::Done);
  auto request = last();
  EXPECT_EQ(request.method, "PUT");
  EXPECT_EQ(request.body, "xy");
  EXPECT_EQ(request.header("content-type"), "image/webp");
  EXPECT_EQ(request.header("cache-control"), "public, max-age=2592000");
  EXPECT_EQ(request.header("x-amz-meta-etag"), "\"e\"");
  EXPECT_EQ(request.header("if-none-match"), "*");
  EXPECT_THAT(request.head, Not(HasSubstr("x-amz-meta-tags")));
  upload.only_if_absent = false;
  run(client_->put(upload, soon())).value();
  EXPECT_EQ(last().header("if-none-match"), "");
}

TEST_F(S3, PutsOnlyWhereNothingStands) {
  serve({xml_error(412, "PreconditionFailed"), xml_error(501, "NotImplemented"),
         xml_error(409, "ConditionalRequestConflict"), ScriptedOrigin::answer(200, ""),
         xml_error(409, "ConditionalRequestConflict")});
  S3Client::Upload upload{.key = "a", .bytes = share({}), .only_if_absent = true};
  EXPECT_EQ(run(client_->put(upload, soon())), S3Client::Put::AlreadyThere);
  EXPECT_EQ(run(client_->put(upload, soon())), S3Client::Put::NotConditional);
  EXPECT_EQ(run(client_->put(upload, soon())), S3Client::Put::Done);
  EXPECT_EQ(server_->requests().size(), 4u);
  EXPECT_EQ(run(client_->put(upload, soon())).error().code, ErrorCode::OriginFailed);
}

TEST_F(S3, RemovesManyAtOnce) {
  serve({ScriptedOrigin::answer(200, "<DeleteResult xmlns=\"x\"></DeleteResult>")});
  EXPECT_TRUE(run(client_->remove_many({"a&b", "c<d>", "é"}, soon())));
  auto request = last();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/pictures/?delete=");
  EXPECT_THAT(request.body, HasSubstr("<Key>a&amp;b</Key></Object><Object><Key>c&lt;d&gt;</Key>"));
  EXPECT_EQ(request.header("content-md5").size(), 24u);
  EXPECT_TRUE(run(client_->remove_many({}, soon())));
  EXPECT_EQ(server_->requests().size(), 1u) << "nothing to ask for";
  EXPECT_FALSE(run(client_->remove_many(std::vector<std::string>(1'001, "a"), soon())));
}

TEST_F(S3, KeysThatXmlCannotHoldAreRemovedOneByOne) {
  serve({ScriptedOrigin::answer(200, "<DeleteResult/>"), "HTTP/1.1 204 No Content\r\n\r\n",
         xml_error(404, "NoSuchKey"), xml_error(400, "InvalidObjectName")});
  EXPECT_TRUE(run(client_->remove_many({"a\x01", "b", "c\x7f", "d\xff"}, soon())));
  auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 4u);
  EXPECT_THAT(requests[0].body, HasSubstr("<Object><Key>b</Key></Object></Delete>"));
  EXPECT_EQ(requests[1].method + requests[1].target, "DELETE/pictures/a%01");
  EXPECT_EQ(requests[2].method + requests[2].target, "DELETE/pictures/c%7F");
  EXPECT_EQ(requests[3].method + requests[3].target, "DELETE/pictures/d%FF");
}

TEST_F(S3, AnErrorOfOneKeyIsAFailure) {
  serve({ScriptedOrigin::answer(200,
                                "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>"
                                "<Error><Key>b</Key><Code>InternalError</Code></Error>"
                                "</DeleteResult>"),
         ScriptedOrigin::answer(200, "<html/>")});
  auto refused = run(client_->remove_many({"a", "b"}, soon()));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::Forbidden);
  EXPECT_THAT(refused.error().message, HasSubstr("2 keys were refused, the first a: AccessDenied"));
  EXPECT_EQ(run(client_->remove_many({"a"}, soon())).error().code, ErrorCode::OriginFailed);
}

std::string listing(const std::string& keys, bool is_truncated = false) {
  return ScriptedOrigin::answer(200,
                                "<ListBucketResult><EncodingType>url</EncodingType>"
                                "<IsTruncated>" +
                                    std::string(is_truncated ? "true" : "false") +
                                    "</IsTruncated>" + keys + "</ListBucketResult>");
}
std::string item(const std::string& key) {
  return "<Contents><Key>" + key + "</Key><Size>1</Size></Contents>";
}

TEST_F(S3, ListsPageByPage) {
  serve({listing(item("p/a%2Bb") + item("p/c+d"), true), listing(item("p/%C3%A9"))});
  S3Client::Listing wanted{.prefix = "p/", .after = "p/a", .limit = 5};
  EXPECT_THAT(run(client_->list(wanted, soon())).value(), ElementsAre("p/a+b", "p/c d", "p/é"));
  auto requests = server_->requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_THAT(requests[0].target, testing::EndsWith("start-after=p%2Fa"));
  EXPECT_THAT(requests[0].target, HasSubstr("max-keys=5"));
  EXPECT_THAT(requests[0].target, HasSubstr("prefix=p%2F"));
  EXPECT_THAT(requests[1].target, HasSubstr("start-after=p%2Fc%20d"));
  EXPECT_THAT(requests[1].target, HasSubstr("max-keys=3"));
}

TEST_F(S3, AListThatCannotBeReadIsAFailure) {
  for (const std::string& bad :
       {listing(item("a"), true), listing("", true), listing(item("%zz")), listing(item("")),
        ScriptedOrigin::answer(200, "<Other/>"), ScriptedOrigin::answer(200, "<ListBucketResult>"),
        xml_error(403, "AccessDenied")}) {
    serve({bad});
    EXPECT_FALSE(run(client_->list({.prefix = "", .after = "", .limit = 9}, soon()))) << bad;
  }
}

TEST_F(S3, AnswersAreRetriedByTheClientBelow) {
  serve({xml_error(503, "SlowDown"), ScriptedOrigin::answer(200, "x")});
  EXPECT_TRUE(run(client_->get({"a"}, soon())));
}

TEST_F(S3, OriginReadsTagsAndThePrefix) {
  serve({ScriptedOrigin::answer(200, "picture",
                                "ETag: \"v1\"\r\nX-Amz-Meta-Cache-Tags: p, campaign:spring <b>\r\n"
                                "Last-Modified: Sun, 06 Nov 1994 08:49:37 GMT\r\n")});
  auto got = run(origin({.prefix = "originals/"})->fetch("p/a.jpg", soon()));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(text_of(*got->bytes), "picture");
  EXPECT_EQ(got->etag, "\"v1\"");
  EXPECT_EQ(got->tags, "p campaign:spring");
  EXPECT_EQ(got->modified_unix_seconds, 784111777);
  EXPECT_EQ(last().target, "/pictures/originals/p/a.jpg");
}

TEST_F(S3, OriginTellsWhetherASourceHasChanged) {
  serve({ScriptedOrigin::answer(304, ""), ScriptedOrigin::answer(200, "new", "ETag: \"v2\"\r\n")});
  auto bucket = origin();
  auto same = run(bucket->fetch_if_changed("a.jpg", {.etag = "\"v1\""}, soon()));
  ASSERT_TRUE(same);
  EXPECT_FALSE(*same);
  auto changed = run(bucket->fetch_if_changed("a.jpg", {.etag = "\"v1\""}, soon()));
  ASSERT_TRUE(changed && *changed);
  EXPECT_EQ((*changed)->etag, "\"v2\"");
}

TEST_F(S3, OriginRefusesWaysUpCodedAndLargeObjects) {
  serve({ScriptedOrigin::answer(200, "12345", "Content-Encoding: gzip\r\n"),
         ScriptedOrigin::answer(200, "12345", "Content-Encoding: aws-chunked\r\n")});
  auto bucket = origin({.max_source_bytes = 5});
  for (const char* path : {"", "..", "a/../b", "./a"}) {
    EXPECT_EQ(run(bucket->fetch(path, soon())).error().code, ErrorCode::NotFound);
  }
  EXPECT_TRUE(server_->requests().empty());
  EXPECT_EQ(run(bucket->fetch("a", soon())).error().code, ErrorCode::OriginFailed);
  EXPECT_TRUE(run(bucket->fetch("a", soon())));
  EXPECT_EQ(run(origin({.max_source_bytes = 4})->fetch("a", soon())).error().code,
            ErrorCode::TooLarge);
}

TEST_F(S3, OriginListsPictures) {
  serve(
      {listing(item("o%2Fa.jpg") + item("o%2Fb.txt") + item("o%2Fc%2Fd.PNG") + item("o%2Fz.gif"))});
  EXPECT_THAT(run(origin({.prefix = "o/"})->list(2)).value(), ElementsAre("a.jpg", "c/d.PNG"));
}

TEST(S3Place, BucketsOfAwsAreInTheHostUnlessTheyHaveDots) {
  HttpClient http({}, kClock);
  FixedAwsCredentials credentials({.access_key_id = "K", .secret_access_key = "S"});
  AwsClient aws(http, credentials, kClock);
  auto url_of = [&](S3Place place) { return S3Client(aws, std::move(place)).url_of("p/a.jpg"); };
  EXPECT_EQ(url_of({.bucket = "abc", .region = "eu-central-1"}),
            "https://abc.s3.eu-central-1.amazonaws.com/p/a.jpg");
  EXPECT_EQ(url_of({.bucket = "a.b", .region = "us-east-1"}),
            "https://s3.us-east-1.amazonaws.com/a.b/p/a.jpg");
  EXPECT_EQ(url_of({.bucket = "abc", .region = "cn-north-1"}),
            "https://abc.s3.cn-north-1.amazonaws.com.cn/p/a.jpg");
  EXPECT_EQ(url_of({.bucket = "abc", .region = "x", .endpoint = "http://h:9000/"}),
            "http://h:9000/abc/p/a.jpg");
}

}  // namespace
}  // namespace tintype
