// SPDX-License-Identifier: Apache-2.0
#include "main/setting_fields.h"

#include <array>
#include <chrono>
#include <span>
#include <utility>

#include "base/text.h"

namespace tintype {
namespace {

// Readers of one kind of value, made into Apply functions by a member-pointer-like lambda.
template <auto Place>
Result<> set_text(Settings& s, const YamlReader& value) {
  TRY(Place(s), value.as_text());
  return {};
}
template <auto Place>
Result<> set_bool(Settings& s, const YamlReader& value) {
  TRY(Place(s), value.as_bool());
  return {};
}
template <auto Place, std::int64_t Min, std::int64_t Max>
Result<> set_int(Settings& s, const YamlReader& value) {
  TRY(auto number, value.as_int(Min, Max));
  using T = std::remove_reference_t<decltype(Place(s))>;
  Place(s) = static_cast<T>(number);
  return {};
}
template <auto Place>
Result<> set_size(Settings& s, const YamlReader& value) {
  TRY(auto size_bytes, value.as_size_bytes());
  Place(s) = size_bytes;
  return {};
}
template <auto Place>
Result<> set_duration(Settings& s, const YamlReader& value) {
  TRY(auto duration_ms, value.as_duration_ms());
  using T = std::remove_reference_t<decltype(Place(s))>;
  Place(s) = std::chrono::duration_cast<T>(Milliseconds(duration_ms));
  return {};
}

DiskTierSettings& disk_of(Settings& s) {
  if (!s.disk) s.disk.emplace();
  return *s.disk;
}
SourceCacheSettings& sources_of(Settings& s) {
  if (!s.sources) s.sources.emplace();
  return *s.sources;
}
VariantSettings& variants_of(Settings& s) {
  if (!s.variants) s.variants.emplace();
  return *s.variants;
}

// Between 0 and 1.
template <auto Place>
Result<> set_ratio(Settings& s, const YamlReader& value) {
  TRY(std::string text, value.as_text());
  auto ratio = parse_decimal(text);
  if (!ratio || *ratio < 0 || *ratio > 1) {
    return fail(value.error("must be a number from 0 to 1, not " + text));
  }
  Place(s) = *ratio;
  return {};
}

Result<> set_trace_headers(Settings& s, const YamlReader& value) {
  TRY(std::string text, value.as_text());
  auto headers = parse_otlp_headers(text);
  if (!headers) return fail(value.error(headers.error().message));
  s.telemetry.traces.headers = std::move(*headers);
  return {};
}

Result<> set_log_level_name(Settings& s, const YamlReader& value) {
  TRY(std::string name, value.as_text());
  constexpr std::array<std::pair<std::string_view, LogLevel>, 4> kLevels = {
      {{"debug", LogLevel::Debug},
       {"info", LogLevel::Info},
       {"warn", LogLevel::Warn},
       {"error", LogLevel::Error}}};
  for (auto [word, level] : kLevels) {
    if (word == name) {
      s.log_level = level;
      return {};
    }
  }
  return fail(value.error("must be debug, info, warn or error, not " + name));
}

Result<> set_log_format(Settings& s, const YamlReader& value) {
  TRY(std::string name, value.as_text());
  if (name != "json" && name != "text") {
    return fail(value.error("must be json or text, not " + name));
  }
  s.log_as_text = name == "text";
  return {};
}

#define TT_PLACE(expr)        \
  [](Settings & s) -> auto& { \
    return expr;              \
  }

constexpr std::int64_t kMaxPort = 65'535;

// clang-format off
const SettingField kServerFields[] = {
  {"server", "listen", "127.0.0.1", "address the image port listens on",
   set_text<TT_PLACE(s.server.listen_address)>},
  {"server", "port", "8080", "the image port; 0 takes any free one",
   set_int<TT_PLACE(s.server.port), 0, kMaxPort>},
  {"server", "admin_listen", "127.0.0.1", "address of the admin port",
   set_text<TT_PLACE(s.server.admin_address)>},
  {"server", "admin_port", "8081", "health, readiness, metrics; 0 takes any free one",
   set_int<TT_PLACE(s.server.admin_port), 0, kMaxPort>},
  {"server", "loops", "0", "event loops; 0: one per core",
   set_int<TT_PLACE(s.server.loops), 0, 256>},
  {"server", "max_connections", "10000", "more are refused with 503",
   set_int<TT_PLACE(s.server.max_connections), 1, 1'000'000>},
  {"server", "head_timeout", "10s", "for a whole request head; then 408",
   set_duration<TT_PLACE(s.server.head_timeout_ms)>},
  {"server", "keep_alive_timeout", "75s", "idle connections; longer than the balancer's",
   set_duration<TT_PLACE(s.server.keep_alive_timeout_ms)>},
  {"server", "max_requests_per_connection", "100000",
   "then the connection is closed, so that balancers rebalance",
   set_int<TT_PLACE(s.server.max_requests_per_connection), 1, 1'000'000'000>},
  {"server", "write_window", "20s",
   "a client must take 256 bytes a second on average over this window",
   set_duration<TT_PLACE(s.server.write_window_ms)>},
  {"server", "drain_accept", "5s",
   "still accepting after SIGTERM, so that a balancer notices; 0s where there is none",
   set_duration<TT_PLACE(s.server.drain_accept_ms)>},
  {"server", "drain_timeout", "25s", "from SIGTERM to exit at most",
   set_duration<TT_PLACE(s.server.drain_timeout_ms)>},
  {"server", "realtime_loops", "false",
   "event loops at real-time priority; needs CAP_SYS_NICE or RLIMIT_RTPRIO",
   set_bool<TT_PLACE(s.server.realtime_loops)>},
  {"server", "edge_secret", "",
   "what the edge sends as X-Origin-Verify; whoever knows it needs no signature",
   set_text<TT_PLACE(s.server.edge_secret)>},
  {"server", "old_edge_secret", "", "holds too, while the secret is changed",
   set_text<TT_PLACE(s.server.old_edge_secret)>},
  {"server", "edge_only", "false", "pictures for the edge alone; all others get 403",
   set_bool<TT_PLACE(s.server.edge_only)>},
  {"server", "admin_token", "", "who sends it may purge on the admin port; empty: nobody may",
   set_text<TT_PLACE(s.server.admin_token)>},
  {"server", "old_admin_token", "", "holds too, while the token is changed",
   set_text<TT_PLACE(s.server.old_admin_token)>},
  {"server", "studio", "false", "serve the page to play with at /",
   set_bool<TT_PLACE(s.server.studio)>},
  {"server", "access_log", "stdout", "stdout, off, or a file",
   set_text<TT_PLACE(s.access_log)>},
};
const SettingField kWorkersFields[] = {
  {"workers", "count", "0", "render processes; 0: one per core",
   set_int<TT_PLACE(s.workers.count), 0, 256>},
  {"workers", "render_timeout", "10s",
   "one render; then the worker is killed and the answer is 504",
   set_duration<TT_PLACE(s.workers.render_timeout_ms)>},
  {"workers", "memory", "2GB", "address space of one worker (RLIMIT_AS)",
   set_size<TT_PLACE(s.workers.memory_bytes)>},
  {"workers", "max_source", "64MB", "largest source a worker takes",
   set_size<TT_PLACE(s.workers.max_source_bytes)>},
  {"workers", "max_variant", "64MB", "largest variant a worker may make",
   set_size<TT_PLACE(s.workers.max_variant_bytes)>},
  {"workers", "recycle_after", "1000", "a worker is replaced after so many renders",
   set_int<TT_PLACE(s.workers.recycle_after_jobs), 1, 1'000'000>},
  {"workers", "recycle_above", "512MB", "or when its resident memory is above",
   set_size<TT_PLACE(s.workers.recycle_above_rss_bytes)>},
  {"workers", "max_queued_weight", "4000",
   "megapixel-weights (about ms of CPU) waiting or running; then 503",
   set_int<TT_PLACE(s.workers.max_queued_weight), 1, 1'000'000'000>},
  {"workers", "max_queued_memory", "2GB", "peak bytes of pixels waiting or running; then 503",
   set_size<TT_PLACE(s.workers.max_queued_bytes)>},
};
const SettingField kFetchFields[] = {
  {"fetch", "max_at_once", "32", "sources on their way at the same time; further ones wait",
   set_int<TT_PLACE(s.fetch.max_at_once), 1, 10'000>},
  {"fetch", "max_waiting", "1000", "sources waiting to be fetched; more are refused with 503",
   set_int<TT_PLACE(s.fetch.max_waiting), 0, 1'000'000>},
};
const SettingField kCacheFields[] = {
  {"cache", "memory", "256MB", "the memory tier",
   set_size<TT_PLACE(s.memory_cache_bytes)>},
  {"cache.disk", "folder", "", "the disk tier; without it there is none",
   set_text<TT_PLACE(disk_of(s).folder)>},
  {"cache.disk", "size", "20GB", "bytes it may hold",
   set_size<TT_PLACE(disk_of(s).capacity_bytes)>},
  {"cache.disk", "stale_for", "7d", "kept past freshness for when an origin fails",
   set_duration<TT_PLACE(disk_of(s).stale_for)>},
  {"cache.sources", "folder", "", "sources fetched lately, on disk; without it none are kept",
   set_text<TT_PLACE(sources_of(s).folder)>},
  {"cache.sources", "size", "2GB", "bytes it may hold",
   set_size<TT_PLACE(sources_of(s).capacity_bytes)>},
  {"cache.sources", "stale_for", "1d", "kept past freshness for when an origin fails",
   set_duration<TT_PLACE(sources_of(s).stale_for)>},
};
const SettingField kVariantsFields[] = {
  {"variants", "queue", "1000", "variants waiting to be written; more are dropped, and made again",
   set_int<TT_PLACE(variants_of(s).write_back.max_entries), 1, 1'000'000>},
  {"variants", "queue_memory", "256MB", "bytes of them",
   set_size<TT_PLACE(variants_of(s).write_back.max_bytes)>},
  {"variants", "at_once", "8", "writes under way at the same time",
   set_int<TT_PLACE(variants_of(s).write_back.max_at_once), 1, 256>},
  {"variants", "read", "false", "ask the store before a render; an edge in front has done so",
   set_bool<TT_PLACE(variants_of(s).shared.read)>},
  {"variants", "read_timeout", "500ms", "a look that takes longer is a miss",
   set_duration<TT_PLACE(variants_of(s).shared.read_timeout_ms)>},
  {"variants", "leases", "false",
   "tasks agree through the policy table who renders a miss that reaches several of them",
   set_bool<TT_PLACE(variants_of(s).leases)>},
  {"variants.s3", "bucket", "", "the variant store; without it there is none",
   set_text<TT_PLACE(variants_of(s).s3.bucket)>},
  {"variants.s3", "prefix", "", "before each key; the edge's origin path then",
   set_text<TT_PLACE(variants_of(s).s3.prefix)>},
  {"variants.s3", "region", "", "empty: AWS_REGION's",
   set_text<TT_PLACE(variants_of(s).s3.region)>},
  {"variants.s3", "endpoint", "", "another service than AWS, such as http://127.0.0.1:9000",
   set_text<TT_PLACE(variants_of(s).s3.endpoint)>},
  {"variants.s3", "timeout", "5s", "of one attempt",
   set_duration<TT_PLACE(variants_of(s).s3.timeout_ms)>},
};
const SettingField kPurgeFields[] = {
  {"purge", "audit_log", "", "a file that gets a JSON line for each purge; empty: the log alone",
   set_text<TT_PLACE(s.purging.audit_log)>},
  {"purge", "cloudfront", "", "the distribution that is invalidated, such as E2EXAMPLE",
   set_text<TT_PLACE(s.purging.cloudfront.distribution)>},
  {"purge", "cloudfront_endpoint", "https://cloudfront.amazonaws.com",
   "where CloudFront's API is; for tests",
   set_text<TT_PLACE(s.purging.cloudfront.endpoint)>},
};
const SettingField kTelemetryFields[] = {
  {"telemetry", "service", "tintype", "the service's name in metrics and traces",
   set_text<TT_PLACE(s.telemetry.emf.service)>},
  {"telemetry", "environment", "production", "and which of its environments this is",
   set_text<TT_PLACE(s.telemetry.emf.environment)>},
  {"telemetry.emf", "output", "off",
   "metrics in CloudWatch's Embedded Metric Format: stdout, off, or a file",
   set_text<TT_PLACE(s.telemetry.emf_output)>},
  {"telemetry.emf", "namespace", "Tintype", "CloudWatch's namespace",
   set_text<TT_PLACE(s.telemetry.emf.name_space)>},
  {"telemetry.emf", "interval", "60s",
   "between reports; below 60s the metrics of the queue are of high resolution",
   set_duration<TT_PLACE(s.telemetry.emf.interval)>},
  {"telemetry.traces", "endpoint", "",
   "OpenTelemetry collector (OTLP/HTTP), such as http://127.0.0.1:4318; without it no spans",
   set_text<TT_PLACE(s.telemetry.traces.endpoint)>},
  {"telemetry.traces", "headers", "", "name=value,name=value for the collector; may hold secrets",
   set_trace_headers},
  {"telemetry.traces", "ratio", "0.01",
   "share of the misses that are recorded where the caller has not decided",
   set_ratio<TT_PLACE(s.telemetry.sampling.ratio)>},
  {"telemetry.traces", "hit_ratio", "0", "share of the hits that are recorded",
   set_ratio<TT_PLACE(s.telemetry.sampling.hit_ratio)>},
};
const SettingField kPolicyTableFields[] = {
  {"policy_table", "name", "", "the DynamoDB table that holds the sites; empty: this file does",
   set_text<TT_PLACE(s.policy_table.table)>},
  {"policy_table", "region", "", "empty: AWS_REGION's",
   set_text<TT_PLACE(s.policy_table.region)>},
  {"policy_table", "endpoint", "", "another service than AWS, such as http://127.0.0.1:8000",
   set_text<TT_PLACE(s.policy_table.endpoint)>},
  {"policy_table", "snapshot", "", "a file that a start falls back on while the table is down",
   set_text<TT_PLACE(s.policy_table.snapshot)>},
  {"policy_table", "refresh", "30s", "between two looks at the table, give or take a fifth",
   set_duration<TT_PLACE(s.policy_table.refresh_ms)>},
};
const SettingField kLogFields[] = {
  {"log", "level", "info", "debug, info, warn or error",
   set_log_level_name},
  {"log", "format", "json", "json or text",
   set_log_format},
};
// clang-format on
#undef TT_PLACE

}  // namespace

const std::vector<SettingField>& setting_fields() {
  static const std::vector<SettingField> kFields = [] {
    std::vector<SettingField> all;
    for (std::span<const SettingField> section :
         std::initializer_list<std::span<const SettingField>>{
             kServerFields, kWorkersFields, kFetchFields, kCacheFields, kVariantsFields,
             kPurgeFields, kPolicyTableFields, kTelemetryFields, kLogFields}) {
      all.insert(all.end(), section.begin(), section.end());
    }
    return all;
  }();
  return kFields;
}

}  // namespace tintype
