// SPDX-License-Identifier: Apache-2.0
#include "edge/edge_config.h"

#include <algorithm>
#include <functional>

#include "base/hash.h"
#include "base/json.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

template <class Items, class Print>
std::string list(const Items& items, Print print) {
  JsonArray out;
  for (const auto& item : items) out.raw(print(item));
  return out.str();
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

// The function's texts are bytes: characters 0 to 255. `text` may hold any.
std::string byte_text(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte > 0x7E) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  return out + "\"";
}

std::string hex_text(std::string_view bytes) {
  return byte_text(hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}));
}

std::string gravity_value(const Gravity& gravity) {
  if (gravity.kind == Gravity::Kind::FocalPoint) {
    return list(std::vector<int>{gravity.x_e4, gravity.y_e4}, number);
  }
  Transformation t;
  t.gravity = gravity;
  return byte_text(print_option(t, OptionId::Gravity).value_or("c"));
}

// An option's value as it stands in the function's `t`; null: its default.
std::string option_value(const Transformation& t, OptionId id) {
  auto maybe = [](const std::optional<std::int32_t>& value) {
    return value ? number(*value) : std::string("null");
  };
  switch (id) {
    case OptionId::AspectRatio:
      return t.aspect ? list(std::vector{t.aspect->width, t.aspect->height}, number) : "null";
    case OptionId::Background:
      if (!t.background) return "null";
      return list(std::vector<int>{t.background->red, t.background->green, t.background->blue,
                                   t.background->alpha},
                  number);
    case OptionId::Blur:
      return maybe(t.blur_e2);
    case OptionId::Sharpen:
      return maybe(t.sharpen_e2);
    case OptionId::Trim:
      return maybe(t.trim_threshold);
    case OptionId::Crop: {
      if (!t.crop) return "null";
      bool is_percent = t.crop->unit == CropBox::Unit::Percent;
      return "[" + number(t.crop->x) + "," + number(t.crop->y) + "," + number(t.crop->width) + "," +
             number(t.crop->height) + (is_percent ? ",true]" : ",false]");
    }
    case OptionId::Dpr:
      return t.dpr_auto ? "\"auto\"" : maybe(t.dpr_e2);
    case OptionId::Height:
      return maybe(t.height_px);
    case OptionId::Width:
      return t.width_auto ? "\"auto\"" : maybe(t.width_px);
    case OptionId::Quality:
      return t.quality_auto ? "\"auto\"" : maybe(t.quality_pct);
    case OptionId::Rotate:
      return t.rotate_deg == 0 ? "null" : number(t.rotate_deg);
    case OptionId::Upscale:
      return t.upscale ? "true" : "null";
    case OptionId::Gravity:
      return t.gravity ? gravity_value(*t.gravity) : "null";
    case OptionId::Fit:
      if (t.fit == Fit::Inside) return "\"inside\"";
      [[fallthrough]];
    default:
      auto text = print_option(t, id);
      return text ? byte_text(*text) : "null";
  }
}

std::string option_set(const SitePolicy::OptionSet& set) {
  JsonObject out;
  for (const OptionSpec& spec : option_table()) {
    if ((set.named & bit_of(spec.id)) == 0) continue;
    out.raw(spec.name, option_value(set.transformation, spec.id));
  }
  return out.str();
}

std::string presets(const SitePolicy& site) {
  JsonObject out;
  for (const auto& [name, set] : site.presets) out.raw(name, option_set(set));
  return out.str();
}

// Whether a preset or the defaults ask for what the client's screen or network decides.
bool has_auto(const SitePolicy& site) {
  auto is_auto = [](const SitePolicy::OptionSet& set) {
    return set.transformation.width_auto || set.transformation.dpr_auto ||
           set.transformation.quality_auto;
  };
  return is_auto(site.defaults) ||
         std::any_of(site.presets.begin(), site.presets.end(),
                     [&](const auto& entry) { return is_auto(entry.second); });
}

std::string allowed(std::uint32_t bits) {
  JsonArray out;
  for (const OptionSpec& spec : option_table()) {
    if ((bits & bit_of(spec.id)) != 0) out.add(spec.name);
  }
  return out.str();
}

template <class Known>
Result<> check_known(const std::vector<std::string>& names, std::string_view kind, Known known) {
  for (const std::string& name : names) {
    if (!known(name)) {
      return fail_public(ErrorCode::NotFound,
                         "there is no " + std::string(kind) + " " + name + " in the settings",
                         std::string(kind));
    }
  }
  return {};
}

