// SPDX-License-Identifier: Apache-2.0
#include "store/policy_versions.h"

#include <algorithm>
#include <set>
#include <utility>

#include "telemetry/log.h"

namespace tintype {
namespace {

constexpr char kIndex[] = "_sites";
// Eight digits of a sort key.
constexpr std::int64_t kMaxVersion = 99'999'999;

SiteVersion version_of(const DynamoItem& item) {
  return {.version = number_at(item, "version"),
          .revision = text_at(item, "revision"),
          .items = number_at(item, "items"),
          .updated_unix_seconds = number_at(item, "updated"),
          .by = text_at(item, "by")};
}

DynamoItem item_of(const std::string& site, std::int64_t version, const PolicyItem& piece) {
  return {{"pk", site}, {"sk", sort_key_of(version, piece)}, {"doc", piece.doc}};
}

void describe(DynamoItem& item, const SiteVersion& version) {
  item["version"] = version.version;
  item["revision"] = version.revision;
  item["items"] = version.items;
  item["updated"] = version.updated_unix_seconds;
  item["by"] = version.by;
}

// "nobody has moved the pointer"
DynamoExpression unmoved(std::int64_t base) {
  DynamoExpression expression{.text = "attribute_not_exists(#version)",
                              .names = {{"#version", "version"}}};
  if (base > 0) {
    expression.text = "#version = :base";
    expression.values[":base"] = base;
  }
  return expression;
}

Failure not_there(const std::string& site, std::int64_t version, const std::string& what) {
  return fail_public(ErrorCode::NotFound,
                     "site " + site + ", version " + std::to_string(version) + ": " + what);
}

}  // namespace

Task<Result<PolicyIndex>> PolicyVersions::index(Deadline deadline) {
  DynamoQuery query{.pk = kIndex};
  CO_TRY(auto items, co_await dynamo_.query(std::move(query), deadline));
  PolicyIndex index;
  for (const DynamoItem& item : items) {
    SiteVersion version = version_of(item);
    if (version.version > 0) index[text_at(item, "sk")] = std::move(version);
  }
  co_return index;
}

Task<Result<SiteVersion>> PolicyVersions::in_force(std::string site, Deadline deadline) {
  DynamoKey key{kIndex, std::move(site)};
  CO_TRY(auto item, co_await dynamo_.get(std::move(key), deadline));
  co_return item ? version_of(*item) : SiteVersion();
}

Task<Result<SiteItems>> PolicyVersions::load(std::string site, std::int64_t version,
                                             std::int64_t items, Deadline deadline) {
  DynamoQuery query{.pk = site, .sk_prefix = sort_prefix_of(version)};
  CO_TRY(auto found, co_await dynamo_.query(std::move(query), deadline));
  SiteItems pieces;
  for (const DynamoItem& item : found) {
    auto key = parse_sort_key(text_at(item, "sk"));
    if (!key) co_return not_there(site, version, "item " + text_at(item, "sk") + " is not ours");
    pieces.push_back({std::move(key->kind), std::move(key->name), text_at(item, "doc")});
  }
  if (pieces.empty() || static_cast<std::int64_t>(pieces.size()) != items) {
    co_return not_there(site, version,
                        "the table holds " + std::to_string(pieces.size()) + " of its " +
                            std::to_string(items) +
                            " items; push it again, or roll back to another version");
  }
  std::sort(pieces.begin(), pieces.end());
  co_return pieces;
}

Task<Result<std::vector<SiteVersion>>> PolicyVersions::history(std::string site,
                                                               Deadline deadline) {
  DynamoQuery query{.pk = std::move(site),
                    .attributes = {"sk", "version", "revision", "items", "updated", "by"}};
  CO_TRY(auto found, co_await dynamo_.query(std::move(query), deadline));
  std::map<std::int64_t, std::int64_t> counts;
  std::vector<SiteVersion> versions;
  for (const DynamoItem& item : found) {
    auto key = parse_sort_key(text_at(item, "sk"));
    if (!key) continue;
    ++counts[key->version];
    if (key->kind == "site") versions.push_back(version_of(item));
  }
  std::erase_if(versions, [&](const SiteVersion& v) { return counts[v.version] != v.items; });
  std::reverse(versions.begin(), versions.end());
  co_return versions;
}

// A number of one's own: two pushers never write into one version.
Task<Result<std::int64_t>> PolicyVersions::reserve_version(std::string site, Deadline deadline) {
  DynamoUpdate update{
      .key = {kIndex, site},
      .change = "SET #last = if_not_exists(#last, :zero) + :one",
      .condition = {.names = {{"#last", "last_version"}}, .values = {{":zero", 0}, {":one", 1}}}};
  CO_TRY(auto item, co_await dynamo_.update(std::move(update), deadline));
  std::int64_t version = item ? number_at(*item, "last_version") : 0;
  if (version < 1 || version > kMaxVersion) {
    co_return fail_public(ErrorCode::Internal,
                          "site " + site + ": last_version in the table is not a version");
  }
  co_return version;
}

Task<Result<bool>> PolicyVersions::point_at(std::string site, std::int64_t base, SiteVersion next,
                                            Deadline deadline) {
  DynamoUpdate update{.key = {kIndex, site},
                      .change =
                          "SET #version = :version, #revision = :revision, #items = :items, "
                          "#updated = :updated, #by = :by",
                      .condition = unmoved(base)};
  for (const char* name : {"version", "revision", "items", "updated", "by"}) {
    update.condition.names[std::string("#") + name] = name;
  }
  DynamoItem described;
  describe(described, next);
  for (auto& [name, value] : described) update.condition.values[":" + name] = std::move(value);
  CO_TRY(auto item, co_await dynamo_.update(std::move(update), deadline));
  if (item) co_return true;
  // The answer to a first attempt may have been lost: then it is ours that stands there.
  CO_TRY(SiteVersion now, co_await in_force(site, deadline));
  co_return now.version == next.version&& base != next.version;
}

Task<Result<bool>> PolicyVersions::take_out(std::string site, std::int64_t base,
                                            Deadline deadline) {
  DynamoUpdate update{.key = {kIndex, site},
                      .change = "REMOVE #version, #revision, #items, #updated, #by",
                      .condition = unmoved(base)};
  for (const char* name : {"version", "revision", "items", "updated", "by"}) {
    update.condition.names[std::string("#") + name] = name;
  }
  CO_TRY(auto item, co_await dynamo_.update(std::move(update), deadline));
  if (item) co_return true;
  CO_TRY(SiteVersion now, co_await in_force(site, deadline));
  co_return now.version == 0;
}

Task<Result<>> PolicyVersions::remove_version(std::string site, std::int64_t version,
                                              Deadline deadline) {
  DynamoQuery query{.pk = site, .sk_prefix = sort_prefix_of(version), .attributes = {"sk"}};
  CO_TRY(auto found, co_await dynamo_.query(std::move(query), deadline));
  std::vector<DynamoKey> keys;
  for (const DynamoItem& item : found) keys.push_back({site, text_at(item, "sk")});
  co_return co_await dynamo_.remove_all(std::move(keys), deadline);
}

// Versions older than the newest kKept, but never the one in force, nor those above `newest`: their
// pushes may not have ended.
Task<Result<>> PolicyVersions::forget_old(std::string site, std::int64_t newest,
                                          Deadline deadline) {
  CO_TRY(SiteVersion now, co_await in_force(site, deadline));
  DynamoQuery query{.pk = site, .attributes = {"sk"}};
  CO_TRY(auto found, co_await dynamo_.query(std::move(query), deadline));
  std::set<std::int64_t> versions;
  for (const DynamoItem& item : found) {
    auto key = parse_sort_key(text_at(item, "sk"));
    if (key && key->version <= newest) versions.insert(key->version);
  }
  std::vector<DynamoKey> keys;
  std::size_t kept = std::min<std::size_t>(kKept, versions.size());
  auto first_kept = std::prev(versions.end(), static_cast<std::ptrdiff_t>(kept));
  for (const DynamoItem& item : found) {
    auto key = parse_sort_key(text_at(item, "sk"));
    bool is_old = key && first_kept != versions.end() && key->version < *first_kept &&
                  key->version != now.version;
    if (is_old) keys.push_back({site, text_at(item, "sk")});
  }
  co_return co_await dynamo_.remove_all(std::move(keys), deadline);
}

Task<Result<std::optional<std::int64_t>>> PolicyVersions::push(Push push, Deadline deadline) {
  CO_TRY(std::int64_t number, co_await reserve_version(push.site, deadline));
  SiteVersion next{.version = number,
                   .revision = revision_of(push.items),
                   .items = static_cast<std::int64_t>(push.items.size()),
                   .updated_unix_seconds = clock_.unix_seconds(),
                   .by = push.by};
  std::vector<DynamoItem> items;
  for (const PolicyItem& piece : push.items) {
    items.push_back(item_of(push.site, number, piece));
    if (piece.kind == "site") describe(items.back(), next);
  }
  CO_TRY(co_await dynamo_.put_all(std::move(items), deadline));
  CO_TRY(bool is_ours, co_await point_at(push.site, push.base, next, deadline));
  // From here on the push has been decided; what cannot be tidied today is tidied by the next one.
  Result<> tidied;
  if (is_ours) {
    tidied = co_await forget_old(push.site, number, deadline);
  } else {
    tidied = co_await remove_version(push.site, number, deadline);
  }
  if (!tidied) {
    log(LogLevel::Warn, "policy.untidy", {{"site", push.site}, {"reason", tidied.error().message}});
  }
  co_return is_ours ? std::optional(number) : std::nullopt;
}

Task<Result<bool>> PolicyVersions::move(Move move, Deadline deadline) {
  if (move.to == 0) co_return co_await take_out(move.site, move.base, deadline);
  CO_TRY(auto versions, co_await history(move.site, deadline));
  auto kept = std::find_if(versions.begin(), versions.end(),
                           [&](const SiteVersion& version) { return version.version == move.to; });
  if (kept == versions.end()) {
    co_return not_there(move.site, move.to, "is not kept; tintype policy history lists what is");
  }
  co_return co_await point_at(move.site, move.base, *kept, deadline);
}

}  // namespace tintype
