// SPDX-License-Identifier: Apache-2.0
#include "replay/log_line.h"

#include <gtest/gtest.h>

#include "replay/log_formats.h"

namespace tintype {
namespace {

constexpr std::int64_t kNoon = 1'795'521'600;  // 2026-11-24T12:00:00Z

LogReader reader_for(std::optional<LogFormat> format = {},
                     const std::vector<std::string>& fields = {}) {
  auto reader = LogReader::make(format, fields);
  EXPECT_TRUE(reader);
  return std::move(*reader);
}

LogLine must_read(LogReader& reader, std::string_view text) {
  auto line = reader.read(text);
  EXPECT_TRUE(line) << text << ": " << line.error().detail;
  EXPECT_TRUE(line && *line) << text;
  return line && *line ? **line : LogLine{};
}

std::string reason(LogReader& reader, std::string_view text) {
  auto line = reader.read(text);
  return line ? "read" : line.error().detail;
}

constexpr std::string_view kFields =
    "#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status "
    "cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id";

TEST(LogLine, CloudFrontStandard) {
  LogReader reader = reader_for();
  EXPECT_FALSE(*reader.read("#Version: 1.0"));
  EXPECT_FALSE(*reader.read(kFields));
  LogLine line = must_read(
      reader,
      "2026-11-24\t12:00:00\tFRA56-P1\t23450\t192.0.2.10\tGET\td111.cloudfront.example\t"
      "/p/front%2520view.jpg\t200\thttps://shop.example/\tMozilla/5.0%20(X)\tw=800&ar=16%253A9\t-\t"
      "Hit\tabc==");
  EXPECT_EQ(line.target, "/p/front%20view.jpg?w=800&ar=16%3A9");
  EXPECT_EQ(line.method, "GET");
  EXPECT_EQ(line.edge, "FRA56-P1");
  EXPECT_EQ(line.client, "192.0.2.10");
  EXPECT_EQ(line.unix_seconds, kNoon);
  EXPECT_EQ(line.sent_bytes, 23450);
  EXPECT_EQ(line.status, 200);
  EXPECT_EQ(reader.format(), LogFormat::CloudFront);
}

TEST(LogLine, CloudFrontValuesThatAreEncodedOnceStay) {
  LogReader reader = reader_for();
  (void)reader.read(kFields);
  LogLine line =
      must_read(reader, "2026-11-24\t12:00:00\tFRA2\t1\t::1\tGET\th\t/a%20b.jpg\t200\t-\t-\t-");
  EXPECT_EQ(line.target, "/a%20b.jpg");
}

TEST(LogLine, CloudFrontWithItsFieldsInAnotherOrder) {
  LogReader reader = reader_for();
  (void)reader.read("#Fields: cs-uri-stem cs-uri-query date time");
  LogLine line = must_read(reader, "/a.jpg\tw=1\t2026-11-24\t12:00:00");
  EXPECT_EQ(line.target, "/a.jpg?w=1");
  EXPECT_EQ(line.unix_seconds, kNoon);
}

TEST(LogLine, CloudFrontWithMissingColumns) {
  LogReader reader = reader_for();
  (void)reader.read(kFields);
  EXPECT_EQ(reason(reader, "2026-11-24\t12:00:00\tFRA2"), "has 3 columns of 15 and no cs-uri-stem");
  (void)reader.read("#Fields: date time");
  EXPECT_EQ(reason(reader, "2026-11-24\t12:00:00"), "the log has no field cs-uri-stem");
}

std::string realtime_line() {
  return "1795521600.063\t192.0.2.10\t0.002\t200\t23450\tGET\thttps\timg.example\t"
         "/p/1.jpg?w=800\t300\tSFO5-P1\tid==\timg.example\t0.002\tHTTP/2.0\tIPv4\tMozilla\t-\t-\t"
         "w=800\tHit\t-\tTLSv1.3\tX\tHit\t-\t-\timage/avif\t23000\t-\t-\t1\tHit\tUS\tgzip\t"
         "image/avif,image/webp,*/*\t*\t-\t-\t3";
}

TEST(LogLine, CloudFrontRealtime) {
  LogReader reader = reader_for();
  LogLine line = must_read(reader, realtime_line());
  EXPECT_EQ(reader.format(), LogFormat::CloudFrontRealtime);
  EXPECT_EQ(line.target, "/p/1.jpg?w=800");
  EXPECT_EQ(line.accept, "image/avif,image/webp,*/*");
  EXPECT_EQ(line.unix_seconds, kNoon);
  EXPECT_EQ(line.edge, "SFO5-P1");
}

TEST(LogLine, CloudFrontRealtimeWithNamedFields) {
  LogReader reader = reader_for(LogFormat::CloudFrontRealtime,
                                {"timestamp", "cs-uri-stem", "cs-accept", "sc-status"});
  LogLine line = must_read(reader, "1795521600\t/a.jpg?w=1\timage/webp\t304");
  EXPECT_EQ(line.target, "/a.jpg?w=1");
  EXPECT_EQ(line.accept, "image/webp");
  EXPECT_EQ(line.status, 304);
}

TEST(LogLine, Combined) {
  LogReader reader = reader_for();
  LogLine line = must_read(
      reader,
      "203.0.113.7 - bob [24/Nov/2026:13:00:00 +0100] \"GET /is/image/a%20b?wid=400 HTTP/1.1\" "
      "200 2326 \"https://shop.example/\" \"Mozilla/5.0 \\\"X\\\"\"");
  EXPECT_EQ(reader.format(), LogFormat::Combined);
  EXPECT_EQ(line.target, "/is/image/a%20b?wid=400");
  EXPECT_EQ(line.client, "203.0.113.7");
  EXPECT_EQ(line.unix_seconds, kNoon);
  EXPECT_EQ(line.sent_bytes, 2326);
  EXPECT_EQ(line.accept, "");
}

TEST(LogLine, CombinedWithAccept) {
  LogReader reader = reader_for();
  LogLine line = must_read(reader,
                           "::1 - - [24/Nov/2026:12:00:00 +0000] \"HEAD http://h/a.jpg HTTP/1.1\" "
                           "304 - \"-\" \"-\" \"image/avif,*/*\" 0.003");
  EXPECT_EQ(line.accept, "image/avif,*/*");
  EXPECT_EQ(line.target, "/a.jpg");
  EXPECT_EQ(line.method, "HEAD");
  EXPECT_EQ(line.sent_bytes, -1);
}

TEST(LogLine, CombinedThatIsHostile) {
  LogReader reader = reader_for(LogFormat::Combined);
  EXPECT_EQ(reason(reader, "1.2.3.4 - - [x] \"\\x16\\x03\\x01\" 400 0 \"-\" \"-\""),
            "its request is not 'METHOD target HTTP/…'");
  EXPECT_EQ(reason(reader, "1.2.3.4 - - [x] \"GET /a.jpg"), "its request has no closing quote");
  EXPECT_EQ(reason(reader, "1.2.3.4 - - [x] \"GET /a HTTP/1.1\" abc"),
            "has no status behind the request");
  EXPECT_EQ(reason(reader, "nothing of the kind"), "has no [time] and \"request\"");
  EXPECT_EQ(reason(reader, "] \"[\\"), "has no [time] and \"request\"");
}

TEST(LogLine, JsonOfOurs) {
  LogReader reader = reader_for();
  LogLine line = must_read(
      reader,
      R"({"time":"2026-11-24T12:00:00Z","client":"192.0.2.1","method":"GET",)"
      R"("target":"/shop/a.jpg?w=1","key":"/shop/a.jpg/_/w-1.jpg","status":200,"sent_bytes":512,)"
      R"("duration_us":90,"outcome":"memory-hit","user_agent":"x"})");
  EXPECT_EQ(reader.format(), LogFormat::Jsonl);
  EXPECT_EQ(line.target, "/shop/a.jpg?w=1");
  EXPECT_EQ(line.unix_seconds, kNoon);
  EXPECT_EQ(line.sent_bytes, 512);
  EXPECT_EQ(line.status, 200);
}

TEST(LogLine, JsonOfOthers) {
  LogReader reader = reader_for();
  LogLine nginx = must_read(
      reader, R"({"time_iso8601":"2026-11-24T13:00:00+01:00","request":"GET /a.jpg?w=1 HTTP/1.1",)"
              R"("status":"200","body_bytes_sent":"77","http_accept":"image/webp"})");
  EXPECT_EQ(nginx.target, "/a.jpg?w=1");
  EXPECT_EQ(nginx.unix_seconds, kNoon);
  EXPECT_EQ(nginx.sent_bytes, 77);
  EXPECT_EQ(nginx.accept, "image/webp");
  LogLine cloudflare =
      must_read(reader, R"({"ClientRequestURI":"/a.jpg","EdgeStartTimestamp":1795521600000000000,)"
                        R"("EdgeResponseStatus":200,"EdgeColoCode":"FRA"})");
  EXPECT_EQ(cloudflare.unix_seconds, kNoon);
  EXPECT_EQ(cloudflare.edge, "FRA");
  LogLine caddy =
      must_read(reader, R"({"ts":1795521600.5,"request":{"method":"GET","uri":"/a.jpg?w=2",)"
                        R"("headers":{"Accept":["image/avif"]}},"status":200,"size":9})");
  EXPECT_EQ(caddy.target, "/a.jpg?w=2");
  EXPECT_EQ(caddy.accept, "image/avif");
  EXPECT_EQ(caddy.unix_seconds, kNoon);
}

TEST(LogLine, JsonWithNamedFields) {
  LogReader reader = reader_for({}, {"target=http.path", "query=http.q", "time=at"});
  LogLine line = must_read(reader, R"({"http":{"path":"/a.jpg","q":"w=5"},"at":1795521600000})");
  EXPECT_EQ(line.target, "/a.jpg?w=5");
  EXPECT_EQ(line.unix_seconds, kNoon);
  EXPECT_EQ(reason(reader, R"({"uri":"/a.jpg"})"),
            "names no target; say which field has it: --fields target=NAME");
  EXPECT_NE(reason(reader, R"({"http":{"pa)").find("malformed"), std::string::npos);
}

TEST(LogLine, FieldsThatAreWrong) {
  const std::vector<std::string> wrong = {"colour=x"}, plain = {"timestamp"};
  EXPECT_FALSE(LogReader::make(LogFormat::Jsonl, wrong));
  EXPECT_FALSE(LogReader::make(LogFormat::Jsonl, plain));
  EXPECT_FALSE(LogReader::make(LogFormat::Combined, plain));
}

TEST(LogLine, Urls) {
  LogReader reader = reader_for();
  EXPECT_EQ(must_read(reader, "https://img.example/a.jpg?w=1#top").target, "/a.jpg?w=1");
  EXPECT_EQ(must_read(reader, "/b.jpg\r\n").target, "/b.jpg");
  EXPECT_EQ(must_read(reader, "https://img.example").target, "/");
  EXPECT_EQ(reason(reader, "not a url"), "is neither a URL nor a path");
  EXPECT_EQ(reason(reader, "/a.jpg and more"), "is neither a URL nor a path");
}

TEST(LogLine, GarbageIsRefusedAndReadingGoesOn) {
  LogReader reader = reader_for();
  EXPECT_NE(reason(reader, "???").find("name one with --format"), std::string::npos);
  EXPECT_EQ(reason(reader, std::string_view("/a\0b.jpg", 8)), "holds a NUL");
  EXPECT_EQ(reason(reader, std::string(1'000'000, '/')), "is longer than 65536 bytes");
  EXPECT_FALSE(*reader.read(""));
  EXPECT_FALSE(*reader.read("  \t\r\n"));
  EXPECT_EQ(must_read(reader, "/a.jpg").target, "/a.jpg");
}

TEST(LogLine, EveryPrefixOfARealLineIsReadOrRefused) {
  for (LogFormat format : {LogFormat::CloudFront, LogFormat::CloudFrontRealtime,
                           LogFormat::Combined, LogFormat::Jsonl, LogFormat::Urls}) {
    for (const std::string& text :
         {realtime_line(),
          std::string("::1 - - [24/Nov/2026:12:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"\\x2\""),
          std::string(R"({"target":"/a.jpg","status":200,"time":"2026-11-24T12:00:00+0"})")}) {
      LogReader reader = reader_for(format);
      for (std::size_t size = 0; size <= text.size(); ++size) {
        (void)reader.read(std::string_view(text).substr(0, size));
      }
    }
  }
}

TEST(LogLine, IsoDates) {
  EXPECT_EQ(parse_iso_seconds("1970-01-01T00:00:00Z"), 0);
  EXPECT_EQ(parse_iso_seconds("2026-11-24T12:00:00.123Z"), kNoon);
  EXPECT_EQ(parse_iso_seconds("2026-11-24 12:00:00"), kNoon);
  EXPECT_EQ(parse_iso_seconds("2026-11-24T07:00:00-05:00"), kNoon);
  EXPECT_EQ(parse_iso_seconds("2026-11-24T17:30:00+0530"), kNoon);
  for (const char* wrong : {"", "2026-13-24T12:00:00Z", "2026-02-30T12:00:00Z", "24.11.2026",
                            "2026-11-24T12:00:00+", "2026-11-24T12:00:00+x1:00"}) {
    EXPECT_FALSE(parse_iso_seconds(wrong)) << wrong;
  }
}

TEST(LogLine, MomentsBeyondAllReasonAreNone) {
  const std::vector<std::string> kRealtime = {"timestamp", "cs-uri-stem"};
  auto second_of = [&](LogFormat format, const std::string& line) {
    bool is_realtime = format == LogFormat::CloudFrontRealtime;
    LogReader reader = reader_for(format, is_realtime ? kRealtime : std::vector<std::string>{});
    return must_read(reader, line).unix_seconds;
  };
  for (const char* moment : {"-9223372036854775808", "9223372036854775807", "-1", "100000000001"}) {
    std::string realtime = std::string(moment) + "\t/a.jpg";
    EXPECT_EQ(second_of(LogFormat::CloudFrontRealtime, realtime), 0) << moment;
  }
  EXPECT_EQ(second_of(LogFormat::CloudFrontRealtime, "100000000000\t/a.jpg"), kMaxUnixSeconds);
  EXPECT_EQ(second_of(LogFormat::Jsonl, R"({"url":"/a.jpg","ts":-5})"), 0);
  // The years 9999 and 1969.
  const std::string kColumns = "\tFRA\t1\tip\tGET\th\t/a.jpg\t200\t-\t-\t-";
  EXPECT_EQ(second_of(LogFormat::CloudFront, "9999-12-31\t23:59:59" + kColumns), 0);
  EXPECT_EQ(second_of(LogFormat::CloudFront, "1969-12-31\t23:59:59" + kColumns), 0);
  EXPECT_EQ(second_of(LogFormat::Jsonl, R"({"url":"/a.jpg","time":"9999-12-31T23:59:59Z"})"), 0);
  EXPECT_EQ(second_of(LogFormat::Combined,
                      "ip - - [31/Dec/1969:23:59:59 +0000] \"GET /a.jpg HTTP/1.1\" 200 1"),
            0);
}

TEST(LogLine, NamesOfFormats) {
  EXPECT_EQ(log_format_named("cloudfront-realtime"), LogFormat::CloudFrontRealtime);
  EXPECT_EQ(name_of(LogFormat::Urls), "urls");
  EXPECT_FALSE(log_format_named("csv"));
}

}  // namespace
}  // namespace tintype
