// SPDX-License-Identifier: Apache-2.0
#include "delivery/standard_variants.h"

#include <algorithm>
#include <utility>

#include "delivery/naming.h"
#include "dialect/request.h"
#include "policy/limits.h"
#include "transform/canonical_path.h"
#include "transform/settle.h"

namespace tintype {

std::vector<std::string> accepts_of(const SitePolicy& site) {
  std::vector<std::string> accepts;
  for (Format format : site.format_order) accepts.emplace_back(media_type_of(format));
  accepts.emplace_back();
  return accepts;
}

Result<std::vector<StandardVariant>> standard_variants(const SitePolicy& site,
                                                       const StandardOrder& order) {
  SettleRules rules = rules_of(site);
  Ask ask;
  ask.site = site.name;
  TRY(ask.source, check_source(order.source));
  std::vector<StandardVariant> variants;
  for (const std::string& preset : order.presets) {
    ask.preset = preset;
    TRY(Ask admitted, admit(ask, site));
    for (const std::string& accept : order.accepts) {
      TRY(Transformation settled, settle(admitted, Hints{.accept = accept}, rules));
      TRY(check_limits(settled, site.limits));
      std::string path = canonical_path(admitted, settled);
      bool is_there = std::ranges::find(variants, path, &StandardVariant::path) != variants.end();
      if (!is_there) variants.push_back({std::move(path), settled});
    }
  }
  return variants;
}

}  // namespace tintype
