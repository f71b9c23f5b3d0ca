// SPDX-License-Identifier: Apache-2.0
// PurgeReport: how far a purge is and what it removed, layer by layer; what the admin API answers,
// the audit log keeps and `tintype purge` reads back. A plain value. In no walk: made by Purger
// (purge.h), changed while the purge goes on, final when its state is no longer Running.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "delivery/purge_order.h"
#include "telemetry/audit_log.h"

namespace tintype {

// Of what was removed, or would be by a dry run.
struct PurgeCounts {
  std::uint64_t memory = 0;  // variants and remembered failures, of this task
  std::uint64_t disk = 0;    // variants, of this task
  std::uint64_t store = 0;   // variants in the store that all tasks share
  // Paths the edge is asked to forget; a wildcard counts once, as CloudFront's bill does.
  std::uint64_t edge_paths = 0;
  std::uint64_t sources = 0;  // in this task's source cache; a dry run does not count them
};

struct PurgeReport {
  enum class State : std::uint8_t { Running, Done, Failed };
  std::string id;
  State state = State::Running;
  PurgeOrder order;
  PurgeCounts counts;
  std::string step;        // what is being done now: "store"; empty when it is over
  std::string by, client;  // the token's name, its user's address
  std::string error;       // public: what failed, and what to do
  std::int64_t started_unix_seconds = 0;
  std::int64_t duration_ms = 0;  // so far
};

std::string_view name_of(PurgeReport::State state);
// One line.
std::string as_json(const PurgeReport& report);
// The line of the audit log: as_json's, to the log as event "purge" and to the file.
void record(const PurgeReport& report, const AuditLog& audit);
// Of what as_json wrote. Fails with BadRequest when it is no report.
Result<PurgeReport> parse_purge_report(std::string_view json);

}  // namespace tintype
