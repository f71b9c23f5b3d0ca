// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "base/text.h"
#include "policy/limits.h"
#include "policy/parse_hooks.h"
#include "policy/parse_mounts.h"
#include "policy/parse_origin.h"
#include "policy/parse_rules.h"
#include "policy/policy.h"
#include "policy/quote.h"
#include "policy/yaml_reader.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

// Limits of the file's own size, far above real use: what is above is a mistake or an attack.
constexpr std::size_t kMaxSites = 10'000;
constexpr std::size_t kMaxPresetsPerSite = 1'000;
constexpr std::int64_t kMaxPixels = 4'000'000'000;  // 65535 x 61036: beyond any format we read

bool is_token(const std::string& name) {
  return parse_token(OptionId::Preset, name).has_value() && name != "." && name != "..";
}

// Reads an optional whole number into a field that keeps its default otherwise.
template <class T>
Result<> read_int(const YamlReader& at, std::string_view key, std::int64_t max, T& field) {
  auto child = at.child(key);
  if (!child) return {};
  TRY(std::int64_t value, child->as_int(1, max));
  field = static_cast<T>(value);
  return {};
}

Result<> read_seconds(const YamlReader& at, std::string_view key, Seconds& field) {
  auto child = at.child(key);
  if (!child) return {};
  TRY(std::int64_t value_ms, child->as_duration_ms());
  if (value_ms % 1000 != 0) return fail(child->error("whole seconds are expected"));
  field = Seconds(value_ms / 1000);
  return {};
}

// ---- limits, formats, options

Result<SiteLimits> read_limits(const YamlReader& site) {
  SiteLimits limits;
  auto at = site.child("limits");
  if (!at) return limits;
  TRY(at->refuse_others({"max_width", "max_height", "max_variant_pixels", "max_source_pixels",
                         "max_progressive_pixels"}));
  TRY(read_int(*at, "max_width", kMaxSide, limits.max_width_px));
  TRY(read_int(*at, "max_height", kMaxSide, limits.max_height_px));
  TRY(read_int(*at, "max_variant_pixels", kMaxPixels, limits.max_variant_pixels));
  TRY(read_int(*at, "max_source_pixels", kMaxPixels, limits.max_source_pixels));
  TRY(read_int(*at, "max_progressive_pixels", kMaxPixels, limits.max_progressive_pixels));
  return limits;
}

Result<std::vector<Format>> read_formats(const YamlReader& at) {
  if (!at.is_list()) return fail(at.error("a list is expected, such as [avif, webp]"));
  std::vector<Format> order;
  for (const YamlReader& item : at.items()) {
    TRY(std::string name, item.as_text());
    auto format = format_named(name);
    if (!format || !is_encodable(*format)) {
      return fail(item.error(quote(name) + " is not allowed; expected avif, webp, jpeg or png"));
    }
    if (std::find(order.begin(), order.end(), *format) != order.end()) {
      return fail(item.error(quote(name) + " stands here twice"));
    }
    order.push_back(*format);
  }
  return order;
}

Result<std::vector<std::int32_t>> read_ladder(const YamlReader& at) {
  if (!at.is_list())
    return fail(at.error("a list of widths is expected, such as [320, 640, 1280]"));
  std::vector<std::int32_t> ladder;
  for (const YamlReader& item : at.items()) {
    TRY(std::int64_t width_px, item.as_int(1, kMaxSide));
    if (!ladder.empty() && width_px <= ladder.back()) {
      return fail(item.error("widths must ascend"));
    }
    ladder.push_back(static_cast<std::int32_t>(width_px));
  }
  return ladder;
}

// One option of a preset or of the defaults, as in a URL.
Result<> take_option(const YamlReader& at, std::pair<std::string, std::string> option,
                     SitePolicy::OptionSet& set) {
  const auto& [name, value] = option;
  const OptionSpec* spec = find_option(name);
  if (spec == nullptr) return fail(at.error(quote(name) + " is not an option"));
  if (spec->id == OptionId::Preset || spec->id == OptionId::Version) {
    return fail(at.error("option " + quote(name) + " is not allowed here"));
  }
  if ((set.named & bit_of(spec->id)) != 0) {
    return fail(at.error("option " + std::string(spec->name) + " stands here twice"));
  }
  if (auto parsed = set_option(set.transformation, spec->id, value); !parsed) {
    return fail(at.error(parsed.error().detail));
  }
  set.named |= bit_of(spec->id);
  return {};
}

// "w=400&h=400&fit=cover"
Result<> read_query(const YamlReader& at, const std::string& query, SitePolicy::OptionSet& set) {
  for (std::string_view pair : split(query, '&')) {
    std::string value(pair.substr(std::min(pair.find('='), pair.size())));
    std::string_view name = pair.substr(0, pair.size() - value.size());
    if (value.empty()) {
      return fail(at.error(quote(pair) + " is not allowed; expected name=value, joined by '&'"));
    }
    std::replace(value.begin(), value.end(), '+', ' ');
    auto decoded = percent_decode(std::string_view(value).substr(1));
    if (!decoded) return fail(at.error(quote(pair) + " holds a malformed % escape"));
    TRY(take_option(at, {std::string(name), *decoded}, set));
  }
  return {};
}

