// SPDX-License-Identifier: Apache-2.0
#include "server/head.h"

#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/problem.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

Entry picture() {
  Entry entry;
  entry.body.assign(1000, 7);
  entry.meta.key = "/shop/a.jpg/_/w-100.webp";
  entry.meta.media_type = "image/webp";
  entry.meta.etag = "\"tag\"";
  entry.meta.modified_unix_seconds = 1'700'000'000;
  entry.meta.max_age_seconds = 86'400;
  entry.meta.fresh_until_unix_seconds = 1'700'000'500;
  entry.meta.stored_unix_seconds = 1'700'000'500 - 2'592'000;
  render_head(entry);
  return entry;
}

Answer answer_of(Entry entry, Outcome outcome) {
  Answer answer;
  answer.entry = std::make_shared<const Entry>(std::move(entry));
  answer.outcome = outcome;
  return answer;
}

std::string fields_of(const Answer& answer, bool close = false, bool keep_alive = false) {
  std::string out;
  append_request_fields(out, {answer, "Date: now\r\n", 1'700'000'100, 55'600, close, keep_alive});
  return out;
}

TEST(Head, SaysEverythingAboutAPicture) {
  Entry entry = picture();
  EXPECT_THAT(entry.head, StartsWith("HTTP/1.1 200 OK\r\nContent-Type: image/webp\r\n"));
  for (const char* line :
       {"ETag: \"tag\"\r\n", "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\n",
        "Cache-Control: public, max-age=86400, s-maxage=2592000\r\n", "Content-Length: 1000\r\n",
        "X-Content-Type-Options: nosniff\r\n", "Accept-Ranges: bytes\r\n", "sandbox\r\n",
        "Access-Control-Allow-Origin: *\r\n", "Timing-Allow-Origin: *\r\n"}) {
    EXPECT_THAT(entry.head, HasSubstr(line));
  }
  EXPECT_TRUE(entry.head.ends_with("\r\n"));
  EXPECT_THAT(entry.head, Not(HasSubstr("\r\n\r\n")));
}

TEST(Head, CacheTagsAreSaidInBothSpellingsAndOnlyWhereThereAreAny) {
  Entry entry = picture();
  EXPECT_THAT(entry.head, Not(HasSubstr("Cache-Tag")));
  entry.meta.tags = "campaign:spring sale";
  render_head(entry);
  EXPECT_THAT(entry.head, HasSubstr("\r\nCache-Tag: campaign:spring,sale\r\n"));
  EXPECT_THAT(entry.head, HasSubstr("\r\nSurrogate-Key: campaign:spring sale\r\n"));
}

TEST(Head, NotModifiedRepeatsTheValidatorsOnly) {
  Entry entry = picture();
  EXPECT_THAT(entry.head_not_modified, StartsWith("HTTP/1.1 304 Not Modified\r\n"));
  EXPECT_THAT(entry.head_not_modified, HasSubstr("ETag: \"tag\""));
  EXPECT_THAT(entry.head_not_modified, HasSubstr("max-age=86400"));
  EXPECT_THAT(entry.head_not_modified, Not(HasSubstr("Content-")));
}

