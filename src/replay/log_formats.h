// SPDX-License-Identifier: Apache-2.0
// One reader a log format, private to log_line.cc and the files of the formats. All fail with
// BadRequest whose detail is the reason, for the person who looks at the log. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "replay/log_line.h"

namespace tintype {

// AWS's order of all fields of a real-time log (CloudFront Developer Guide, "Understanding
// real-time log configurations"); later fields are appended and not needed here.
std::span<const std::string_view> realtime_columns();
// A line of tab-separated columns of these names, values percent-encoded as CloudFront does.
Result<LogLine> read_columns(std::string_view line, std::span<const std::string> columns);
Result<LogLine> read_combined(std::string_view line);
// `names`: pairs of what and name that go before the usual names.
Result<LogLine> read_json_line(std::string_view line,
                               std::span<const std::pair<std::string, std::string>> names);
bool is_json_field(std::string_view what);

// "2026-11-24T13:43:50Z", also with a space for the T, with fractions and with +01:00; nothing for
// anything else.
std::optional<std::int64_t> parse_iso_seconds(std::string_view text);
// "GET /a.jpg?w=1 HTTP/1.1" into method and target; "GET /a.jpg" too.
Result<> read_request_line(std::string_view text, LogLine& line);

}  // namespace tintype
