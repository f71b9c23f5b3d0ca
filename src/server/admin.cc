// SPDX-License-Identifier: Apache-2.0
#include "server/admin.h"

#include "base/json.h"
#include "server/problem.h"

namespace tintype {
namespace {

constexpr std::string_view kJson = "application/json";
// Prometheus' text exposition format, version 0.0.4.
constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

SharedEntry health(const ServerState& state) {
  std::string_view word = state.is_stuck ? "stuck" : state.is_draining ? "draining" : "ok";
  int status = word == "ok" ? 200 : 503;
  return page_entry(status, kJson, JsonObject().field("status", word).str() + "\n");
}

SharedEntry readiness(const AdminParts& parts, const ServerState& state) {
  std::vector<std::string> reasons;
  if (parts.unready_reasons) reasons = parts.unready_reasons();
  if (state.is_draining) reasons.emplace_back("draining");
  if (state.is_stuck) reasons.emplace_back("stuck");
  if (parts.is_saturated && parts.is_saturated()) reasons.emplace_back("saturated");
  JsonArray list;
  for (const std::string& reason : reasons) list.add(reason);
  JsonObject json;
  json.field("ready", reasons.empty()).raw("reasons", list.str());
  json.field("connections", state.connections);
  return page_entry(reasons.empty() ? 200 : 503, kJson, json.str() + "\n");
}

}  // namespace

Answer answer_admin(std::string_view target, const AdminParts& parts, const ServerState& state) {
  std::string_view path = target.substr(0, target.find('?'));
  Answer answer;
  if (path == "/_/health") {
    answer.entry = health(state);
  } else if (path == "/_/ready") {
    answer.entry = readiness(parts, state);
  } else if (path == "/_/metrics" && parts.metrics) {
    answer.entry = page_entry(200, kMetricsText, parts.metrics());
  } else {
    answer.entry = problem_entry(404, "Here are /_/health, /_/ready and /_/metrics.");
  }
  // Nothing was asked of a cache, so no Cache-Status is said; the admin port counts no outcomes.
  answer.outcome = Outcome::ClientError;
  return answer;
}

}  // namespace tintype
