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

Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

Result<> check(const Settings& settings) {
  if (settings.disk && settings.disk->folder.empty()) return refuse("cache.disk: needs a folder");
  if (settings.sources && settings.sources->folder.empty()) {
    return refuse("cache.sources: needs a folder");
  }
  if (settings.variants && settings.variants->s3.bucket.empty()) {
    return refuse("variants: needs s3.bucket");
  }
  if (settings.variants && settings.variants->leases && settings.policy_table.table.empty()) {
    return refuse("variants.leases: needs policy_table.name: leases stand in that table");
  }
  if (settings.policy_table.refresh_ms < Milliseconds(1'000)) {
    return refuse("policy_table.refresh: must be at least 1s");
  }
  TRY(validate(settings.telemetry));
  TRY(validate(settings.server));
  return settings.workers.validate();
}

// Relative paths are meant from where the settings file stands.
void resolve_paths(Settings& settings, const std::string& base_folder) {
  auto resolve = [&](std::string& path) {
    if (path.empty()) return;
    path = (std::filesystem::path(base_folder) / path).lexically_normal().string();
  };
  if (settings.disk) resolve(settings.disk->folder);
  if (settings.sources) resolve(settings.sources->folder);
  resolve(settings.purging.audit_log);
  resolve(settings.policy_table.snapshot);
  for (std::string* output : {&settings.access_log, &settings.telemetry.emf_output}) {
    if (*output != "stdout" && *output != "off") resolve(*output);
  }
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
  resolve_paths(settings, base_folder);
  TRY(check(settings));
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
