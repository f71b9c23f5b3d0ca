// SPDX-License-Identifier: Apache-2.0
#include "main/settings.h"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "base/text.h"
#include "policy/yaml_reader.h"

namespace tintype {
namespace {

using Apply = Result<> (*)(Settings&, const YamlReader&);

struct Field {
  std::string_view section, name;  // "server", "port"; a disk field's section is "cache.disk"
  std::string_view fallback, doc;
  Apply apply;
};

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
const Field kServerFields[] = {
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
  {"server", "studio", "false", "serve the page to play with at /",
   set_bool<TT_PLACE(s.server.studio)>},
  {"server", "access_log", "stdout", "stdout, off, or a file",
   set_text<TT_PLACE(s.access_log)>},
};
const Field kWorkersFields[] = {
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
const Field kFetchFields[] = {
  {"fetch", "max_at_once", "32", "sources on their way at the same time; further ones wait",
   set_int<TT_PLACE(s.fetch.max_at_once), 1, 10'000>},
  {"fetch", "max_waiting", "1000", "sources waiting to be fetched; more are refused with 503",
   set_int<TT_PLACE(s.fetch.max_waiting), 0, 1'000'000>},
};
const Field kCacheFields[] = {
  {"cache", "memory", "256MB", "the memory tier",
   set_size<TT_PLACE(s.memory_cache_bytes)>},
  {"cache.disk", "folder", "", "the disk tier; without it there is none",
   set_text<TT_PLACE(disk_of(s).folder)>},
  {"cache.disk", "size", "20GB", "bytes it may hold",
   set_size<TT_PLACE(disk_of(s).capacity_bytes)>},
  {"cache.disk", "stale_for", "7d", "kept past freshness for when an origin fails",
   set_duration<TT_PLACE(disk_of(s).stale_for)>},
};
const Field kLogFields[] = {
  {"log", "level", "info", "debug, info, warn or error",
   set_log_level_name},
  {"log", "format", "json", "json or text",
   set_log_format},
};
// clang-format on
#undef TT_PLACE

// In the order of the reference.
const std::vector<Field>& fields() {
  static const std::vector<Field> kFields = [] {
    std::vector<Field> all;
    for (std::span<const Field> section : std::initializer_list<std::span<const Field>>{
             kServerFields, kWorkersFields, kFetchFields, kCacheFields, kLogFields}) {
      all.insert(all.end(), section.begin(), section.end());
    }
    return all;
  }();
  return kFields;
}

std::string variable_of(const Field& field) {
  std::string name = "TINTYPE_";
  for (std::string_view part : {field.section, field.name}) {
    if (part == field.name) name += '_';
    for (char c : part) {
      name += c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
    }
  }
  return name;
}

Result<> apply_section(Settings& settings, const YamlReader& root, std::string_view section) {
  std::optional<YamlReader> place = root;
  for (std::string_view part : split(section, '.')) {
    place = place->child(part);
    if (!place || place->is_null()) return {};
  }
  if (!place->is_map()) return fail(place->error("must be a map"));
  for (const std::string& key : place->keys()) {
    bool is_known = section == "cache" && key == "disk";
    for (const Field& field : fields()) is_known |= field.section == section && field.name == key;
    if (!is_known) return fail(place->child(key)->error("is not a setting"));
  }
  for (const Field& field : fields()) {
    if (field.section != section) continue;
    auto value = place->child(field.name);
    if (value && !value->is_null()) TRY(field.apply(settings, *value));
  }
  return {};
}

Result<> apply_environment(Settings& settings, const Environment& environment) {
  for (const Field& field : fields()) {
    std::string variable = variable_of(field);
    auto text = environment(variable);
    if (!text) continue;
    auto applied = field.apply(settings, YamlReader::scalar(*text));
    if (!applied) {
      Error error = applied.error();
      error.detail = variable + "=" + *text + ": " + error.detail;
      error.message = error.detail;
      return fail(std::move(error));
    }
  }
  return {};
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
  };
}

Result<Settings> read_settings(const std::string& yaml, const std::string& base_folder,
                               const Environment& environment) {
  Settings settings;
  TRY(YamlReader root, YamlReader::parse(yaml));
  if (!root.is_null()) {
    if (!root.is_map())
      return fail(root.error("must be a map of server, workers, cache, log, sites"));
    TRY(root.refuse_others({"server", "workers", "fetch", "cache", "log", "sites"}));
    for (std::string_view section : {"server", "workers", "fetch", "cache", "cache.disk", "log"}) {
      TRY(apply_section(settings, root, section));
    }
  }
  TRY(apply_environment(settings, environment));
  if (settings.disk && settings.disk->folder.empty()) {
    return fail_public(ErrorCode::BadRequest, "cache.disk: needs a folder");
  }
  namespace fs = std::filesystem;
  auto against_base = [&](const std::string& path) {
    return (fs::path(base_folder) / path).lexically_normal().string();
  };
  if (settings.disk) settings.disk->folder = against_base(settings.disk->folder);
  if (settings.access_log != "stdout" && settings.access_log != "off") {
    settings.access_log = against_base(settings.access_log);
  }
  TRY(validate(settings.server));
  TRY(settings.workers.validate());
  return settings;
}

std::string settings_as_markdown() {
  std::string out = "| setting | variable | default | meaning |\n|---|---|---|---|\n";
  for (const Field& field : fields()) {
    out += "| `" + std::string(field.section) + "." + std::string(field.name) + "` | `" +
           variable_of(field) + "` | " + std::string(field.fallback) + " | " +
           std::string(field.doc) + " |\n";
  }
  return out;
}

}  // namespace tintype
