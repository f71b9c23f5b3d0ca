// SPDX-License-Identifier: Apache-2.0
#include "worker/reply.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "worker/sample_pictures.h"

namespace tintype {
namespace {

class ReplyTest : public ::testing::Test {
 protected:
  ReplyTest() {
    job_.id = 7;
    job_.plan.encode.format = Format::Png;
    job_.plan.canvas = {2, 1};
    write_variant(samples::kPng2x1);
  }
  void write_variant(ByteView bytes) {
    std::ranges::copy(bytes, arena_.variant_area().begin());
    reply_ = {.id = 7, .code = kRenderedCode, .variant_bytes = bytes.size()};
  }
  ReplyVerdict judged() { return judge(reply_, job_, arena_, shape_); }
  void expect_lie(std::string_view why) {
    const ReplyVerdict verdict = judged();
    EXPECT_FALSE(verdict.is_honest) << why;
    ASSERT_FALSE(verdict.answer) << why;
    EXPECT_EQ(verdict.answer.error().code, ErrorCode::Internal);
    EXPECT_NE(verdict.answer.error().message.find(why), std::string::npos)
        << verdict.answer.error().message;
    EXPECT_TRUE(verdict.answer.error().detail.empty());
  }

  ArenaShape shape_ = ArenaShape::of({.max_source_bytes = 4'096, .max_variant_bytes = 8'192});
  Arena arena_ = Arena::map(create_arena(shape_).value().number(), shape_).value();
  JobMessage job_;
  ReplyMessage reply_;
};

TEST_F(ReplyTest, BelievesAVariantAsPlanned) {
  reply_.has_alpha = 1;
  const ReplyVerdict verdict = judged();
  EXPECT_TRUE(verdict.is_honest);
  ASSERT_TRUE(verdict.answer) << verdict.answer.error().message;
  EXPECT_TRUE(std::ranges::equal(verdict.answer->bytes, samples::kPng2x1));
  EXPECT_EQ(verdict.answer->size, (Size{2, 1}));
  EXPECT_TRUE(verdict.answer->has_alpha);
}

TEST_F(ReplyTest, RefusesLengthsOutsideTheOutArea) {
  for (std::uint64_t length : {std::uint64_t{0}, std::uint64_t{8'193}, std::uint64_t{1} << 63,
                               static_cast<std::uint64_t>(-1)}) {
    reply_.variant_bytes = length;
    expect_lie("bytes of variant");
  }
}

TEST_F(ReplyTest, RefusesAReplyToAnotherJob) {
  reply_.id = 6;
  expect_lie("another job");
}

TEST_F(ReplyTest, RefusesAnotherFormat) {
  write_variant(samples::kJpeg16x8);
  job_.plan.canvas = {16, 8};
  expect_lie("the variant is jpeg");
}

TEST_F(ReplyTest, RefusesAnotherSize) {
  job_.plan.canvas = {3, 1};
  expect_lie("2x1 instead of 3x1");
}

TEST_F(ReplyTest, RefusesWhatIsNoPicture) {
  write_variant(view_of("<html>hello</html>"));
  expect_lie("no picture");
}

TEST_F(ReplyTest, ATrimmedVariantMayBeSmallerButNotLarger) {
  job_.plan.is_size_exact = false;
  job_.plan.canvas = {5, 5};
  EXPECT_TRUE(judged().is_honest);
  job_.plan.canvas = {1, 5};
  expect_lie("2x1 instead of 1x5");
}

TEST_F(ReplyTest, PassesOnARenderFailureWithPlainTexts) {
  reply_.code = static_cast<std::int32_t>(ErrorCode::TooLarge);
  std::memset(reply_.message, 'm', sizeof(reply_.message));  // no zero at the end
  put_text(reply_.detail, "line\nbreak \x1b[31m \xc3\xa9");
  put_text(reply_.option, "width");
  const ReplyVerdict verdict = judged();
  EXPECT_TRUE(verdict.is_honest);
  ASSERT_FALSE(verdict.answer);
  const Error& error = verdict.answer.error();
  EXPECT_EQ(error.code, ErrorCode::TooLarge);
  EXPECT_EQ(error.message, std::string(sizeof(reply_.message), 'm'));
  EXPECT_EQ(error.detail, "line?break ?[31m ??");
  EXPECT_EQ(error.option, "width");
}

TEST_F(ReplyTest, RefusesCodesThatAreNotARendersToGive) {
  for (ErrorCode code : {ErrorCode::Forbidden, ErrorCode::NotFound, ErrorCode::OriginFailed,
                         ErrorCode::Timeout, ErrorCode::Busy, ErrorCode::Crashed}) {
    reply_.code = static_cast<std::int32_t>(code);
    expect_lie("code");
  }
  for (std::int32_t code : {-2, 99, INT32_MIN, INT32_MAX}) {
    reply_.code = code;
    expect_lie("code");
  }
}

TEST_F(ReplyTest, NeverBelievesRandomOctets) {
  EXPECT_TRUE(rc::check("a random reply is no believed variant", [this] {
    const auto octets = *rc::gen::container<std::vector<std::uint8_t>>(
        sizeof(ReplyMessage), rc::gen::arbitrary<std::uint8_t>());
    std::memcpy(&reply_, octets.data(), sizeof(reply_));
    reply_.id = job_.id;
    reply_.code = *rc::gen::weightedElement<std::int32_t>(
        {{3, kRenderedCode}, {1, reply_.code}, {1, static_cast<int>(ErrorCode::Corrupt)}});
    reply_.variant_bytes = *rc::gen::weightedElement<std::uint64_t>(
        {{1, reply_.variant_bytes}, {1, *rc::gen::inRange<std::uint64_t>(0, 10'000)}});
    const std::span<std::uint8_t> area = arena_.variant_area();
    const auto noise = *rc::gen::arbitrary<std::vector<std::uint8_t>>();
    std::copy_n(noise.begin(), std::min(noise.size(), area.size()), area.begin());
    const ReplyVerdict verdict = judged();
    if (verdict.answer) {
      RC_ASSERT(verdict.answer->bytes.size() <= area.size());
      RC_ASSERT(verdict.answer->size == job_.plan.variant_size());
    }
  }));
}

}  // namespace
}  // namespace tintype
