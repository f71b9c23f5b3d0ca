// SPDX-License-Identifier: Apache-2.0
#include "replay/replay.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include "replay/line_source.h"
#include "replay/report.h"
#include "replay/synthetic.h"

namespace tintype {
namespace {

SharedPolicy native() {
  Policy policy;
  SitePolicy site;
  site.name = "shop";
  policy.sites.emplace("shop", site);
  policy.mounts.push_back({.path = "/", .dialect = Dialect::Native, .site = "shop"});
  return std::make_shared<const Policy>(std::move(policy));
}

ReplayReport replay_synthetic(const SyntheticShape& shape, bool with_ladder = false) {
  Replay replay({.policy = native(), .layers = {}, .with_ladder = with_ladder});
  SyntheticTraffic traffic(shape);
  SyntheticRequest request;
  while (traffic.next(request)) {
    replay.take(ReplayRequest{.target = request.target,
                              .accept = request.accept,
                              .edge = request.region,
                              .unix_seconds = request.unix_seconds,
                              .size_bytes = request.size_bytes});
  }
  return replay.report();
}

// The shop of the model at a ten-thousandth of its size: ten products. Twelve seeds differed by
// 0.3 points at most; the bounds leave ten times that. Those of a large run stand in bench/results.
TEST(Replay, TheLegacyAndTheCanonicalCaseFromTheSameTraffic) {
  ReplayReport report = replay_synthetic({.requests = 200'000, .seed = 1}, true);
  EXPECT_EQ(report.requests, 200'000u);
  EXPECT_EQ(report.unnamed, 0u);
  EXPECT_GT(report.raw.edge_ratio(), 0.70);
  EXPECT_LT(report.raw.edge_ratio(), 0.86);
  EXPECT_GT(report.canonical.edge_ratio(), report.raw.edge_ratio() + 0.05);
  EXPECT_GT(report.canonical.shared_ratio(), 0.96);
  EXPECT_LT(report.canonical.renders_per_1000(), 30);
  EXPECT_GT(report.raw.renders_per_1000(), 2 * report.canonical.renders_per_1000());
  ASSERT_TRUE(report.stepped);
  EXPECT_LE(report.stepped->renders, report.canonical.renders);
  EXPECT_GT(report.bytes_by_ladder, 1);
}

TEST(Replay, EveryRequestIsCountedInExactlyOneLayer) {
  ReplayReport report = replay_synthetic({.requests = 20'000, .seed = 2});
  for (const LayerCounts* counts : {&report.raw, &report.canonical}) {
    EXPECT_EQ(counts->edge_hits + counts->shield_hits + counts->store_hits + counts->renders,
              counts->requests);
  }
  std::uint64_t by_width = 0;
  for (const auto& [width_px, count] : report.widths) by_width += count;
  EXPECT_EQ(by_width, report.requests);
}

TEST(Replay, TheSameTrafficGivesTheSameReport) {
  SyntheticShape shape{.requests = 30'000, .seed = 3};
  EXPECT_EQ(report_as_json(replay_synthetic(shape), "x"),
            report_as_json(replay_synthetic(shape), "x"));
}

TEST(Replay, SpellingsCollapseAndSayWhy) {
  Replay replay({.policy = native(), .layers = {}});
  for (const char* target :
       {"/a.jpg?f=webp&h=600&w=800", "/a.jpg?w=800&h=600&f=webp", "/a.jpg?f=webp&h=600&width=800",
        "/a.jpg?f=webp&h=600&w=800&utm_source=1", "/a.jpg?f=webp&h=600&w=800&utm_source=2",
        "/b.jpg?f=webp&w=100"}) {
    for (int i = 0; i < 3; ++i) {
      replay.take(ReplayRequest{.target = target, .unix_seconds = 1'790'000'000});
    }
  }
  ReplayReport report = replay.report();
  EXPECT_EQ(report.requests, 18u);
  EXPECT_NEAR(report.raw_keys, 6, 0.1);
  EXPECT_NEAR(report.canonical_paths, 2, 0.1);
  EXPECT_EQ(report.raw.renders, 6u);
  EXPECT_EQ(report.canonical.renders, 2u);
  EXPECT_EQ(report.spelled[0], 1u);  // b.jpg
  EXPECT_EQ(report.spelled[4], 1u);  // a.jpg has five
  ASSERT_FALSE(report.most_spelled.empty());
  EXPECT_EQ(report.most_spelled[0].path, "/shop/a.jpg/_/h-600_w-800.webp");
  EXPECT_EQ(report.most_spelled[0].spellings, 5u);
  auto requests_of = [&](SpellingDifference difference) {
    return report.differences[static_cast<std::size_t>(difference)].requests;
  };
  EXPECT_EQ(requests_of(SpellingDifference::Order), 3u);
  EXPECT_EQ(requests_of(SpellingDifference::Alias), 3u);
  EXPECT_EQ(requests_of(SpellingDifference::Dropped), 6u);
  auto split = std::find_if(report.splits.begin(), report.splits.end(),
                            [](const SplitRow& row) { return row.name == "utm_source"; });
  ASSERT_NE(split, report.splits.end());
  EXPECT_NEAR(split->keys_with, 2, 0.1);
  EXPECT_NEAR(split->keys_without, 1, 0.1);
  EXPECT_EQ(split->changes, 0);
  ASSERT_EQ(report.dropped.size(), 1u);
  EXPECT_EQ(report.dropped[0].name, "utm_source");
}

TEST(Replay, WhatIsNoAnsweredPictureIsCountedApart) {
  Replay replay({.policy = native(), .layers = {}});
  replay.take(LogLine{.target = "/a.jpg?w=100", .method = "POST"});
  replay.take(LogLine{.target = "/a.jpg?w=100", .method = "GET", .status = 404});
  replay.take(LogLine{.target = "/app.js?v=3", .method = "GET", .status = 200});
  replay.take(LogLine{.target = "/", .method = "GET", .status = 200});
  replay.take(LogLine{.target = "/a.jpg?w=zero", .method = "GET", .status = 200});
  replay.take(LogLine{.target = "/a.jpg?w=100", .method = "GET", .status = 200});
  replay.take(LogLine{.target = "/a", .method = "GET", .status = 304});
  replay.count_unreadable(9, Error::in_public(ErrorCode::BadRequest, "holds a NUL"));
  ReplayReport report = replay.report();
  EXPECT_EQ(report.lines, 8u);
  EXPECT_EQ(report.not_asked, 1u);
  EXPECT_EQ(report.not_answered, 1u);
  EXPECT_EQ(report.not_pictures, 2u);
  EXPECT_EQ(report.unnamed, 1u);
  EXPECT_EQ(report.requests, 2u);
  EXPECT_EQ(report.unreadable_examples, std::vector<std::string>{"line 9: holds a NUL"});
  ASSERT_EQ(report.unnamed_reasons.size(), 1u);
  EXPECT_EQ(report.unnamed_reasons[0].name, "bad-request: w");
  std::string text = report_as_text(report, "title");
  EXPECT_NE(text.find("1 unreadable"), std::string::npos);
  EXPECT_NE(text.find("line 9: holds a NUL"), std::string::npos);
}

TEST(Replay, AnyParameterNamesStayWithinBounds) {
  Replay replay({.policy = native(), .layers = {}});
  for (int i = 0; i < 2'000; ++i) {
    std::string target = "/a.jpg?w=100&p" + std::to_string(i) + "=1";
    replay.take(ReplayRequest{.target = target});
  }
  ReplayReport report = replay.report();
  EXPECT_EQ(report.splits.size(), 128u);
  EXPECT_LE(report.dropped.size(), 10u);
  EXPECT_EQ(report.most_spelled[0].spellings, 64u);
}

TEST(Replay, AParameterIsStudiedOnceAUrl) {
  Replay replay({.policy = native(), .layers = {}});
  std::string often = "/a.jpg?w=100";
  for (int i = 0; i < 150; ++i) often += "&dpr=1";
  replay.take(ReplayRequest{.target = often});
  replay.take(ReplayRequest{.target = "/a.jpg?w=100&dpr=2"});
  ReplayReport report = replay.report();
  auto dpr = std::find_if(report.splits.begin(), report.splits.end(),
                          [](const SplitRow& row) { return row.name == "dpr"; });
  ASSERT_NE(dpr, report.splits.end());
  EXPECT_DOUBLE_EQ(dpr->changes, 0.5);  // of two URLs, not of the first 100 times it is named
}

TEST(Replay, OfOneUrlTheFirst128ParametersAreStudied) {
  Replay replay({.policy = native(), .layers = {}});
  std::string target = "/a.jpg?a=1";
  for (int i = 1; i < 128; ++i) target += "&a=2&p" + std::to_string(i) + "=1";
  replay.take(ReplayRequest{.target = target + "&last=1"});
  ReplayReport report = replay.report();
  EXPECT_EQ(report.splits.size(), 128u);
  for (const SplitRow& row : report.splits) EXPECT_NE(row.name, "last");
}

TEST(Replay, TargetsThatTheServiceRefusesAreUnnamed) {
  Replay replay({.policy = native(), .layers = {}});
  std::string target = "/a.jpg?w=100&x=";
  target.append(kMaxTargetBytes - target.size(), 'x');
  replay.take(ReplayRequest{.target = target});
  replay.take(ReplayRequest{.target = target + "x"});
  ReplayReport report = replay.report();
  EXPECT_EQ(report.requests, 1u);
  EXPECT_EQ(report.unnamed, 1u);
  ASSERT_EQ(report.unnamed_reasons.size(), 1u);
  EXPECT_EQ(report.unnamed_reasons[0].name, "too long");
}

TEST(Replay, ALineWithoutATimeIsAsLateAsTheOneBefore) {
  Replay replay({.policy = native(), .layers = {}});
  for (std::int64_t unix_seconds : {0, 1'790'000'000, 0, 1'790'000'060, 0}) {
    replay.take(ReplayRequest{.target = "/a.jpg?w=100", .unix_seconds = unix_seconds});
  }
  ReplayReport report = replay.report();
  EXPECT_EQ(report.first_unix_seconds, 1'790'000'000);
  EXPECT_EQ(report.last_unix_seconds, 1'790'000'060);
  EXPECT_EQ(report.canonical.renders, 1u);
}

TEST(Report, ABoundedStoreIsSaid) {
  Replay replay({.policy = native(), .layers = {.edge_bytes = 0, .store_entries = 2}});
  for (const char* target : {"/a.jpg", "/b.jpg", "/c.jpg", "/d.jpg"}) {
    replay.take(ReplayRequest{.target = target});
  }
  ReplayReport report = replay.report();
  EXPECT_EQ(report.raw.store_evicted, 2u);
  EXPECT_NE(report_as_text(report, "t").find("the store let go of 2 that were fresh"),
            std::string::npos);
  EXPECT_NE(report_as_json(report, "t").find("\"store_evicted\":2"), std::string::npos);
}

TEST(Report, ControlBytesOfALogReachNeitherTerminalNorChart) {
  Replay replay({.policy = native(), .layers = {}});
  replay.take(ReplayRequest{.target = "/a.jpg?\x1b[31m<b>=1&w=100"});
  ReplayReport report = replay.report();
  std::string text = report_as_text(report, "t");
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  std::string svg = report_as_svg(report, "t < u & \"v\"");
  EXPECT_EQ(svg.find('\x1b'), std::string::npos);
  EXPECT_EQ(svg.find("<b>"), std::string::npos);
  EXPECT_NE(svg.find("t &lt; u &amp; &quot;v&quot;"), std::string::npos);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
}

TEST(Report, OfNothingHasNoNumbersToDivideBy) {
  Replay replay({.policy = native(), .layers = {}, .with_ladder = true});
  ReplayReport report = replay.report();
  EXPECT_NE(report_as_text(report, "t").find("0 requests"), std::string::npos);
  EXPECT_NE(report_as_json(report, "t").find("\"requests\":0"), std::string::npos);
  EXPECT_EQ(report_as_svg(report, "t").find("nan"), std::string::npos);
}

// ---- Lines of files.

class Lines : public ::testing::Test {
 protected:
  Lines() {
    char name[] = "/tmp/tintype-replay-XXXXXX";
    int descriptor = ::mkstemp(name);
    EXPECT_GE(descriptor, 0);
    ::close(descriptor);
    path_ = name;
  }
  ~Lines() override { ::unlink(path_.c_str()); }

  void write(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  void write_gzip(const std::string& bytes) {
    gzFile file = gzopen(path_.c_str(), "wb");
    ASSERT_GT(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), 0);
    gzclose(file);
  }
  std::string read_raw() {
    std::ifstream in(path_, std::ios::binary);
    return {(std::istreambuf_iterator<char>(in)), {}};
  }
  // All lines; an error's text as the last of them.
  std::vector<std::string> read() {
    std::vector<std::string> lines;
    auto source = LineSource::open(path_);
    EXPECT_TRUE(source);
    std::string line;
    while (true) {
      auto has_line = source->next(line);
      if (!has_line) lines.push_back(has_line.error().detail);
      if (!has_line || !*has_line) return lines;
      lines.push_back(line);
    }
  }
  std::string path_;
};

TEST_F(Lines, PlainAndGzip) {
  const std::vector<std::string> kLines = {"a", "", "b\r", "last"};
  write("a\n\nb\r\nlast");
  EXPECT_EQ(read(), kLines);
  write_gzip("a\n\nb\r\nlast\n");
  EXPECT_EQ(read(), kLines);
  std::string twice = read_raw();
  write(twice + twice);  // as `cat a.gz b.gz` makes
  EXPECT_EQ(read().size(), 8u);
  write("");
  EXPECT_TRUE(read().empty());
}

TEST_F(Lines, ALineOfAnyLengthTakesBoundedMemory) {
  write(std::string(1'000'000, 'x') + "\nnext\n");
  auto lines = read();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), kMaxLogLineBytes + 1);
  EXPECT_EQ(lines[1], "next");
}

TEST_F(Lines, GzipThatIsCutOffSaysSo) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) text += std::to_string(i * 7919 % 100'003) + "\n";
  write_gzip(text);
  std::string whole = read_raw();
  write(whole.substr(0, whole.size() / 2));
  auto lines = read();
  EXPECT_GT(lines.size(), 100u);
  EXPECT_NE(lines.back().find(path_), std::string::npos);
}

TEST_F(Lines, TheirSizeIsKnownWithoutOpeningThem) {
  write("12345");
  EXPECT_EQ(log_size_bytes(path_), 5);
  EXPECT_EQ(log_size_bytes("-"), 0);
  EXPECT_EQ(log_size_bytes("/dev/null"), 0);
  auto absent = log_size_bytes("/nowhere/access.log");
  ASSERT_FALSE(absent);
  EXPECT_NE(absent.error().detail.find("access.log: cannot be read"), std::string::npos);
  auto folder = log_size_bytes("/");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().detail.find("is a folder"), std::string::npos);
}

TEST_F(Lines, WhatCannotBeOpened) {
  EXPECT_FALSE(LineSource::open("/nowhere/access.log"));
  auto folder = LineSource::open("/");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().detail.find("is a folder"), std::string::npos);
}

}  // namespace
}  // namespace tintype
