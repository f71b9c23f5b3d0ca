// SPDX-License-Identifier: Apache-2.0
#include "server/head_parser.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "telemetry/trace_context.h"

namespace tintype {
namespace {

using Parsed = HeadParser::Parsed;

// Status of the rejection; 0: accepted; -1: more is needed.
int status_of(const std::string& bytes, const HeadLimits& limits = {}) {
  HeadParser parser(limits);
  switch (parser.parse(bytes)) {
    case Parsed::Complete:
      return 0;
    case Parsed::NeedMore:
      return -1;
    case Parsed::Rejected:
      return parser.rejection().status;
  }
  return -2;
}

std::string request(const std::string& line, const std::string& fields = "Host: a\r\n") {
  return line + "\r\n" + fields + "\r\n";
}

TEST(HeadParser, ReadsWhatTheServerNeeds) {
  const std::string bytes =
      "GET /shop/a.jpg?w=100&f=auto HTTP/1.1\r\nhost: a.example:8080\r\nACCEPT:  image/avif \r\n"
      "Accept: image/webp,*/*;q=0.8\r\nIf-None-Match: \"a\"\r\nif-none-match: W/\"b\"\r\n"
      "If-Modified-Since: Tue, 14 Nov 2023 22:13:20 GMT\r\nRange: bytes=0-1\r\nIf-Range: \"a\"\r\n"
      "User-Agent: test (a; b)\r\nX-Request-Id: 42\r\nX-Empty:\r\n\r\n";
  HeadParser parser({});
  const std::string with_more = bytes + "GET";
  ASSERT_EQ(parser.parse(with_more), Parsed::Complete);
  const RequestHead& head = parser.head();
  EXPECT_EQ(parser.consumed_bytes(), bytes.size());
  EXPECT_EQ(head.method, "GET");
  EXPECT_EQ(head.target, "/shop/a.jpg?w=100&f=auto");
  EXPECT_EQ(head.accept.text(), "image/avif, image/webp,*/*;q=0.8");
  EXPECT_EQ(head.if_none_match.text(), "\"a\", W/\"b\"");
  EXPECT_EQ(head.if_modified_since, "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(head.range, "bytes=0-1");
  EXPECT_EQ(head.if_range, "\"a\"");
  EXPECT_EQ(head.user_agent, "test (a; b)");
  EXPECT_EQ(head.request_id, "42");
  EXPECT_TRUE(head.keep_alive);
  EXPECT_FALSE(head.is_head);
  EXPECT_FALSE(head.is_http10);
}

TEST(HeadParser, ReadsTheTraceAndForgetsIt) {
  HeadParser parser({});
  ASSERT_EQ(
      parser.parse("GET / HTTP/1.1\r\nHost: a\r\nTraceparent: 00-a-b-01\r\ntracestate: x=1\r\n"
                   "Tracestate: y=2\r\nX-Amzn-Trace-Id: Root=1-a-b\r\n\r\n"),
      Parsed::Complete);
  EXPECT_EQ(parser.head().traceparent, "00-a-b-01");
  EXPECT_EQ(parser.head().tracestate.text(), "x=1, y=2");
  EXPECT_EQ(parser.head().amzn_trace, "Root=1-a-b");
  parser.next();
  ASSERT_EQ(parser.parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), Parsed::Complete);
  EXPECT_EQ(parser.head().traceparent, "");
  EXPECT_EQ(parser.head().tracestate.text(), "");
  EXPECT_EQ(parser.head().amzn_trace, "");
}

TEST(HeadParser, TwoParentsAreNone) {
  HeadParser parser({});
  const std::string good =
      "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n";
  const std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n" + good + good + "\r\n";
  ASSERT_EQ(parser.parse(bytes), Parsed::Complete);
  EXPECT_FALSE(parse_traceparent(parser.head().traceparent));
}

TEST(HeadParser, ReadsClientHintsByTheirNewAndOldNames) {
  HeadParser parser(HeadLimits{});
  const std::string head =
      "GET /a HTTP/1.1\r\nHost: t\r\nDPR: 1\r\nSec-CH-DPR: 2\r\nWidth: 400\r\nsec-ch-width: 800\r\n"
      "Viewport-Width: 360\r\nSave-Data: on\r\nECT: 3g\r\nDownlink: 0.4\r\nRTT: 450\r\n"
      "Accept: image/avif\r\nAccept: */*\r\n\r\n";
  ASSERT_EQ(parser.parse(head), HeadParser::Parsed::Complete);
  const Hints hints = parser.head().hints();
  EXPECT_EQ(hints.accept, "image/avif, */*");
  EXPECT_EQ(hints.dpr, "2") << "the newer name wins";
  EXPECT_EQ(hints.width, "800");
  EXPECT_EQ(hints.viewport_width, "360");
  EXPECT_EQ(hints.save_data, "on");
  EXPECT_EQ(hints.ect, "3g");
  EXPECT_EQ(hints.downlink, "0.4");
  EXPECT_EQ(hints.rtt, "450");
}

TEST(HeadParser, SameInAnyPieces) {
  const std::string bytes = request("GET /x HTTP/1.1", "Host: a\r\nAccept: image/webp\r\n");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    HeadParser parser({});
    // A copy that dies: the parser may not hold on to bytes between calls.
    ASSERT_EQ(parser.parse(std::string(bytes.substr(0, cut))), Parsed::NeedMore) << cut;
    ASSERT_EQ(parser.parse(bytes), Parsed::Complete) << cut;
    EXPECT_EQ(parser.head().accept.text(), "image/webp");
    EXPECT_EQ(parser.consumed_bytes(), bytes.size());
  }
}

TEST(HeadParser, PipelinedHeadsFollowEachOther) {
  const std::string first = request("GET /1 HTTP/1.1", "Host: a\r\nAccept: image/avif\r\n");
  const std::string second = request("HEAD /2 HTTP/1.1");
  std::string both = first + second;
  HeadParser parser({});
  ASSERT_EQ(parser.parse(both), Parsed::Complete);
  std::string_view rest = std::string_view(both).substr(parser.consumed_bytes());
  parser.next();
  ASSERT_EQ(parser.parse(rest), Parsed::Complete);
  EXPECT_EQ(parser.head().target, "/2");
  EXPECT_TRUE(parser.head().is_head);
  EXPECT_EQ(parser.head().accept.text(), "");
}

TEST(HeadParser, Persistence) {
  struct Row {
    const char *version, *fields;
    bool keep_alive;
  };
  for (const Row& row :
       {Row{"HTTP/1.1", "Host: a\r\n", true},
        Row{"HTTP/1.1", "Host: a\r\nConnection: close\r\n", false},
        Row{"HTTP/1.1", "Host: a\r\nConnection: x, Close\r\n", false}, Row{"HTTP/1.0", "", false},
        Row{"HTTP/1.0", "Connection: keep-alive\r\n", true}}) {
    HeadParser parser({});
    std::string bytes = request(std::string("GET / ") + row.version, row.fields);
    ASSERT_EQ(parser.parse(bytes), Parsed::Complete) << bytes;
    EXPECT_EQ(parser.head().keep_alive, row.keep_alive) << bytes;
  }
}

TEST(HeadParser, AbsoluteFormLosesItsAuthority) {
  struct Row {
    const char *raw, *target;
  };
  for (const Row& row :
       {Row{"http://a.example/x?y=1", "/x?y=1"}, Row{"HTTPS://a:1/x", "/x"},
        Row{"http://a.example", "/"}, Row{"/http://a/x", "/http://a/x"}, Row{"//a/x", "//a/x"}}) {
    HeadParser parser({});
    std::string bytes = request("GET " + std::string(row.raw) + " HTTP/1.1");
    ASSERT_EQ(parser.parse(bytes), Parsed::Complete) << bytes;
    EXPECT_EQ(parser.head().target, row.target);
  }
}

TEST(HeadParser, RefusesWhatIsNoPath) {
  for (const char* raw : {"*", "a/b", "ftp://a/x", "http:///x", "http://a?x", "/x#y", "/x\x7F"}) {
    EXPECT_EQ(status_of(request("GET " + std::string(raw) + " HTTP/1.1")), 400) << raw;
  }
}

TEST(HeadParser, UpgradeIsIgnored) {
  const std::string bytes = request(
      "GET /x HTTP/1.1", "Host: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n");
  HeadParser parser({});
  ASSERT_EQ(parser.parse(bytes), Parsed::Complete);
  EXPECT_EQ(parser.consumed_bytes(), bytes.size());
  EXPECT_TRUE(parser.head().keep_alive);
}

struct Refusal {
  const char* name;
  std::string bytes;
  int status;
};

TEST(HeadParser, SmugglingIsRefused) {
  const std::vector<Refusal> rows = {
      {"CL and TE",
       request("GET / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
       400},
      {"TE and CL",
       request("GET / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
       400},
      {"TE", request("GET / HTTP/1.1", "Host: a\r\nTransfer-Encoding: chunked\r\n"), 501},
      {"TE unknown", request("GET / HTTP/1.1", "Host: a\r\nTransfer-Encoding: xchunked\r\n"), 501},
      {"TE identity", request("GET / HTTP/1.1", "Host: a\r\nTransfer-Encoding: identity\r\n"), 501},
      {"TE in 1.0", request("GET / HTTP/1.0", "Transfer-Encoding: chunked\r\n"), 501},
      {"body", request("GET / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n"), 400},
      {"two lengths",
       request("GET / HTTP/1.1", "Host: a\r\nContent-Length: 0\r\nContent-Length: 0\r\n"), 400},
      {"length list", request("GET / HTTP/1.1", "Host: a\r\nContent-Length: 0, 0\r\n"), 400},
      {"length sign", request("GET / HTTP/1.1", "Host: a\r\nContent-Length: +0\r\n"), 400},
      {"length empty", request("GET / HTTP/1.1", "Host: a\r\nContent-Length:\r\n"), 400},
      {"length huge",
       request("GET / HTTP/1.1", "Host: a\r\nContent-Length: 99999999999999999999999\r\n"), 400},
      {"folded", request("GET / HTTP/1.1", "Host: a\r\nX: a\r\n b\r\n"), 400},
      {"folded tab", request("GET / HTTP/1.1", "Host: a\r\nX: a\r\n\tb\r\n"), 400},
      {"folded first", request("GET / HTTP/1.1", " Host: a\r\n"), 400},
      {"bare LF", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"bare LF at a field", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", 400},
      {"bare CR in a value", request("GET / HTTP/1.1", "Host: a\r\nX: a\rb\r\n"), 400},
      {"bare CR as a line", request("GET / HTTP/1.1", "Host: a\r\nX: a\rContent-Length: 5\r\n"),
       400},
      {"bare CR in the line", request("GET /a\rb HTTP/1.1"), 400},
      {"CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400},
      {"NUL", request("GET / HTTP/1.1", std::string("Host: a\r\nX: a\0b\r\n", 17)), 400},
      {"space before colon", request("GET / HTTP/1.1", "Host: a\r\nContent-Length : 5\r\n"), 400},
      {"tab before colon", request("GET / HTTP/1.1", "Host: a\r\nX\t: 5\r\n"), 400},
      {"no colon", request("GET / HTTP/1.1", "Host: a\r\nX\r\n"), 400},
      {"no name", request("GET / HTTP/1.1", "Host: a\r\n: x\r\n"), 400},
      {"two hosts", request("GET / HTTP/1.1", "Host: a\r\nHost: a\r\n"), 400},
      {"no host", request("GET / HTTP/1.1", ""), 400},
      {"host with a path", request("GET / HTTP/1.1", "Host: a/b\r\n"), 400},
      {"host with a user", request("GET / HTTP/1.1", "Host: a@b\r\n"), 400},
      {"space in target", request("GET /a b HTTP/1.1"), 400},
      {"leading space", " GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"two empty lines first", "\r\n\r\n" + request("GET / HTTP/1.1"), 400},
      {"TLS", "\x16\x03\x01", 400},
  };
  for (const Refusal& row : rows) EXPECT_EQ(status_of(row.bytes), row.status) << row.name;
}

TEST(HeadParser, MethodsAndVersions) {
  EXPECT_EQ(status_of(request("POST / HTTP/1.1")), 405);
  EXPECT_EQ(status_of(request("POST / HTTP/1.1", "Host: a\r\nContent-Length: 5\r\n")), 405);
  EXPECT_EQ(status_of(request("OPTIONS / HTTP/1.1")), 405);
  EXPECT_EQ(status_of(request("OPTIONS * HTTP/1.1")), 405);
  EXPECT_EQ(status_of(request("CONNECT a:80 HTTP/1.1")), 405);
  EXPECT_EQ(status_of(request("FOO / HTTP/1.1")), 501);
  EXPECT_EQ(status_of(request("get / HTTP/1.1")), 501);
  EXPECT_EQ(status_of(request("GET / HTTP/2.0")), 505);
  EXPECT_EQ(status_of(request("GET / HTTP/3.7")), 505);
  EXPECT_EQ(status_of(request("GET / HTTP/0.9")), 505);
  EXPECT_NE(status_of("GET /\r\n\r\n"), 0);
  EXPECT_EQ(status_of(request("GET / HTTP/1.0", "")), 0);
  EXPECT_EQ(status_of(request("GET / HTTP/1.1", "Host:\r\n")), 0);
  EXPECT_EQ(status_of(request("GET / HTTP/1.1", "Host: [::1]:80\r\nContent-Length: 0\r\n")), 0);
  EXPECT_EQ(status_of("\r\n" + request("GET / HTTP/1.1")), 0);
}

TEST(HeadParser, LimitsHoldAtTheirNumber) {
  HeadLimits limits{100, 1024, 10};
  auto target = [](std::size_t size) { return "GET /" + std::string(size - 1, 'a') + " HTTP/1.1"; };
  EXPECT_EQ(status_of(request(target(100)), limits), 0);
  EXPECT_EQ(status_of(request(target(101)), limits), 414);
  // Before the line is there, and whatever its end would be.
  EXPECT_EQ(status_of("GET /" + std::string(300, 'a'), limits), 414);
  EXPECT_EQ(status_of("GET /" + std::string(2000, 'a') + " HTTP/1.1\r\n", limits), 414);

  auto fields = [](int count) {
    std::string out = "Host: a\r\n";
    for (int i = 1; i < count; ++i) out += "X: y\r\n";
    return out;
  };
  EXPECT_EQ(status_of(request("GET / HTTP/1.1", fields(10)), limits), 0);
  EXPECT_EQ(status_of(request("GET / HTTP/1.1", fields(11)), limits), 431);

  const std::string small = request("GET / HTTP/1.1", "Host: a\r\nX: \r\n");
  auto head = [&](std::size_t size) {
    return request("GET / HTTP/1.1",
                   "Host: a\r\nX: " + std::string(size - small.size(), 'b') + "\r\n");
  };
  ASSERT_EQ(head(1024).size(), 1024u);
  EXPECT_EQ(status_of(head(1024), limits), 0);
  EXPECT_EQ(status_of(head(1025), limits), 431);
  EXPECT_EQ(status_of(head(3000).substr(0, 1500), limits), 431);
}

TEST(HeadParser, RefusedHeadStillTellsWhatItWas) {
  HeadParser parser({});
  ASSERT_EQ(parser.parse(request("POST /form HTTP/1.1")), Parsed::Rejected);
  EXPECT_EQ(parser.rejection().status, 405);
}

}  // namespace
}  // namespace tintype
