// SPDX-License-Identifier: Apache-2.0
#include "main/policy_desk.h"

#include <filesystem>
#include <fstream>
#include <utility>

#include "main/config_file.h"
#include "main/policy_source.h"
#include "store/policy_judge.h"

namespace tintype {
namespace {

// Of one question with its pages and retries; a person waits for it.
constexpr Milliseconds kPatience{60'000};
// DynamoDB's limit is 400 KB an item, its keys included.
constexpr std::size_t kMaxDocBytes = 390'000;
constexpr std::int64_t kNotYetPushed = -1;

// Runs one question to its end on a loop of its own.
template <class T>
Result<T> ask(Task<Result<T>> task) {
  asio::io_context loop;
  Result<T> result = fail_private(ErrorCode::Internal, "the question was not answered");
  auto keep = [](Task<Result<T>> awaited, Result<T>& kept) -> Task<> {
    kept = co_await std::move(awaited);
  };
  asio::co_spawn(loop, keep(std::move(task), result), asio::detached);
  loop.run();
  return result;
}

std::string user_name() {
  Environment environment = process_environment();
  return environment("USER").value_or(environment("LOGNAME").value_or("unknown"));
}

Result<PolicyTableSettings> table_of(const PolicyArguments& arguments) {
  PolicyTableSettings table;
  if (std::filesystem::exists(arguments.config)) {
    TRY(Settings settings, load_settings(arguments.config));
    table = settings.policy_table;
  }
  if (!arguments.table.empty()) table.table = arguments.table;
  if (!arguments.region.empty()) table.region = arguments.region;
  if (!arguments.endpoint.empty()) table.endpoint = arguments.endpoint;
  if (table.table.empty()) {
    return fail_public(
        ErrorCode::BadRequest,
        "which table? Name it with --table, or as policy_table.name in " + arguments.config);
  }
  return table;
}

Result<> check_sizes(const PolicyItems& sites) {
  for (const auto& [site, items] : sites) {
    for (const PolicyItem& item : items) {
      if (item.doc.size() <= kMaxDocBytes) continue;
      return fail_public(ErrorCode::TooLarge, label_of(site, item) + ": is larger than 390 KB");
    }
  }
  return {};
}

}  // namespace

Result<PolicyItems> read_local_policy(const PolicyArguments& arguments) {
  // As a service would: the fault names the file's line.
  TRY(load_policy(arguments.config));
  std::ifstream in(arguments.config, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  TRY(PolicyItems items, split_policy(text));
  TRY(check_sizes(items));
  if (arguments.site.empty()) return items;
  std::erase_if(items, [&](const auto& site) { return site.first != arguments.site; });
  if (items.empty()) {
    return fail_public(ErrorCode::NotFound,
                       arguments.config + ": has no site named " + arguments.site);
  }
  return items;
}

Result<std::unique_ptr<PolicyDesk>> PolicyDesk::open(const PolicyArguments& arguments) {
  TRY(PolicyTableSettings table, table_of(arguments));
  Environment environment = process_environment();
  std::string region =
      environment("AWS_REGION").value_or(environment("AWS_DEFAULT_REGION").value_or(""));
  TRY(DynamoSettings settings, dynamo_settings(table, std::move(region)));
  return std::unique_ptr<PolicyDesk>(new PolicyDesk(std::move(settings), arguments));
}

PolicyDesk::PolicyDesk(DynamoSettings settings, const PolicyArguments& arguments)
    : http_({}, clock_),
      credentials_(open_aws_credential_chain(process_environment(), http_, clock_)),
      aws_(http_, *credentials_, clock_),
      dynamo_(aws_, std::move(settings)),
      versions_(dynamo_, clock_),
      site_(arguments.site),
      config_(arguments.config) {}

Deadline PolicyDesk::deadline() const {
  return Deadline::after(clock_, kPatience);
}

Result<PolicyIndex> PolicyDesk::chosen_index() {
  TRY(PolicyIndex found, index());
  if (!site_.empty()) {
    std::erase_if(found, [&](const auto& site) { return site.first != site_; });
  }
  return found;
}

Result<std::vector<SiteDifference>> PolicyDesk::compare(const PolicyItems& local, DiffStyle style) {
  TRY(PolicyIndex found, chosen_index());
  std::vector<SiteDifference> differences;
  for (const auto& [site, items] : local) {
    SiteDifference difference{.site = site, .items = items};
    SiteItems before;
    if (auto version = found.find(site); version != found.end()) {
      difference.before = version->second;
      if (difference.before.revision == revision_of(items)) continue;
      TRY(before, load(site, difference.before));
    }
    difference.text = diff_of_site(before, items, style);
    if (!difference.text.empty()) differences.push_back(std::move(difference));
  }
  for (const auto& [site, version] : found) {
    if (local.contains(site)) continue;
    differences.push_back({.site = site, .before = version, .is_local = false});
  }
  return differences;
}

Result<> PolicyDesk::check_together(const std::vector<SiteDifference>& changes) {
  TRY(PolicyIndex found, index());
  for (const SiteDifference& change : changes) found.erase(change.site);
  LoadedSites others;
  for (const auto& [site, version] : found) {
    auto items = load(site, version);
    if (!items) return fail(items.error());
    if (!items->empty()) others[site] = {version, std::move(*items)};
  }
  LoadedSites all = others;
  for (const SiteDifference& change : changes) {
    if (change.is_local) all[change.site] = {{.version = kNotYetPushed}, change.items};
  }
  if (all.empty()) {
    return fail_public(ErrorCode::BadRequest,
                       "no site would be left; services would keep the sites they have");
  }
  std::string folder = std::filesystem::absolute(config_).parent_path().string();
  for (const Refusal& refusal : judge(others, all, folder).refused) {
    if (refusal.version != kNotYetPushed) continue;  // wrong already, and not what is pushed
    return fail_public(ErrorCode::BadRequest,
                       "with the other sites of the table: " + refusal.reason);
  }
  return {};
}

Result<SiteItems> PolicyDesk::load(const std::string& site, const SiteVersion& version) {
  auto items = ask(versions_.load(site, version.version, version.items, deadline()));
  bool is_broken =
      !items && items.error().code == ErrorCode::NotFound && !items.error().detail.empty();
  if (is_broken) return SiteItems();
  return items;
}

Result<std::optional<std::int64_t>> PolicyDesk::push(const SiteDifference& difference,
                                                     const std::string& by) {
  if (!difference.is_local) {
    PolicyVersions::Move out{.site = difference.site, .base = difference.before.version, .to = 0};
    TRY(bool is_done, move(std::move(out)));
    return is_done ? std::optional<std::int64_t>(0) : std::nullopt;
  }
  PolicyVersions::Push push{.site = difference.site,
                            .items = difference.items,
                            .base = difference.before.version,
                            .by = by.empty() ? user_name() : by};
  return ask(versions_.push(std::move(push), deadline()));
}

Result<PolicyItems> PolicyDesk::pull() {
  TRY(PolicyIndex found, chosen_index());
  PolicyItems items;
  for (const auto& [site, version] : found) {
    TRY(items[site], ask(versions_.load(site, version.version, version.items, deadline())));
  }
  return items;
}

Result<PolicyIndex> PolicyDesk::index() {
  return ask(versions_.index(deadline()));
}

Result<SiteVersion> PolicyDesk::in_force(const std::string& site) {
  return ask(versions_.in_force(site, deadline()));
}

Result<std::vector<SiteVersion>> PolicyDesk::history(const std::string& site) {
  return ask(versions_.history(site, deadline()));
}

Result<bool> PolicyDesk::move(PolicyVersions::Move move) {
  return ask(versions_.move(std::move(move), deadline()));
}

Result<bool> PolicyDesk::create_table() {
  return ask(dynamo_.create_table(deadline()));
}

}  // namespace tintype
