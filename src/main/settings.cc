// SPDX-License-Identifier: Apache-2.0
#include "main/settings.h"

#include <cstdlib>
#include <filesystem>
#include <initializer_list>

#include "base/text.h"
#include "main/setting_fields.h"
#include "policy/yaml_reader.h"

namespace tintype {
namespace {

std::string variable_of(const SettingField& field) {
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
    std::string below = std::string(section) + "." + key;  // a section of its own
    bool is_known = false;
    for (const SettingField& field : setting_fields()) {
      is_known |= field.section == below || (field.section == section && field.name == key);
    }
    if (!is_known) return fail(place->child(key)->error("is not a setting"));
  }
  for (const SettingField& field : setting_fields()) {
    if (field.section != section) continue;
    auto value = place->child(field.name);
    if (value && !value->is_null()) TRY(field.apply(settings, *value));
  }
  return {};
}

Result<> apply_environment(Settings& settings, const Environment& environment) {
  for (const SettingField& field : setting_fields()) {
    std::string variable = variable_of(field);
    auto text = environment(variable);
    if (!text) continue;
    auto applied = field.apply(settings, YamlReader::scalar(*text));
    if (!applied) {
      Error error = applied.error();
      bool is_secret = field.name.ends_with("secret") || field.name == "headers";
      error.detail = variable + "=" + (is_secret ? "***" : *text) + ": " + error.detail;
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
    TRY(root.refuse_others({"server", "workers", "fetch", "cache", "variants", "purge",
                            "policy_table", "telemetry", "log", "sites"}));
    for (std::string_view section :
         {"server", "workers", "fetch", "cache", "cache.disk", "cache.sources", "variants",
          "variants.s3", "purge", "policy_table", "telemetry", "telemetry.emf", "telemetry.traces",
          "log"}) {
      TRY(apply_section(settings, root, section));
    }
  }
  TRY(apply_environment(settings, environment));
  if (settings.disk && settings.disk->folder.empty()) {
    return fail_public(ErrorCode::BadRequest, "cache.disk: needs a folder");
  }
  if (settings.sources && settings.sources->folder.empty()) {
    return fail_public(ErrorCode::BadRequest, "cache.sources: needs a folder");
  }
  if (settings.variants && settings.variants->s3.bucket.empty()) {
    return fail_public(ErrorCode::BadRequest, "variants: needs s3.bucket");
  }
  if (settings.policy_table.refresh_ms < Milliseconds(1'000)) {
    return fail_public(ErrorCode::BadRequest, "policy_table.refresh: must be at least 1s");
  }
  namespace fs = std::filesystem;
  auto against_base = [&](const std::string& path) {
    return (fs::path(base_folder) / path).lexically_normal().string();
  };
  if (settings.disk) settings.disk->folder = against_base(settings.disk->folder);
  if (settings.sources) settings.sources->folder = against_base(settings.sources->folder);
  std::string& audit_log = settings.purging.audit_log;
  if (!audit_log.empty()) audit_log = against_base(audit_log);
  std::string& snapshot = settings.policy_table.snapshot;
  if (!snapshot.empty()) snapshot = against_base(snapshot);
  if (settings.access_log != "stdout" && settings.access_log != "off") {
    settings.access_log = against_base(settings.access_log);
  }
  std::string& emf_output = settings.telemetry.emf_output;
  if (emf_output != "stdout" && emf_output != "off") emf_output = against_base(emf_output);
  TRY(validate(settings.telemetry));
  TRY(validate(settings.server));
  TRY(settings.workers.validate());
  return settings;
}

std::string settings_as_markdown() {
  std::string out = "| setting | variable | default | meaning |\n|---|---|---|---|\n";
  for (const SettingField& field : setting_fields()) {
    out += "| `" + std::string(field.section) + "." + std::string(field.name) + "` | `" +
           variable_of(field) + "` | " + std::string(field.fallback) + " | " +
           std::string(field.doc) + " |\n";
  }
  return out;
}

}  // namespace tintype
