// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_report.h"

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

using State = PurgeReport::State;
using Json = nlohmann::json;

struct NamedCount {
  const char* name;
  std::uint64_t PurgeCounts::*count;
};
constexpr NamedCount kCounts[] = {{"memory", &PurgeCounts::memory},
                                  {"disk", &PurgeCounts::disk},
                                  {"store", &PurgeCounts::store},
                                  {"edge_paths", &PurgeCounts::edge_paths},
                                  {"sources", &PurgeCounts::sources}};

std::string counts_as_json(const PurgeReport& report) {
  JsonObject json;
  for (const NamedCount& named : kCounts) {
    if (report.order.dry_run && named.count == &PurgeCounts::sources) continue;
    json.field(named.name, report.counts.*named.count);
  }
  return json.str();
}

std::string text_at(const Json& object, const char* field) {
  auto it = object.find(field);
  const auto* text = it == object.end() ? nullptr : it->get_ptr<const std::string*>();
  return text != nullptr ? *text : std::string();
}

std::int64_t number_at(const Json& object, const char* field) {
  auto it = object.find(field);
  return it != object.end() && it->is_number_integer() ? it->get<std::int64_t>() : 0;
}

std::optional<State> state_named(std::string_view name) {
  for (State state : {State::Running, State::Done, State::Failed}) {
    if (name_of(state) == name) return state;
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::Running:
      return "running";
    case State::Done:
      return "done";
    case State::Failed:
      return "failed";
  }
  return "";
}

std::string as_json(const PurgeReport& report) {
  JsonObject json;
  json.field("id", report.id).field("state", name_of(report.state));
  json.field("dry_run", report.order.dry_run).raw("order", as_json(report.order));
  json.raw("counts", counts_as_json(report));
  if (!report.step.empty()) json.field("step", report.step);
  if (!report.error.empty()) json.field("error", report.error);
  if (!report.by.empty()) json.field("by", report.by);
  if (!report.client.empty()) json.field("client", report.client);
  json.field("started", iso_date(report.started_unix_seconds));
  json.field("duration_ms", report.duration_ms);
  return json.str();
}

void record(const PurgeReport& report, const AuditLog& audit) {
  log(report.state == State::Failed ? LogLevel::Warn : LogLevel::Info, "purge",
      {{"id", report.id},
       {"state", name_of(report.state)},
       {"what", describe(report.order)},
       {"dry_run", report.order.dry_run},
       {"by", report.by},
       {"client", report.client},
       {"memory", report.counts.memory},
       {"disk", report.counts.disk},
       {"store", report.counts.store},
       {"edge_paths", report.counts.edge_paths},
       {"sources", report.counts.sources},
       {"duration_ms", report.duration_ms},
       {"error", report.error}});
  audit.write(as_json(report));
}

Result<PurgeReport> parse_purge_report(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  auto state = json.is_object() ? state_named(text_at(json, "state")) : std::nullopt;
  if (!state || !json.contains("order") || !json.contains("counts")) {
    return fail_public(ErrorCode::BadRequest, "this is no answer to a purge");
  }
  PurgeReport report;
  report.state = *state;
  TRY(report.order, parse_purge_order(json["order"].dump(-1, ' ', true)));
  report.id = text_at(json, "id");
  report.step = text_at(json, "step");
  report.error = text_at(json, "error");
  report.by = text_at(json, "by");
  report.client = text_at(json, "client");
  report.duration_ms = number_at(json, "duration_ms");
  for (const NamedCount& named : kCounts) {
    report.counts.*named.count = static_cast<std::uint64_t>(number_at(json["counts"], named.name));
  }
  return report;
}

}  // namespace tintype
