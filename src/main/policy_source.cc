// SPDX-License-Identifier: Apache-2.0
#include "main/policy_source.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace tintype {
namespace {

// What could be in a host name; the region becomes part of one.
bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 63 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

bool is_endpoint(const std::string& url) {
  bool is_http = url.starts_with("http://") || url.starts_with("https://");
  auto rest = is_http ? url.substr(url.find("://") + 3) : std::string();
  auto slash = rest.find('/');
  bool has_no_path = slash == std::string::npos || slash + 1 == rest.size();
  return is_http && slash != 0 && !rest.empty() && has_no_path;
}

Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

}  // namespace

Result<DynamoSettings> dynamo_settings(const PolicyTableSettings& table, std::string region) {
  if (table.table.empty()) return refuse("policy_table.name: the name of a table is expected");
  if (!table.region.empty()) region = table.region;
  if (region.empty()) {
    return refuse("policy_table.region: is missing, and AWS_REGION is not set");
  }
  if (!is_name(region)) {
    return refuse("policy_table.region: '" + region + "' is not a region such as eu-central-1");
  }
  if (!table.endpoint.empty() && !is_endpoint(table.endpoint)) {
    return refuse("policy_table.endpoint: '" + table.endpoint +
                  "' is not allowed; expected scheme, host and port, such as "
                  "http://127.0.0.1:8000");
  }
  return DynamoSettings{
      .table = table.table, .region = std::move(region), .endpoint = table.endpoint};
}

Result<std::unique_ptr<PolicySource>> PolicySource::open(const Settings& settings, Parts parts) {
  auto source = std::make_unique<PolicySource>();
  std::string folder = std::filesystem::path(parts.config_path).parent_path().string();
  if (settings.policy_table.table.empty()) {
    auto check = [folder](const std::string& text) -> Result<> {
      TRY(read_settings(text, folder, process_environment()));
      return {};
    };
    TRY(source->file_,
        PolicyFile::open(parts.config_path, parts.blocking, parts.clock, std::move(check)));
    return source;
  }
  TRY(DynamoSettings dynamo, dynamo_settings(settings.policy_table, parts.region));
  source->dynamo_ = std::make_unique<DynamoClient>(parts.aws, std::move(dynamo));
  PolicyTable::Parts table{
      .dynamo = *source->dynamo_, .clock = parts.clock, .base_folder = std::move(folder)};
  source->table_ = PolicyTable::open(std::move(table), settings.policy_table);
  return source;
}

std::vector<std::string> PolicySource::unready_reasons() const {
  return table_ ? table_->unready_reasons() : std::vector<std::string>();
}

void PolicySource::export_metrics(Metrics& metrics) const {
  if (!table_) return;
  auto series = [&](std::string name, std::string help, const char* kind, auto field) {
    metrics.read_at_scrape("tintype_policy_" + name, std::move(help), kind,
                           [this, field] { return static_cast<double>(table_->state().*field); });
  };
  series("age_seconds", "Since the last look at the table that succeeded; -1: none has.", "gauge",
         &PolicyTableState::age_seconds);
  series("sites", "Sites in force.", "gauge", &PolicyTableState::sites);
  series("looks_total", "Looks at the table.", "counter", &PolicyTableState::looks);
  series("failed_looks_total", "Looks that failed.", "counter", &PolicyTableState::failed_looks);
  series("refused_total", "Versions of sites that were refused.", "counter",
         &PolicyTableState::refused);
}

void PolicySource::stop() {
  table_.reset();
}

}  // namespace tintype
