// SPDX-License-Identifier: Apache-2.0
// LogReader: access logs of the usual kinds, line by line. What a line is in is found out from the
// first lines, or said. A line that is no request (a comment, an empty line) is skipped; one that
// cannot be read is a failure that names the reason, and the reader goes on with the next: logs are
// written by others and cut anywhere. Never reads more than kMaxLogLineBytes of a line. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace tintype {

inline constexpr std::size_t kMaxLogLineBytes = 64 * 1024;
// The year 5138; beyond it a number is milliseconds, or nonsense.
inline constexpr std::int64_t kMaxUnixSeconds = 100'000'000'000;

enum class LogFormat : std::uint8_t {
  CloudFront,          // standard logs: tab-separated, "#Fields:" names the columns
  CloudFrontRealtime,  // real-time logs: tab-separated, without names
  Combined,            // nginx's and Apache's combined, with Accept behind it or not
  Jsonl,               // an object a line
  Urls,                // a URL or target a line
};
std::string_view name_of(LogFormat format);
std::optional<LogFormat> log_format_named(std::string_view name);
// "cloudfront, cloudfront-realtime, combined, jsonl, urls"
std::string log_format_names();

// One request as it was logged. What the log does not say stays at its default.
struct LogLine {
  std::string target;  // path and query as the client sent them
  std::string method;
  std::string accept;
  std::string edge;               // the edge location ("FRA56-P1")
  std::string client;             // its address
  std::int64_t unix_seconds = 0;  // 0 to kMaxUnixSeconds; 0: not said, or outside
  std::int64_t sent_bytes = -1;
  int status = 0;
};

class LogReader {
 public:
  // Without a format it is detected. `fields`: for CloudFrontRealtime the columns in their order
  // ("timestamp", "c-ip", …; empty: all of them in AWS's order), for Jsonl "what=name" pairs, where
  // `what` is target, query, method, accept, edge, client, time, bytes or status and a name
  // may lead into objects ("request.uri"). Fails with BadRequest on a pair it does not understand.
  static Result<LogReader> make(std::optional<LogFormat> format,
                                std::span<const std::string> fields);

  // Nothing for a line that is no request. Fails with BadRequest, its detail the reason.
  Result<std::optional<LogLine>> read(std::string_view line);
  std::optional<LogFormat> format() const { return format_; }

 private:
  LogReader() = default;
  Result<LogLine> read_as(LogFormat format, std::string_view line);

  std::optional<LogFormat> format_;
  std::vector<std::string> columns_;                        // of the tab-separated formats
  std::vector<std::pair<std::string, std::string>> names_;  // of Jsonl: what, name
};

}  // namespace tintype
