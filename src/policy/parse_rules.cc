// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_rules.h"

#include <algorithm>

#include "policy/quote.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxSigningKeys = 2;  // the second while keys are rotated
// 128 bits: below that a key is a password, and could be guessed from a signed URL.
constexpr std::size_t kMinKeyBytes = 16;

Result<> read_verify_at(const YamlReader& at, SitePolicy& site) {
  TRY(std::string word, at.as_text());
  if (word != "edge" && word != "service") {
    return fail(at.error(quote(word) + " is not allowed; expected edge or service"));
  }
  site.verify_at_service = word == "service";
  return {};
}

Result<> read_signing(const YamlReader& at, SitePolicy& site) {
  if (!at.is_map()) return fail(at.error("expected { keys: [<secret>] }"));
  TRY(at.refuse_others({"keys", "verify_at"}));
  if (auto verify_at = at.child("verify_at")) TRY(read_verify_at(*verify_at, site));
  auto keys = at.child("keys");
  auto items = keys ? keys->items() : std::vector<YamlReader>();
  if (items.empty() || items.size() > kMaxSigningKeys) {
    return fail(at.error("keys: a list of one key is expected, two while keys are rotated"));
  }
  for (const YamlReader& item : items) {
    TRY(std::string key, item.as_text());
    if (key.size() < kMinKeyBytes) {
      return fail(item.error("a key of at least " + std::to_string(kMinKeyBytes) +
                             " characters is expected, such as openssl rand -base64 32 makes"));
    }
    site.signing_keys.push_back(std::move(key));
  }
  for (const Mount& mount : site.mounts) {
    bool is_open = mount.dialect != Dialect::Native && mount.keys.empty();
    if (!is_open) continue;
    return fail(at.error("mount " + quote(mount.path) +
                         " has no keys: the site signs its URLs, and this way in would be open"));
  }
  return {};
}

Result<> read_allowed_options(const YamlReader& at, SitePolicy& site) {
  if (!at.is_list()) return fail(at.error("a list of options is expected, such as [w, h, p]"));
  for (const Mount& mount : site.mounts) {
    if (mount.dialect == Dialect::Native) continue;
    return fail(at.error("mount " + quote(mount.path) +
                         " is in a language of its own, whose options this cannot limit"));
  }
  std::uint32_t allowed = 0;
  for (const YamlReader& item : at.items()) {
    TRY(std::string name, item.as_text());
    const OptionSpec* spec = find_option(name);
    if (spec == nullptr) return fail(item.error(quote(name) + " is not an option"));
    allowed |= bit_of(spec->id);
  }
  site.allowed_options = allowed;
  return {};
}

Result<> read_quality_steps(const YamlReader& at, SitePolicy& site) {
  if (!at.is_list()) return fail(at.error("a list of qualities is expected, such as [60, 75, 90]"));
  for (const YamlReader& item : at.items()) {
    TRY(std::int64_t quality_pct, item.as_int(1, 100));
    if (!site.quality_steps.empty() && quality_pct <= site.quality_steps.back()) {
      return fail(item.error("qualities must ascend"));
    }
    site.quality_steps.push_back(static_cast<std::int32_t>(quality_pct));
  }
  return {};
}

Result<> read_spellings(const YamlReader& at, SitePolicy& site) {
  TRY(std::string word, at.as_text());
  if (word != "serve" && word != "redirect") {
    return fail(at.error(quote(word) + " is not allowed; expected serve or redirect"));
  }
  site.redirects = word == "redirect";
  bool is_dead_end = !site.signing_keys.empty() || site.allowed_options;
  if (site.redirects && is_dead_end) {
    return fail(
        at.error("a redirect to the canonical path would be refused: it carries no "
                 "signature, and where options are limited it is not for everyone"));
  }
  return {};
}

}  // namespace

Result<> read_url_rules(const YamlReader& at, SitePolicy& site) {
  if (auto signing = at.child("signing")) TRY(read_signing(*signing, site));
  if (auto allowed = at.child("allowed_options")) TRY(read_allowed_options(*allowed, site));
  if (auto steps = at.child("quality_steps")) TRY(read_quality_steps(*steps, site));
  if (auto snap = at.child("snap_widths")) {
    TRY(site.snap_widths, snap->as_bool());
  }
  if (auto spellings = at.child("spellings")) TRY(read_spellings(*spellings, site));
  return {};
}

}  // namespace tintype
