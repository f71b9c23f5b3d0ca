// SPDX-License-Identifier: Apache-2.0
// The sites' policies as the edge function reads them: its CONFIG (edge/README.md), and what of a
// policy is the edge's at all: sites whose signatures the service checks keep their keys from it.
// Pure.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

namespace tintype {

// What one function is for; empty: everything.
struct EdgeSelection {
  std::vector<std::string> sites, mounts;  // names, and paths of mounts
};

// The policy with the chosen sites and mounts only. Fails with NotFound on a name that is not in
// it, and with BadRequest on what the function could not hold: a site named __proto__.
Result<Policy> select_policy(const Policy& policy, const EdgeSelection& selection);

// One site, {"order":[…],…}: ASCII, bytes above 0x7E as \u00XX, fields at their default left out.
std::string site_config(const SitePolicy& site);
// [{"path":…,"dialect":…,"site":…},…], the longest path first. Mounts of other than these dialects
// are passed on to the service, which judges them: without dialect, keys and sources. So are those
// of sites whose signatures the service checks.
std::string mounts_config(const Policy& policy, const std::vector<std::string>& dialects);
// {"sites":{…},"mounts":[…]}.
std::string edge_config(const Policy& policy, const std::vector<std::string>& dialects);

// Whether a mount is read at the edge as far as its site is concerned: not where the service checks
// the signatures.
bool is_for_edge(const Policy& policy, const Mount& mount);
// Whether a mount is read by a function with these dialects; else it is passed on.
bool is_read(const Policy& policy, const Mount& mount, const std::vector<std::string>& dialects);

// Whether sites, or mounts of these dialects, have keys of signatures that the edge checks.
bool has_secrets(const Policy& policy, const std::vector<std::string>& dialects);

// The names of sites that sign, or allow only some options, and leave that to the edge: the service
// takes their canonical paths from nobody but an edge that it knows by its secret (see
// policy/signature.h).
std::vector<std::string> sites_for_known_edges(const Policy& policy);

}  // namespace tintype
