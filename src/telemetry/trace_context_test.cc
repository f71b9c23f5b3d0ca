// SPDX-License-Identifier: Apache-2.0
#include "telemetry/trace_context.h"

#include <set>

#include <gtest/gtest.h>

namespace tintype {
namespace {

constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kRoot[] = "1-4bf92f35-77b34da6a3ce929d0e0e4736";

std::string text_of(const TraceId& id) {
  auto text = trace_id_text(id);
  return {text.data(), text.size()};
}

std::string root_of(const TraceId& id) {
  auto text = amzn_root_text(id);
  return {text.data(), text.size()};
}

TEST(TraceContext, ReadsTheSpecificationsExample) {
  auto parent = parse_traceparent(kParent);
  ASSERT_TRUE(parent);
  EXPECT_EQ(text_of(parent->trace_id), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(span_id_text(parent->span_id), "00f067aa0ba902b7");
  EXPECT_EQ(parent->sampled, Sampled::Yes);
  std::string not_sampled(kParent);
  not_sampled.back() = '0';
  EXPECT_EQ(parse_traceparent(not_sampled)->sampled, Sampled::No);
  // Only the last bit is known; others are to be ignored.
  not_sampled.replace(53, 2, "fe");
  EXPECT_EQ(parse_traceparent(not_sampled)->sampled, Sampled::No);
}

TEST(TraceContext, LaterVersionsKeepTheFirstFields) {
  std::string later(kParent);
  later.replace(0, 2, "cc");
  EXPECT_TRUE(parse_traceparent(later));
  EXPECT_TRUE(parse_traceparent(later + "-what-the-future-will-be-like"));
  EXPECT_FALSE(parse_traceparent(later + ".what-the-future-will-be-like"));
}

TEST(TraceContext, RefusesWhatTheSpecificationForbids) {
  const std::string good(kParent);
  auto with = [&](std::size_t at, const std::string& text) {
    std::string bad = good;
    return bad.replace(at, text.size(), text);
  };
  for (const std::string& bad :
       {std::string(), std::string("00"), good + "-00", good + " ", good.substr(0, 54),
        with(0, "ff"), with(0, "0g"), with(3, "4BF9"), with(3, std::string(32, '0')),
        with(36, std::string(16, '0')), with(36, "00F0"), with(2, "_"), with(35, "_"),
        with(52, "_"), with(53, "0x"), good + ", " + good}) {
    EXPECT_FALSE(parse_traceparent(bad)) << bad;
  }
}

TEST(TraceContext, ReadsWhatBalancersAndXRaySend) {
  auto plain = parse_amzn_trace("Root=1-67891233-abcdef012345678912345678");
  ASSERT_TRUE(plain);
  EXPECT_EQ(text_of(plain->trace_id), "67891233abcdef012345678912345678");
  EXPECT_EQ(plain->span_id, SpanId{});
  EXPECT_EQ(plain->sampled, Sampled::Unknown);
  auto full = parse_amzn_trace(
      "Self=1-67891234-12456789abcdef012345678; Root=1-67891233-abcdef012345678912345678;"
      "Parent=53995c3f42cd8ad8;Sampled=1;CalledFrom=app");
  ASSERT_TRUE(full);
  EXPECT_EQ(text_of(full->trace_id), "67891233abcdef012345678912345678");
  EXPECT_EQ(span_id_text(full->span_id), "53995c3f42cd8ad8");
  EXPECT_EQ(full->sampled, Sampled::Yes);
  EXPECT_EQ(parse_amzn_trace(std::string("Sampled=0;Root=") + kRoot)->sampled, Sampled::No);
  EXPECT_EQ(parse_amzn_trace(std::string("Sampled=?;Root=") + kRoot)->sampled, Sampled::Unknown);
  EXPECT_EQ(parse_amzn_trace(std::string("Parent=xyz;Root=") + kRoot)->span_id, SpanId{});
}

TEST(TraceContext, WithoutAGoodRootThereIsNoTrace) {
  for (std::string_view bad :
       {"", ";", "Self=1-67891234-12456789abcdef0123456789", "Root=",
        "Root=2-67891233-abcdef012345678912345678", "Root=1-67891233-abcdef01234567891234567",
        "Root=1-67891233abcdef0123456789123456789", "Root=1-00000000-000000000000000000000000",
        "Root=1-6789123x-abcdef012345678912345678", "root=1-67891233-abcdef012345678912345678",
        "Root=1-67891233-abcdef012345678912345678;Root=1-67891233-abcdef012345678912345678"}) {
    EXPECT_FALSE(parse_amzn_trace(bad)) << bad;
  }
}

TEST(TraceContext, TheTwoSpellingsAreOneId) {
  TraceContext context;
  context.trace_id = parse_traceparent(kParent)->trace_id;
  context.span_id = parse_traceparent(kParent)->span_id;
  context.is_sampled = true;
  EXPECT_EQ(write_traceparent(context), kParent);
  EXPECT_EQ(root_of(context.trace_id), kRoot);
  EXPECT_EQ(write_amzn_trace(context),
            std::string("Root=") + kRoot + ";Parent=00f067aa0ba902b7;Sampled=1");
  auto back = parse_amzn_trace(write_amzn_trace(context));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->trace_id, context.trace_id);
  EXPECT_EQ(back->span_id, context.span_id);
  context.is_sampled = false;
  EXPECT_EQ(parse_traceparent(write_traceparent(context))->sampled, Sampled::No);
  EXPECT_EQ(parse_amzn_trace(write_amzn_trace(context))->sampled, Sampled::No);
}

TEST(TraceContext, StateIsHandedOnWholeOrNotAtAll) {
  EXPECT_TRUE(is_tracestate("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"));
  EXPECT_TRUE(is_tracestate("fw529a3039@dt=FfAzB , , a=b c"));
  std::string many, long_value = "a=" + std::string(510, 'x');
  for (int i = 0; i < 33; ++i) many += "k" + std::to_string(i) + "=v,";
  EXPECT_TRUE(is_tracestate(long_value));
  for (const std::string& bad :
       {std::string(), std::string(","), std::string("a"), std::string("=v"), std::string("a="),
        std::string("A=v"), std::string("a=b=c"), std::string("a=\x01"), many, long_value + "x",
        std::string("a=v\r\nX: y")}) {
    EXPECT_FALSE(is_tracestate(bad)) << bad;
  }
}

TEST(TraceContext, RatioHangsOnTheIdAlone) {
  TraceIds ids;
  int in_tenth = 0;
  constexpr int kTraces = 20'000;
  for (int i = 0; i < kTraces; ++i) {
    TraceId id = ids.next_trace(1'700'000'000);
    EXPECT_TRUE(is_in_ratio(id, 1));
    EXPECT_FALSE(is_in_ratio(id, 0));
    bool is_in = is_in_ratio(id, 0.1);
    EXPECT_EQ(is_in, is_in_ratio(id, 0.1));
    EXPECT_LE(is_in, is_in_ratio(id, 0.5));
    in_tenth += is_in ? 1 : 0;
  }
  // 2,000 are expected with a standard deviation of 42.
  EXPECT_GT(in_tenth, 1'600);
  EXPECT_LT(in_tenth, 2'400);
}

TEST(TraceContext, IdsDifferAndBeginWithTheTime) {
  TraceIds ids, others;
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    seen.insert(text_of(ids.next_trace(1'735'922'227)));
    seen.insert(text_of(others.next_trace(1'735'922'227)));
    EXPECT_NE(ids.next_span(), SpanId{});
  }
  EXPECT_EQ(seen.size(), 2'000u);
  EXPECT_TRUE(seen.begin()->starts_with("67781233"));
}

}  // namespace
}  // namespace tintype
