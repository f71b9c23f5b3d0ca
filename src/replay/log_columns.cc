// SPDX-License-Identifier: Apache-2.0
// CloudFront's tab-separated logs, standard and real-time (Developer Guide, "Standard logging
// reference" and "Real-time logs"). Values are percent-encoded once more than the client wrote
// them: "%20" of a URL is logged as "%2520". Not by every version for every field, so a value that
// would decode to what no URL can hold is taken as it stands.
#include <algorithm>
#include <array>
#include <vector>

#include "base/text.h"
#include "replay/log_formats.h"

namespace tintype {
namespace {

constexpr std::string_view kRealtime[] = {"timestamp",
                                          "c-ip",
                                          "time-to-first-byte",
                                          "sc-status",
                                          "sc-bytes",
                                          "cs-method",
                                          "cs-protocol",
                                          "cs-host",
                                          "cs-uri-stem",
                                          "cs-bytes",
                                          "x-edge-location",
                                          "x-edge-request-id",
                                          "x-host-header",
                                          "time-taken",
                                          "cs-protocol-version",
                                          "c-ip-version",
                                          "cs-user-agent",
                                          "cs-referer",
                                          "cs-cookie",
                                          "cs-uri-query",
                                          "x-edge-response-result-type",
                                          "x-forwarded-for",
                                          "ssl-protocol",
                                          "ssl-cipher",
                                          "x-edge-result-type",
                                          "fle-encrypted-fields",
                                          "fle-status",
                                          "sc-content-type",
                                          "sc-content-len",
                                          "sc-range-start",
                                          "sc-range-end",
                                          "c-port",
                                          "x-edge-detailed-result-type",
                                          "c-country",
                                          "cs-accept-encoding",
                                          "cs-accept",
                                          "cache-behavior-path-pattern",
                                          "cs-headers",
                                          "cs-header-names",
                                          "cs-headers-count"};

bool is_url_text(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// What the client wrote in a URL.
std::string url_text(std::string_view logged) {
  auto decoded = percent_decode(logged);
  return decoded && is_url_text(*decoded) ? *decoded : std::string(logged);
}

// What the client wrote in a header.
std::string header_text(std::string_view logged) {
  return percent_decode(logged).value_or(std::string(logged));
}

// The values by the names that matter; "-" says that there is none.
class Columns {
 public:
  Columns(std::string_view line, std::span<const std::string> names)
      : names_(names), values_(split(line, '\t')) {}

  std::string_view operator[](std::string_view name) const {
    auto found = std::find(names_.begin(), names_.end(), name);
    auto at = static_cast<std::size_t>(found - names_.begin());
    if (at >= values_.size() || values_[at] == "-") return {};
    return values_[at];
  }
  std::size_t count() const { return values_.size(); }

 private:
  std::span<const std::string> names_;
  std::vector<std::string_view> values_;
};

std::int64_t moment_of(const Columns& columns) {
  if (std::string_view seconds = columns["timestamp"]; !seconds.empty()) {
    // "1574204212.063": later fields are finer than a cache's TTL.
    return parse_int(seconds.substr(0, seconds.find('.'))).value_or(0);
  }
  std::string text(columns["date"]);
  text.append("T").append(columns["time"]).append("Z");
  return parse_iso_seconds(text).value_or(0);
}

}  // namespace

std::span<const std::string_view> realtime_columns() {
  return kRealtime;
}

Result<LogLine> read_columns(std::string_view line, std::span<const std::string> names) {
  Columns columns(line, names);
  if (std::find(names.begin(), names.end(), "cs-uri-stem") == names.end()) {
    return fail_public(ErrorCode::BadRequest, "the log has no field cs-uri-stem");
  }
  std::string_view stem = columns["cs-uri-stem"];
  if (stem.empty()) {
    return fail_public(ErrorCode::BadRequest, "has " + std::to_string(columns.count()) +
                                                  " columns of " + std::to_string(names.size()) +
                                                  " and no cs-uri-stem");
  }
  LogLine read;
  read.target = url_text(stem);
  // Real-time logs have the query in both fields, standard logs in the second only.
  std::string_view query = columns["cs-uri-query"];
  if (!query.empty() && read.target.find('?') == std::string::npos) {
    read.target += "?" + url_text(query);
  }
  read.method = columns["cs-method"];
  read.accept = header_text(columns["cs-accept"]);
  read.edge = columns["x-edge-location"];
  read.client = columns["c-ip"];
  read.unix_seconds = moment_of(columns);
  read.sent_bytes = parse_int(columns["sc-bytes"]).value_or(-1);
  read.status = static_cast<int>(parse_int(columns["sc-status"]).value_or(0));
  return read;
}

}  // namespace tintype