TEST(Head, NegativeAnswersSayTheirOwnLife) {
  Entry entry;
  entry.meta.status = 404;
  entry.meta.media_type = "application/problem+json";
  entry.meta.error_code = "not-found";
  entry.meta.max_age_seconds = 30;
  render_head(entry);
  EXPECT_THAT(entry.head, StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_THAT(entry.head, HasSubstr("Cache-Control: public, max-age=30\r\n"));
  EXPECT_THAT(entry.head, Not(HasSubstr("Accept-Ranges")));
  EXPECT_EQ(entry.head_not_modified, "");

  entry.meta.status = 503;
  entry.meta.max_age_seconds = 0;
  entry.meta.retry_after_seconds = 2;
  render_head(entry);
  EXPECT_THAT(entry.head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(entry.head, HasSubstr("Retry-After: 2\r\n"));
}

TEST(Head, RangesHaveTheirOwn) {
  Entry entry = picture();
  std::string partial = partial_head(entry, {Verdict::Partial, 10, 19});
  EXPECT_THAT(partial, StartsWith("HTTP/1.1 206 Partial Content\r\n"));
  EXPECT_THAT(partial, HasSubstr("Content-Range: bytes 10-19/1000\r\n"));
  EXPECT_THAT(partial, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(partial, HasSubstr("ETag: \"tag\"\r\n"));
  std::string unsatisfiable = unsatisfiable_head(entry);
  EXPECT_THAT(unsatisfiable, StartsWith("HTTP/1.1 416 "));
  EXPECT_THAT(unsatisfiable, HasSubstr("Content-Range: bytes */1000\r\n"));
}

TEST(Head, StaleIsToldToLiveShortly) {
  std::string stale = stale_head(picture().head);
  EXPECT_THAT(stale, HasSubstr("\r\nCache-Control: public, max-age=10\r\n"));
  EXPECT_THAT(stale, Not(HasSubstr("86400")));
  EXPECT_THAT(stale, HasSubstr("Content-Length: 1000\r\n"));
}

TEST(Head, CacheStatusTellsHowItWasComeBy) {
  struct Row {
    Outcome outcome;
    const char* text;
  };
  for (const Row& row : {Row{Outcome::MemoryHit, "tintype; hit; ttl=400"},
                         Row{Outcome::NegativeHit, "tintype; hit; ttl=400"},
                         Row{Outcome::DiskHit, "tintype; hit; detail=disk; ttl=400"},
                         Row{Outcome::StoreHit, "tintype; hit; detail=store; ttl=400"},
                         Row{Outcome::Rendered, "tintype; fwd=miss; stored"},
                         Row{Outcome::Collapsed, "tintype; fwd=miss; collapsed"},
                         Row{Outcome::Busy, "tintype; fwd=miss; detail=busy"},
                         Row{Outcome::OriginError, "tintype; fwd=miss; detail=failed"},
                         Row{Outcome::ClientError, ""}}) {
    std::string out;
    append_cache_status(out, answer_of(picture(), row.outcome), 1'700'000'100);
    EXPECT_EQ(out, row.text);
  }
  std::string stale;
  append_cache_status(stale, answer_of(picture(), Outcome::Stale), 1'700'000'510);
  EXPECT_EQ(stale, "tintype; hit; ttl=-10");
}

TEST(Head, RequestFields) {
  Answer answer = answer_of(picture(), Outcome::MemoryHit);
  answer.age_seconds = 100;
  EXPECT_EQ(fields_of(answer), "Date: now\r\nCache-Status: tintype; hit; ttl=400\r\n\r\n");
  answer.hints_read = kAcceptBit;
  EXPECT_THAT(fields_of(answer, true), HasSubstr("Vary: Accept\r\nConnection: close\r\n\r\n"));
  EXPECT_THAT(fields_of(answer, false, true), HasSubstr("Connection: keep-alive\r\n"));

  answer.hints_read = kAcceptBit | kDprBit | kNetworkBit;
  EXPECT_THAT(fields_of(answer),
              HasSubstr("Vary: Accept, Sec-CH-DPR, DPR, Save-Data, ECT, Downlink, RTT\r\n"
                        "Accept-CH: Sec-CH-DPR, Save-Data, ECT, Downlink, RTT\r\n"));
  answer.hints_read = kWidthBit;
  EXPECT_THAT(fields_of(answer), HasSubstr("Accept-CH: Sec-CH-Width, Sec-CH-Viewport-Width\r\n"));

  Entry missing;
  missing.meta.error_code = "not-found";
  Answer negative = answer_of(std::move(missing), Outcome::NegativeHit);
  negative.age_seconds = 7;
  EXPECT_THAT(fields_of(negative), HasSubstr("Age: 7\r\n"));
}

TEST(Head, ServerTimingNamesThePhasesThatHappened) {
  Answer answer = answer_of(picture(), Outcome::Rendered);
  answer.timings.fetch_us = 12'340;
  answer.timings.render_us = 40'000;
  EXPECT_THAT(fields_of(answer),
              HasSubstr("Server-Timing: fetch;dur=12.3, render;dur=40.0, total;dur=55.6\r\n"));
}

TEST(Head, OurPagesAreForUsOnly) {
  SharedEntry page = page_entry(200, "text/html; charset=utf-8", "<p>");
  EXPECT_THAT(page->head, HasSubstr("frame-ancestors 'none'"));
  EXPECT_THAT(page->head, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(page->head, Not(HasSubstr("Access-Control-Allow-Origin")));
}

TEST(Problem, IsAProblemDocument) {
  SharedEntry entry = problem_entry(405, "Only GET and HEAD are allowed.");
  EXPECT_EQ(text_of(entry->body),
            "{\"type\":\"about:blank\",\"title\":\"Method Not Allowed\",\"status\":405,"
            "\"detail\":\"Only GET and HEAD are allowed.\"}\n");
  EXPECT_THAT(entry->head, HasSubstr("Allow: GET, HEAD\r\n"));
  EXPECT_THAT(entry->head, HasSubstr("Content-Type: application/problem+json\r\n"));
  EXPECT_THAT(problem_entry(503, "x")->head, HasSubstr("Retry-After: 1\r\n"));
  for (int status : {400, 404, 405, 408, 414, 431, 500, 501, 503, 505}) {
    EXPECT_FALSE(phrase_of(status).empty()) << status;
    EXPECT_TRUE(problem_entry(status, "x")->is_negative());
  }
}

}  // namespace
}  // namespace tintype