bool is_chosen(const std::vector<std::string>& names, const std::string& name) {
  return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Result<Policy> select_policy(const Policy& policy, const EdgeSelection& selection) {
  TRY(check_known(selection.sites, "site",
                  [&](const std::string& name) { return policy.find(name) != nullptr; }));
  TRY(check_known(selection.mounts, "mount", [&](const std::string& path) {
    return std::any_of(policy.mounts.begin(), policy.mounts.end(),
                       [&](const Mount& mount) { return mount.path == path; });
  }));
  Policy out;
  out.revision = policy.revision;
  for (const Mount& mount : policy.mounts) {
    if (is_chosen(selection.mounts, mount.path) && is_chosen(selection.sites, mount.site)) {
      out.mounts.push_back(mount);
    }
  }
  for (const auto& [name, site] : policy.sites) {
    bool is_mounted = std::any_of(out.mounts.begin(), out.mounts.end(),
                                  [&](const Mount& mount) { return mount.site == name; });
    // Chosen by its mounts, or by its name.
    bool is_wanted = selection.mounts.empty() ? is_chosen(selection.sites, name) : is_mounted;
    if (!is_wanted) continue;
    if (name == "__proto__") {
      return fail_public(ErrorCode::BadRequest,
                         "a site named __proto__ cannot be served at the edge", "site");
    }
    out.sites.emplace(name, site);
  }
  return out;
}

std::string site_config(const SitePolicy& site) {
  auto word = [](Format format) { return byte_text(name_of(format)); };
  JsonObject out;
  out.raw("order", list(site.format_order, word));
  if (!site.width_ladder.empty()) out.raw("ladder", list(site.width_ladder, number));
  out.raw("limits", list(std::vector{site.limits.max_width_px, site.limits.max_height_px}, number));
  // What the service judges needs no more here than its headers' classes.
  if (site.verify_at_service) {
    if (has_auto(site)) out.field("auto", true);
    return out.field("pass", true).str();
  }
  out.raw("presets", presets(site));
  out.raw("defaults", option_set(site.defaults));
  if (site.unknown_parameters == UnknownParameters::Refuse) out.field("refuse", true);
  if (site.allowed_options) out.raw("allowed", allowed(*site.allowed_options));
  if (!site.signing_keys.empty()) out.raw("keys", list(site.signing_keys, hex_text));
  if (!site.quality_steps.empty()) out.raw("steps", list(site.quality_steps, number));
  if (site.snap_widths) out.field("snap", true);
  if (site.redirects) out.field("redirect", true);
  if (has_auto(site)) out.field("auto", true);
  return out.str();
}

std::string mounts_config(const Policy& policy, const std::vector<std::string>& dialects) {
  auto key = [](const MountKey& pair) {
    JsonArray out;
    out.raw(hex_text(pair.key));
    if (!pair.salt.empty()) out.raw(hex_text(pair.salt));
    return out.str();
  };
  std::vector<Mount> mounts = policy.mounts;
  std::ranges::stable_sort(mounts, std::greater(), [](const Mount& m) { return m.path.size(); });
  return list(mounts, [&](const Mount& mount) {
    JsonObject out;
    out.raw("path", byte_text(mount.path)).raw("site", byte_text(mount.site));
    if (!is_read(policy, mount, dialects)) return out.str();
    out.raw("dialect", byte_text(name_of(mount.dialect)));
    if (!mount.keys.empty()) out.raw("keys", list(mount.keys, key));
    if (!mount.sources.empty()) out.raw("sources", list(mount.sources, byte_text));
    return out.str();
  });
}

std::string edge_config(const Policy& policy, const std::vector<std::string>& dialects) {
  JsonObject sites;
  for (const auto& [name, site] : policy.sites) sites.raw(name, site_config(site));
  JsonObject out;
  out.raw("sites", sites.str()).raw("mounts", mounts_config(policy, dialects));
  return out.str();
}

bool is_for_edge(const Policy& policy, const Mount& mount) {
  const SitePolicy* site = policy.find(mount.site);
  return !site || !site->verify_at_service;
}

bool is_read(const Policy& policy, const Mount& mount, const std::vector<std::string>& dialects) {
  return is_for_edge(policy, mount) &&
         std::find(dialects.begin(), dialects.end(), name_of(mount.dialect)) != dialects.end();
}

bool has_secrets(const Policy& policy, const std::vector<std::string>& dialects) {
  bool has_keys = std::any_of(policy.mounts.begin(), policy.mounts.end(), [&](const Mount& mount) {
    return !mount.keys.empty() && is_read(policy, mount, dialects);
  });
  return has_keys || std::any_of(policy.sites.begin(), policy.sites.end(), [](const auto& entry) {
           return !entry.second.signing_keys.empty() && !entry.second.verify_at_service;
         });
}

std::vector<std::string> sites_for_known_edges(const Policy& policy) {
  std::vector<std::string> names;
  for (const auto& [name, site] : policy.sites) {
    bool is_limited = !site.signing_keys.empty() || site.allowed_options;
    if (is_limited && !site.verify_at_service) names.push_back(name);
  }
  return names;
}

}  // namespace tintype
