// SPDX-License-Identifier: Apache-2.0
#include "server/conditional.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace tintype {
namespace {

// 2023-11-14 22:13:20 UTC.
constexpr std::int64_t kModified = 1'700'000'000;
const Validators kPicture{"\"v1,x\"", kModified, 1000};

TEST(Conditional, IfNoneMatch) {
  struct Row {
    const char* list;
    bool is_match;
  };
  for (const Row& row :
       {Row{"\"v1,x\"", true}, Row{"W/\"v1,x\"", true}, Row{"*", true}, Row{" * ", true},
        Row{"\"a\", \"v1,x\"", true}, Row{"\"a\",W/\"b\" ,, \"v1,x\"", true}, Row{"\"a\"", false},
        Row{"v1,x", false}, Row{"\"v1\"", false}, Row{"\"a\", *", false}, Row{"\"v1,x", false},
        Row{"w/\"v1,x\"", false}, Row{",", false}}) {
    Verdict verdict = decide({row.list, {}, {}, {}}, kPicture).verdict;
    EXPECT_EQ(verdict, row.is_match ? Verdict::NotModified : Verdict::Full) << row.list;
  }
}

TEST(Conditional, IfModifiedSince) {
  auto verdict = [](std::string_view none_match, std::string_view since) {
    return decide({none_match, since, {}, {}}, kPicture).verdict;
  };
  EXPECT_EQ(verdict("", "Tue, 14 Nov 2023 22:13:20 GMT"), Verdict::NotModified);
  EXPECT_EQ(verdict("", "Tue, 14 Nov 2023 22:13:21 GMT"), Verdict::NotModified);
  EXPECT_EQ(verdict("", "Tue, 14 Nov 2023 22:13:19 GMT"), Verdict::Full);
  EXPECT_EQ(verdict("", "yesterday"), Verdict::Full);
  // If-None-Match decides alone where both are there.
  EXPECT_EQ(verdict("\"other\"", "Tue, 14 Nov 2023 22:13:20 GMT"), Verdict::Full);
  EXPECT_EQ(decide({{}, "Tue, 14 Nov 2023 22:13:20 GMT", {}, {}}, {"\"a\"", 0, 10}).verdict,
            Verdict::Full);
}

TEST(Conditional, Ranges) {
  struct Row {
    const char* range;
    Verdict verdict;
    std::uint64_t first, last;
  };
  for (const Row& row : {Row{"bytes=0-0", Verdict::Partial, 0, 0},
                         Row{"bytes=0-999", Verdict::Partial, 0, 999},
                         Row{"bytes=10-5000", Verdict::Partial, 10, 999},
                         Row{"bytes=990-", Verdict::Partial, 990, 999},
                         Row{"BYTES= 5-9 ", Verdict::Partial, 5, 9},
                         Row{"bytes=-10", Verdict::Partial, 990, 999},
                         Row{"bytes=-5000", Verdict::Partial, 0, 999},
                         Row{"bytes=1000-", Verdict::Unsatisfiable, 0, 0},
                         Row{"bytes=1000-1001", Verdict::Unsatisfiable, 0, 0},
                         Row{"bytes=-0", Verdict::Unsatisfiable, 0, 0},
                         Row{"bytes=9-5", Verdict::Full, 0, 0},
                         Row{"bytes=0-1,5-6", Verdict::Full, 0, 0},
                         Row{"bytes=", Verdict::Full, 0, 0},
                         Row{"bytes=-", Verdict::Full, 0, 0},
                         Row{"bytes=a-b", Verdict::Full, 0, 0},
                         Row{"bytes=+1-2", Verdict::Full, 0, 0},
                         Row{"bytes=1-2x", Verdict::Full, 0, 0},
                         Row{"bytes=--5", Verdict::Full, 0, 0},
                         Row{"bytes=0-99999999999999999999", Verdict::Full, 0, 0},
                         Row{"pixels=0-1", Verdict::Full, 0, 0},
                         Row{"bytes 0-1", Verdict::Full, 0, 0}}) {
    Decision decision = decide({{}, {}, {}, row.range}, kPicture);
    EXPECT_EQ(decision.verdict, row.verdict) << row.range;
    EXPECT_EQ(decision.first, row.first) << row.range;
    EXPECT_EQ(decision.last, row.last) << row.range;
  }
  EXPECT_EQ(decide({{}, {}, {}, "bytes=0-1"}, kPicture, false).verdict, Verdict::Full) << "HEAD";
  EXPECT_EQ(decide({{}, {}, {}, "bytes=0-"}, {"\"a\"", 1, 0}).verdict, Verdict::Unsatisfiable);
  EXPECT_EQ(decide({{}, {}, {}, "bytes=-1"}, {"\"a\"", 1, 0}).verdict, Verdict::Unsatisfiable);
}

TEST(Conditional, IfRange) {
  auto verdict = [](std::string_view if_range) {
    return decide({{}, {}, if_range, "bytes=0-1"}, kPicture).verdict;
  };
  EXPECT_EQ(verdict("\"v1,x\""), Verdict::Partial);
  EXPECT_EQ(verdict("W/\"v1,x\""), Verdict::Full);
  EXPECT_EQ(verdict("\"old\""), Verdict::Full);
  EXPECT_EQ(verdict("Tue, 14 Nov 2023 22:13:20 GMT"), Verdict::Full) << "a date is not exact";
  EXPECT_EQ(verdict("nonsense"), Verdict::Full);
}

TEST(Conditional, NotModifiedBeatsRange) {
  EXPECT_EQ(decide({"*", {}, {}, "bytes=0-1"}, kPicture).verdict, Verdict::NotModified);
}

TEST(Conditional, RangesStayInsideThePicture) {
  EXPECT_TRUE(rc::check(
      "a partial answer is a part", [](std::uint16_t a, std::uint16_t b, std::uint16_t size) {
        std::string range = "bytes=" + std::to_string(a) + "-" + std::to_string(b);
        Decision decision = decide({{}, {}, {}, range}, {"\"e\"", 1, size});
        if (b < a) {
          RC_ASSERT(decision.verdict == Verdict::Full);
        } else if (a >= size) {
          RC_ASSERT(decision.verdict == Verdict::Unsatisfiable);
        } else {
          RC_ASSERT(decision.verdict == Verdict::Partial);
          RC_ASSERT(decision.first == a && decision.last == std::min<std::uint64_t>(b, size - 1u));
        }
      }));
}

}  // namespace
}  // namespace tintype
