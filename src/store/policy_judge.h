// SPDX-License-Identifier: Apache-2.0
// judge: which versions of the sites in the table become the policy. A site whose new version is
// wrong, or does not go together with the other sites (a mount that two claim), keeps the version
// it had; the others get theirs. Also the snapshot, in which what was accepted outlives the process
// and the table's outages. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"
#include "store/policy_items.h"
#include "store/policy_versions.h"

namespace tintype {

struct LoadedSite {
  SiteVersion version;
  SiteItems items;
};
using LoadedSites = std::map<std::string, LoadedSite, std::less<>>;

struct Refusal {
  std::string site;
  std::int64_t version = 0;
  std::string reason;  // "site shop, preset card: sites.shop.presets.card.w: …"
};

struct Judgement {
  SharedPolicy policy;   // of no sites when there are none
  LoadedSites accepted;  // what it is made of
  std::vector<Refusal> refused;
};

// `before` is what was accepted last, `wanted` what the table has in force.
Judgement judge(const LoadedSites& before, const LoadedSites& wanted,
                const std::string& base_folder);

// JSON. It holds the policy's secrets.
std::string write_snapshot(const LoadedSites& sites, std::int64_t now_unix_seconds);
struct Snapshot {
  LoadedSites sites;
  std::int64_t saved_unix_seconds = 0;
};
// Fails with Corrupt.
Result<Snapshot> read_snapshot(std::string_view text);

}  // namespace tintype
