// SPDX-License-Identifier: Apache-2.0
#include "server/request_trace.h"

#include <algorithm>
#include <optional>

#include <gtest/gtest.h>

#include "base/clock.h"

namespace tintype {
namespace {

constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
constexpr char kUnsampled[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";
constexpr char kAmzn[] =
    "Self=1-67891234-12456789abcdef012345678a;Root=1-67891233-abcdef012345678912345678";

class Collected final : public SpanSink {
 public:
  void take(std::vector<Span> taken) override { spans = std::move(taken); }
  std::vector<Span> spans;
};

class RequestTraceTest : public testing::Test {
 protected:
  RequestTrace::Rules rules() { return {ids, tracing, 1'700'000'000}; }
  void begin(std::string_view traceparent, std::string_view amzn = {}, bool leads = true) {
    head.traceparent = traceparent;
    head.amzn_trace = amzn;
    trace.begin(head, rules());
    if (leads) trace.lead(rules());
  }
  std::vector<Span> report(int status = 200) {
    if (!trace.is_recorded(rules())) return {};
    Answer answer;
    auto entry = std::make_shared<Entry>();
    entry->meta.key = "/shop/a.jpg/_/w-8.webp";
    entry->meta.error_code = status >= 500 ? "origin-failed" : "";
    answer.entry = entry;
    answer.timings = {.disk_us = -1, .fetch_us = 200, .plan_us = 3, .queue_us = 0, .render_us = 50};
    trace.report({.method = "GET",
                  .target = "/shop/a.jpg?w=8&s=secret",
                  .user_agent = "test",
                  .status = status,
                  .sent_bytes = 321,
                  .begin_unix_us = 1'000'000,
                  .duration_us = 400,
                  .outcome = Outcome::Rendered,
                  .answer = answer},
                 rules());
    return sink.spans;
  }
  static std::optional<SpanValue> value_of(const Span& span, std::string_view name) {
    for (const auto& [key, value] : span.attributes) {
      if (key == name) return value;
    }
    return std::nullopt;
  }

  Collected sink;
  TraceIds ids;
  Tracing tracing{.sink = &sink, .sampling = {.ratio = 1, .hit_ratio = 0}};
  RequestHead head;
  RequestTrace trace;
};

TEST_F(RequestTraceTest, AHitWithoutHeadersHasNoTrace) {
  begin({}, {}, false);
  EXPECT_EQ(trace.id_text(), "");
  EXPECT_EQ(trace.answer_field(), "");
  EXPECT_FALSE(trace.context().is_set());
  EXPECT_FALSE(trace.is_recorded(rules()));
}

TEST_F(RequestTraceTest, AMissHasATraceInAnyCase) {
  tracing.sink = nullptr;
  begin({});
  EXPECT_EQ(trace.id_text().size(), 32u);
  EXPECT_NE(trace.context().span_id, SpanId{});
  EXPECT_FALSE(trace.context().is_sampled);
  EXPECT_FALSE(trace.is_recorded(rules()));
}

TEST_F(RequestTraceTest, TheCallersTraceGoesOn) {
  begin(kParent);
  EXPECT_EQ(trace.id_text(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_NE(span_id_text(trace.context().span_id), "00f067aa0ba902b7");
  EXPECT_TRUE(trace.context().is_sampled);
  EXPECT_EQ(trace.answer_field(), "");
}

TEST_F(RequestTraceTest, ABalancersTraceGoesOnAndIsAnswered) {
  begin({}, kAmzn);
  EXPECT_EQ(trace.id_text(), "67891233abcdef012345678912345678");
  EXPECT_EQ(trace.amzn_root(), "1-67891233-abcdef012345678912345678");
  EXPECT_EQ(trace.answer_field(), "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678\r\n");
}

TEST_F(RequestTraceTest, OfBothTheTraceIsW3cAndTheRootTheBalancers) {
  begin(kParent, kAmzn);
  EXPECT_EQ(trace.id_text(), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(trace.amzn_root(), "1-67891233-abcdef012345678912345678");
}

TEST_F(RequestTraceTest, WhatCannotBeReadBeginsANewTrace) {
  begin("00-nonsense", "Root=nonsense", false);
  EXPECT_EQ(trace.id_text().size(), 32u);
  EXPECT_EQ(trace.amzn_root(), "");
  // The answer names the trace that the log names.
  std::string id(trace.id_text());
  EXPECT_EQ(trace.answer_field(),
            "X-Amzn-Trace-Id: Root=1-" + id.substr(0, 8) + "-" + id.substr(8) + "\r\n");
}

TEST_F(RequestTraceTest, NothingOfARequestStandsInTheNextOne) {
  head.tracestate.add("rojo=1");
  begin(kParent, kAmzn);
  head.clear();
  begin({}, {}, false);
  EXPECT_EQ(trace.id_text(), "");
  EXPECT_EQ(trace.answer_field(), "");
  begin({});
  EXPECT_NE(trace.id_text(), "4bf92f3577b34da6a3ce929d0e0e4736");
  ASSERT_FALSE(report().empty());
  EXPECT_EQ(sink.spans[0].trace_state, "");
  EXPECT_EQ(sink.spans[0].parent_span_id, SpanId{});
}

TEST_F(RequestTraceTest, TheCallersDecisionGoesBeforeTheRatio) {
  begin(kUnsampled);
  EXPECT_FALSE(trace.is_recorded(rules()));
  tracing.sampling.ratio = 0;
  begin({});
  EXPECT_FALSE(trace.is_recorded(rules()));
  begin(kParent);
  EXPECT_TRUE(trace.is_recorded(rules()));
  begin({}, kAmzn);
  EXPECT_FALSE(trace.is_recorded(rules()));
}

TEST_F(RequestTraceTest, HitsAreRecordedAtTheirOwnRatio) {
  begin(kParent, {}, false);
  EXPECT_FALSE(trace.is_recorded(rules()));
  tracing.sampling.hit_ratio = 1;
  begin(kParent, {}, false);
  EXPECT_TRUE(trace.is_recorded(rules()));
  begin(kUnsampled, {}, false);
  EXPECT_FALSE(trace.is_recorded(rules()));
  begin({}, {}, false);
  EXPECT_TRUE(trace.is_recorded(rules()));
}

TEST_F(RequestTraceTest, SpansTellTheRequestAndItsPhases) {
  head.tracestate.add("rojo=1");
  begin(kParent);
  auto spans = report();
  ASSERT_EQ(spans.size(), 5u);
  const Span& root = spans[0];
  EXPECT_EQ(root.name, "GET");
  EXPECT_EQ(root.kind, SpanKind::Server);
  EXPECT_EQ(span_id_text(root.parent_span_id), "00f067aa0ba902b7");
  EXPECT_EQ(root.trace_state, "rojo=1");
  EXPECT_EQ(root.begin_unix_us, 1'000'000);
  EXPECT_EQ(root.end_unix_us, 1'000'400);
  EXPECT_FALSE(root.is_error);
  EXPECT_EQ(value_of(root, "url.path"), SpanValue("/shop/a.jpg"));
  EXPECT_EQ(value_of(root, "http.response.status_code"), SpanValue(std::int64_t{200}));
  EXPECT_EQ(value_of(root, "tintype.outcome"), SpanValue("rendered"));
  std::int64_t at = root.begin_unix_us;
  const char* names[] = {"fetch", "plan", "queue", "render"};
  for (std::size_t i = 1; i < spans.size(); ++i) {
    EXPECT_EQ(spans[i].name, names[i - 1]);
    EXPECT_EQ(spans[i].trace_id, root.trace_id);
    EXPECT_EQ(spans[i].parent_span_id, root.span_id);
    EXPECT_EQ(spans[i].begin_unix_us, at);
    at = spans[i].end_unix_us;
  }
  EXPECT_EQ(at, root.begin_unix_us + 253);
}

TEST_F(RequestTraceTest, AFailureOfOursIsAnError) {
  begin(kParent);
  auto spans = report(502);
  ASSERT_FALSE(spans.empty());
  EXPECT_TRUE(spans[0].is_error);
  EXPECT_EQ(value_of(spans[0], "error.type"), SpanValue("origin-failed"));
}

}  // namespace
}  // namespace tintype
