// SPDX-License-Identifier: Apache-2.0
#include "net/otlp_exporter.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "net/http_client_fixture.h"

namespace tintype {
namespace {

using json = nlohmann::json;

Span a_span(std::string name) {
  Span span;
  span.trace_id = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                   0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
  span.span_id = {0, 0xf0, 0x67, 0xaa, 0x0b, 0xa9, 0x02, 0xb7};
  span.name = std::move(name);
  span.begin_unix_us = 1'700'000'000'000'001;
  span.end_unix_us = 1'700'000'000'000'251;
  return span;
}

std::vector<Span> spans_of(int count) {
  std::vector<Span> spans;
  for (int i = 0; i < count; ++i) spans.push_back(a_span("span " + std::to_string(i)));
  return spans;
}

class OtlpExporterTest : public testing::Test {
 protected:
  OtlpSettings settings(const ScriptedOrigin& collector) const {
    return {.endpoint = collector.url("/"), .headers = {{"x-key", "secret"}}};
  }
  void flush(OtlpExporter& exporter) const {
    asio::io_context loop;
    Deadline deadline = Deadline::after(clock, Milliseconds(10'000));
    asio::co_spawn(loop, exporter.flush(deadline), asio::detached);
    loop.run();
  }

  SystemClock clock;
  HttpClient http{quick(), clock};
};

TEST(Otlp, JsonIsAsTheProtocolSays) {
  Span span = a_span("GET");
  span.kind = SpanKind::Server;
  span.parent_span_id = {1, 2, 3, 4, 5, 6, 7, 8};
  span.trace_state = "rojo=1";
  span.is_error = true;
  span.attributes = {{"url.path", "/a \"b\""}, {"size", std::int64_t{7}}, {"warm", true}};
  json all = json::parse(otlp_json({span, a_span("render")}, {{"service.name", "tintype"}}),
                         nullptr, false);
  ASSERT_FALSE(all.is_discarded());
  const json& one = all["resourceSpans"][0];
  EXPECT_EQ(one["resource"]["attributes"],
            json::parse(R"([{"key":"service.name","value":{"stringValue":"tintype"}}])"));
  EXPECT_EQ(one["scopeSpans"][0]["scope"]["name"], "tintype");
  const json& spans = one["scopeSpans"][0]["spans"];
  ASSERT_EQ(spans.size(), 2u);
  EXPECT_EQ(spans[0], json::parse(R"({
    "traceId": "4bf92f3577b34da6a3ce929d0e0e4736", "spanId": "00f067aa0ba902b7",
    "traceState": "rojo=1", "parentSpanId": "0102030405060708", "name": "GET", "kind": 2,
    "startTimeUnixNano": "1700000000000001000", "endTimeUnixNano": "1700000000000251000",
    "attributes": [{"key": "url.path", "value": {"stringValue": "/a \"b\""}},
                   {"key": "size", "value": {"intValue": "7"}},
                   {"key": "warm", "value": {"boolValue": true}}],
    "status": {"code": 2}})"));
  EXPECT_FALSE(spans[1].contains("parentSpanId"));
  EXPECT_EQ(spans[1]["kind"], 1);
  EXPECT_EQ(spans[1]["status"], json::object());
}

TEST(Otlp, HeadersAreReadAsTheEnvironmentVariableIs) {
  auto headers = parse_otlp_headers("api-key=abc%3D%3D, x-scope = shop").value();
  ASSERT_EQ(headers.size(), 2u);
  EXPECT_EQ(headers[0], (std::pair<std::string, std::string>("api-key", "abc==")));
  EXPECT_EQ(headers[1], (std::pair<std::string, std::string>("x-scope", "shop")));
  EXPECT_TRUE(parse_otlp_headers("")->empty());
  for (const char* bad : {"secret", "a b=secret", "a=secret%0d%0aX:y", "=secret", "a=secret%zz"}) {
    auto refused = parse_otlp_headers(bad);
    ASSERT_FALSE(refused) << bad;
    EXPECT_EQ(refused.error().message.find("secret"), std::string::npos) << refused.error().message;
  }
}

TEST_F(OtlpExporterTest, SendsBatchesWithItsHeadersAndResource) {
  ScriptedOrigin collector(always(ScriptedOrigin::answer(200, "{}")));
  OtlpExporter exporter(settings(collector), http, clock);
  exporter.describe({{"service.name", "shop"}});
  exporter.take(spans_of(600));
  flush(exporter);
  auto asked = collector.requests();
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_TRUE(asked[0].head.starts_with("POST /v1/traces HTTP/1.1\r\n")) << asked[0].head;
  EXPECT_NE(asked[0].head.find("x-key: secret\r\n"), std::string::npos);
  EXPECT_NE(asked[0].head.find("Content-Type: application/json\r\n"), std::string::npos);
  json first = json::parse(asked[0].body, nullptr, false)["resourceSpans"][0];
  EXPECT_EQ(first["scopeSpans"][0]["spans"].size(), 512u);
  EXPECT_EQ(first["resource"]["attributes"][0]["value"]["stringValue"], "shop");
  json second = json::parse(asked[1].body, nullptr, false)["resourceSpans"][0];
  EXPECT_EQ(second["scopeSpans"][0]["spans"][87]["name"], "span 599");
  EXPECT_EQ(exporter.counts().sent_spans, 600u);
  EXPECT_EQ(exporter.counts().dropped_spans, 0u);
}

TEST_F(OtlpExporterTest, AFullQueueDropsAndCounts) {
  ScriptedOrigin collector(always(ScriptedOrigin::answer(200, "{}")));
  OtlpExporter exporter(settings(collector), http, clock);
  exporter.take(spans_of(2'040));
  exporter.take(spans_of(9));
  EXPECT_EQ(exporter.counts().dropped_spans, 9u);
  exporter.take(spans_of(8));
  EXPECT_EQ(exporter.counts().dropped_spans, 9u);
  flush(exporter);
  EXPECT_EQ(exporter.counts().sent_spans, 2'048u);
}

TEST_F(OtlpExporterTest, WhatACollectorDoesNotTakeIsDroppedAndCounted) {
  ScriptedOrigin collector(always(ScriptedOrigin::answer(503, "")));
  OtlpExporter exporter(settings(collector), http, clock);
  exporter.take(spans_of(3));
  flush(exporter);
  EXPECT_EQ(exporter.counts().dropped_spans, 3u);
  EXPECT_EQ(exporter.counts().failed_batches, 1u);
  EXPECT_EQ(exporter.counts().sent_spans, 0u);
}

TEST_F(OtlpExporterTest, NobodyListening) {
  OtlpExporter exporter({.endpoint = "http://127.0.0.1:1", .headers = {}}, http, clock);
  exporter.take(spans_of(3));
  flush(exporter);
  EXPECT_EQ(exporter.counts().dropped_spans, 3u);
}

TEST_F(OtlpExporterTest, RunSendsABatchAsSoonAsItIsFull) {
  ScriptedOrigin collector(always(ScriptedOrigin::answer(200, "{}")));
  OtlpSettings never_by_time = settings(collector);
  never_by_time.interval_ms = Milliseconds(3'600'000);
  OtlpExporter exporter(never_by_time, http, clock);
  exporter.take(spans_of(600));
  asio::io_context loop;
  asio::co_spawn(loop, exporter.run(), asio::detached);
  auto end = std::chrono::steady_clock::now() + Seconds(30);
  while (exporter.counts().sent_spans == 0 && std::chrono::steady_clock::now() < end) {
    loop.run_one_for(Milliseconds(100));
  }
  EXPECT_EQ(exporter.counts().sent_spans, 512u);
}

}  // namespace
}  // namespace tintype