// Both spellings: a query, or a map of options.
Result<SitePolicy::OptionSet> read_options(const YamlReader& at, const SitePolicy& site) {
  SitePolicy::OptionSet set;
  if (at.is_scalar()) {
    TRY(std::string query, at.as_text());
    TRY(read_query(at, query, set));
  } else if (at.is_map()) {
    for (const std::string& name : at.keys()) {
      YamlReader option = *at.child(name);
      TRY(std::string value, option.as_text());
      TRY(take_option(option, {name, value}, set));
    }
  } else {
    return fail(at.error("options are expected, as \"w=400&fit=cover\" or {w: 400, fit: cover}"));
  }
  if (auto within = check_limits(set.transformation, site.limits); !within) {
    return fail(at.error(within.error().detail));
  }
  return set;
}

Result<> read_presets(const YamlReader& at, SitePolicy& site) {
  if (!at.is_map()) return fail(at.error("preset names and their options are expected here"));
  auto names = at.keys();
  if (names.size() > kMaxPresetsPerSite) {
    return fail(at.error("at most " + std::to_string(kMaxPresetsPerSite) + " presets are allowed"));
  }
  for (const std::string& name : names) {
    YamlReader preset = *at.child(name);
    if (!is_token(name)) {
      return fail(preset.error(quote(name) +
                               " is not a preset name; expected 1 to 64 of A-Z a-z 0-9 - . ~"));
    }
    TRY(site.presets[name], read_options(preset, site));
  }
  return {};
}

Result<> read_unknown_parameters(const YamlReader& at, SitePolicy& site) {
  TRY(std::string word, at.as_text());
  if (word == "drop") {
    site.unknown_parameters = UnknownParameters::Drop;
  } else if (word == "refuse") {
    site.unknown_parameters = UnknownParameters::Refuse;
  } else {
    return fail(at.error(quote(word) + " is not allowed; expected drop or refuse"));
  }
  return {};
}

Result<> read_cache(const YamlReader& at, SitePolicy& site) {
  TRY(at.refuse_others({"browser", "variants", "sources"}));
  TRY(read_seconds(at, "browser", site.browser_ttl));
  TRY(read_seconds(at, "variants", site.variant_ttl));
  TRY(read_seconds(at, "sources", site.source_ttl));
  return {};
}

Result<SitePolicy> read_site(const YamlReader& at, const std::string& name,
                             const std::string& base_folder) {
  SitePolicy site;
  site.name = name;
  if (!is_token(name)) {
    return fail(
        at.error(quote(name) + " is not a site name; expected 1 to 64 of A-Z a-z 0-9 - . ~"));
  }
  TRY(at.refuse_others({"origin", "origins", "tags", "limits", "formats", "width_ladder", "mounts",
                        "unknown_parameters", "defaults", "presets", "cache", "signing",
                        "allowed_options", "quality_steps", "snap_widths", "spellings", "hooks"}));
  TRY(read_origins(at, base_folder, site));
  TRY(read_tags(at, site));
  TRY(site.limits, read_limits(at));
  if (auto formats = at.child("formats")) {
    TRY(site.format_order, read_formats(*formats));
  }
  if (auto ladder = at.child("width_ladder")) {
    TRY(site.width_ladder, read_ladder(*ladder));
  }
  if (auto mounts = at.child("mounts")) {
    TRY(site.mounts, read_mounts(*mounts, name));
  }
  TRY(read_url_rules(at, site));
  if (auto unknown = at.child("unknown_parameters")) TRY(read_unknown_parameters(*unknown, site));
  if (auto defaults = at.child("defaults")) {
    TRY(site.defaults, read_options(*defaults, site));
  }
  if (auto presets = at.child("presets")) TRY(read_presets(*presets, site));
  if (auto cache = at.child("cache")) TRY(read_cache(*cache, site));
  TRY(read_hooks(at, site));
  return site;
}

Result<> add_mounts(const YamlReader& at, const SitePolicy& site, Policy& policy) {
  for (const Mount& mount : site.mounts) {
    for (const Mount& other : policy.mounts) {
      if (other.path != mount.path) continue;
      return fail(at.child("mounts")->error("path " + quote(mount.path) +
                                            " is mounted twice, also by site " + other.site));
    }
    policy.mounts.push_back(mount);
  }
  return {};
}

}  // namespace

Result<Policy> parse_policy(const std::string& yaml, const std::string& base_folder) {
  TRY(YamlReader root, YamlReader::parse(yaml));
  if (!root.is_map()) return fail(root.error("settings are expected, beginning with \"sites:\""));
  auto sites = root.child("sites");
  if (!sites) return fail(root.error("sites is missing; at least one site is needed"));
  if (!sites->is_map())
    return fail(sites->error("at least one site is needed: its name and rules"));
  auto names = sites->keys();
  if (names.empty()) return fail(sites->error("at least one site is needed"));
  if (names.size() > kMaxSites) {
    return fail(sites->error("at most " + std::to_string(kMaxSites) + " sites are allowed"));
  }
  Policy policy;
  policy.revision = xxh3_64(view_of(yaml));
  for (const std::string& name : names) {
    YamlReader at = *sites->child(name);
    TRY(SitePolicy site, read_site(at, name, base_folder));
    TRY(add_mounts(at, site, policy));
    policy.sites[name] = std::move(site);
  }
  for (const Mount& mount : policy.mounts) {
    std::string first = mount.path.substr(1, mount.path.find('/', 1) - 1);
    bool is_hidden = policy.sites.contains(first) && mount.path != "/" + mount.site;
    if (!is_hidden) continue;
    return fail(sites->child(mount.site)
                    ->child("mounts")
                    ->error("path " + quote(mount.path) + " would hide canonical paths of site " +
                            quote(first)));
  }
  return policy;
}

}  // namespace tintype
