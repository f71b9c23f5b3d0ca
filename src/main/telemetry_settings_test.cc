// SPDX-License-Identifier: Apache-2.0
#include "main/telemetry_settings.h"

#include <map>

#include <gtest/gtest.h>

#include "main/settings.h"

namespace tintype {
namespace {

Result<Settings> read(const std::string& yaml, std::map<std::string, std::string> values = {}) {
  auto environment = [values](const std::string& name) -> std::optional<std::string> {
    auto it = values.find(name);
    return it == values.end() ? std::nullopt : std::optional(it->second);
  };
  return read_settings(yaml, "/etc/tintype", environment);
}

TEST(TelemetrySettings, EverythingIsOffByDefault) {
  TelemetrySettings settings = read("sites: {}").value().telemetry;
  EXPECT_EQ(settings.emf_output, "off");
  EXPECT_EQ(settings.traces.endpoint, "");
  EXPECT_EQ(settings.sampling.hit_ratio, 0);
}

TEST(TelemetrySettings, ReadsTheSection) {
  TelemetrySettings settings = read(R"(
telemetry:
  service: shop
  environment: staging
  emf: { output: metrics.log, namespace: Shop, interval: 10s }
  traces: { endpoint: "http://127.0.0.1:4318", headers: "k=v%20w", ratio: 0.5, hit_ratio: 1 }
)")
                                   .value()
                                   .telemetry;
  EXPECT_EQ(settings.emf.service, "shop");
  EXPECT_EQ(settings.emf.environment, "staging");
  EXPECT_EQ(settings.emf_output, "/etc/tintype/metrics.log");
  EXPECT_EQ(settings.emf.name_space, "Shop");
  EXPECT_EQ(settings.emf.interval, Seconds(10));
  EXPECT_EQ(settings.traces.endpoint, "http://127.0.0.1:4318");
  ASSERT_EQ(settings.traces.headers.size(), 1u);
  EXPECT_EQ(settings.traces.headers[0].second, "v w");
  EXPECT_EQ(settings.sampling.ratio, 0.5);
  EXPECT_EQ(settings.sampling.hit_ratio, 1);
}

TEST(TelemetrySettings, FaultsAreNamed) {
  const std::map<std::string, std::string> cases = {
      {"telemetry: { service: '' }", "telemetry.service"},
      {"telemetry: { environment: 'a\tb' }", "telemetry.environment"},
      {"telemetry: { emf: { interval: 0s } }", "telemetry.emf.interval"},
      {"telemetry: { emf: { interval: 2h } }", "telemetry.emf.interval"},
      {"telemetry: { traces: { endpoint: 'localhost:4318' } }", "telemetry.traces.endpoint"},
      {"telemetry: { traces: { ratio: 1.5 } }", "telemetry.traces.ratio"},
      {"telemetry: { traces: { ratio: often } }", "telemetry.traces.ratio"},
      {"telemetry: { traces: { rate: 1 } }", "telemetry.traces.rate"}};
  for (const auto& [yaml, field] : cases) {
    auto settings = read(yaml);
    ASSERT_FALSE(settings) << yaml;
    EXPECT_NE(settings.error().message.find(field), std::string::npos) << settings.error().message;
  }
}

TEST(TelemetrySettings, AFaultyHeaderIsNotRepeated) {
  for (const auto& settings : {read("telemetry: { traces: { headers: hush } }"),
                               read("sites: {}", {{"TINTYPE_TELEMETRY_TRACES_HEADERS", "hush"}})}) {
    ASSERT_FALSE(settings);
    EXPECT_EQ(settings.error().message.find("hush"), std::string::npos) << settings.error().message;
  }
}

}  // namespace
}  // namespace tintype
