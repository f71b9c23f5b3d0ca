// SPDX-License-Identifier: Apache-2.0
#include "store/policy_judge.h"

#include <utility>

#include <nlohmann/json.hpp>

namespace tintype {
namespace {

using nlohmann::json;

// ---- judging

struct Reading {
  Result<Policy> policy;
  std::string site_at_fault;  // empty: not a site's
};

Reading read_sites(const LoadedSites& sites, const std::string& base_folder) {
  if (sites.empty()) return {Policy(), {}};
  PolicyItems items;
  for (const auto& [site, loaded] : sites) items[site] = loaded.items;
  auto text = assemble_policy(items);
  if (!text) return {fail(text.error()), {}};
  auto policy = parse_policy(text->text, base_folder);
  if (policy) return {std::move(policy), {}};
  return {fail(text->explain(policy.error())), text->site_of(policy.error())};
}

class Judge {
 public:
  Judge(const LoadedSites& before, const std::string& base_folder)
      : before_(before), base_folder_(base_folder) {}

  Judgement run(const LoadedSites& wanted) {
    LoadedSites all;
    for (const auto& [site, loaded] : wanted) choose_alone(site, loaded, all);
    auto reading = read_sites(all, base_folder_);
    if (reading.policy) {
      out_.accepted = std::move(all);
    } else {
      reading = choose_together(all);
    }
    out_.policy = std::make_shared<const Policy>(std::move(*reading.policy));
    return std::move(out_);
  }

 private:
  bool is_new(const std::string& site, const LoadedSite& loaded) const {
    auto old = before_.find(site);
    return old == before_.end() || !(old->second.version == loaded.version);
  }

  void refuse(const std::string& site, const LoadedSite& loaded, const Reading& reading) {
    const Error& error = reading.policy.error();
    std::string reason = error.detail.empty() ? error.message : error.detail;
    // Of two that do not go together the parser names one, not always the one that is refused.
    bool is_elsewhere = !reading.site_at_fault.empty() && reading.site_at_fault != site;
    if (is_elsewhere) reason = "site " + site + " does not go together with " + reason;
    out_.refused.push_back({site, loaded.version.version, std::move(reason)});
  }

  // The new version where it is right by itself, else the old one, else none.
  void choose_alone(const std::string& site, const LoadedSite& loaded, LoadedSites& all) {
    auto reading =
        is_new(site, loaded) ? read_sites({{site, loaded}}, base_folder_) : Reading{Policy(), {}};
    if (reading.policy) {
      all[site] = loaded;
      return;
    }
    refuse(site, loaded, reading);
    auto old = before_.find(site);
    if (old != before_.end()) all[site] = old->second;
  }

  // One after the other, those that have not changed first: who comes too late is refused.
  Reading choose_together(const LoadedSites& all) {
    Reading last{Policy(), {}};
    for (bool is_new_turn : {false, true}) {
      for (const auto& [site, loaded] : all) {
        if (is_new(site, loaded) == is_new_turn) add(site, loaded, last);
      }
    }
    return last;
  }

  void add(const std::string& site, const LoadedSite& loaded, Reading& last) {
    out_.accepted[site] = loaded;
    auto reading = read_sites(out_.accepted, base_folder_);
    if (reading.policy) {
      last = std::move(reading);
      return;
    }
    refuse(site, loaded, reading);
    out_.accepted.erase(site);
    auto old = before_.find(site);
    if (old == before_.end() || !is_new(site, loaded)) return;
    out_.accepted[site] = old->second;
    reading = read_sites(out_.accepted, base_folder_);
    if (reading.policy) {
      last = std::move(reading);
    } else {
      out_.accepted.erase(site);
    }
  }

  const LoadedSites& before_;
  const std::string& base_folder_;
  Judgement out_;
};

// ---- the snapshot

std::string text_in(const json& object, const char* name) {
  auto place = object.find(name);
  return place != object.end() && place->is_string() ? place->get<std::string>() : std::string();
}

std::int64_t number_in(const json& object, const char* name) {
  auto place = object.find(name);
  return place != object.end() && place->is_number_integer() ? place->get<std::int64_t>() : 0;
}

json json_of(const LoadedSite& site) {
  json items = json::array();
  for (const PolicyItem& item : site.items) {
    items.push_back({{"kind", item.kind}, {"name", item.name}, {"doc", item.doc}});
  }
  return {{"version", site.version.version}, {"revision", site.version.revision},
          {"items", site.version.items},     {"updated", site.version.updated_unix_seconds},
          {"by", site.version.by},           {"pieces", std::move(items)}};
}

Result<LoadedSite> site_of(const json& object) {
  auto corrupt = [] {
    return fail_private(ErrorCode::Corrupt, "a site of the snapshot is damaged");
  };
  if (!object.is_object()) return corrupt();
  LoadedSite site;
  site.version = {.version = number_in(object, "version"),
                  .revision = text_in(object, "revision"),
                  .items = number_in(object, "items"),
                  .updated_unix_seconds = number_in(object, "updated"),
                  .by = text_in(object, "by")};
  auto pieces = object.find("pieces");
  if (pieces == object.end() || !pieces->is_array()) return corrupt();
  for (const json& piece : *pieces) {
    if (!piece.is_object()) return corrupt();
    site.items.push_back({text_in(piece, "kind"), text_in(piece, "name"), text_in(piece, "doc")});
  }
  if (site.version.version < 1) return corrupt();
  return site;
}

}  // namespace

Judgement judge(const LoadedSites& before, const LoadedSites& wanted,
                const std::string& base_folder) {
  return Judge(before, base_folder).run(wanted);
}

std::string write_snapshot(const LoadedSites& sites, std::int64_t now_unix_seconds) {
  json all = json::object();
  for (const auto& [name, site] : sites) all[name] = json_of(site);
  json snapshot{{"saved", now_unix_seconds}, {"sites", std::move(all)}};
  return snapshot.dump(1, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Snapshot> read_snapshot(std::string_view text) {
  json root = json::parse(text, nullptr, false);
  auto sites = root.is_object() ? root.find("sites") : root.end();
  if (!root.is_object() || sites == root.end() || !sites->is_object()) {
    return fail_private(ErrorCode::Corrupt, "the snapshot is not JSON, or holds no sites");
  }
  Snapshot snapshot;
  snapshot.saved_unix_seconds = number_in(root, "saved");
  for (const auto& [name, object] : sites->items()) {
    TRY(snapshot.sites[name], site_of(object));
  }
  return snapshot;
}

}  // namespace tintype
