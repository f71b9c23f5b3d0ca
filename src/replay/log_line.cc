// SPDX-License-Identifier: Apache-2.0
#include "replay/log_line.h"

#include <array>
#include <chrono>
#include <utility>

#include "base/text.h"
#include "dialect/dialect.h"
#include "replay/log_formats.h"

namespace tintype {
namespace {

// In the order of the enumeration.
constexpr std::array<std::string_view, 5> kNames = {"cloudfront", "cloudfront-realtime", "combined",
                                                    "jsonl", "urls"};
constexpr std::string_view kFieldsComment = "#Fields:";

std::optional<LogFormat> detect(std::string_view line) {
  if (line.starts_with('#')) return LogFormat::CloudFront;
  if (line.starts_with('{')) return LogFormat::Jsonl;
  if (line.starts_with('/') || line.starts_with("http://") || line.starts_with("https://")) {
    return LogFormat::Urls;
  }
  if (line.find('\t') != std::string_view::npos) {
    // Standard logs begin with a date, real-time logs with seconds since 1970.
    bool is_standard =
        parse_iso_seconds(std::string(line.substr(0, 10)) + "T00:00:00Z").has_value();
    return is_standard ? LogFormat::CloudFront : LogFormat::CloudFrontRealtime;
  }
  if (line.find("] \"") != std::string_view::npos) return LogFormat::Combined;
  return std::nullopt;
}

// The columns of a standard log whose "#Fields:" line is missing: those that every version has.
std::vector<std::string> standard_columns() {
  return {"date",      "time",        "x-edge-location", "sc-bytes",
          "c-ip",      "cs-method",   "cs(Host)",        "cs-uri-stem",
          "sc-status", "cs(Referer)", "cs(User-Agent)",  "cs-uri-query"};
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word : split(text, ' ')) {
    if (!trim(word).empty()) words.emplace_back(trim(word));
  }
  return words;
}

Result<LogLine> read_url(std::string_view line) {
  LogLine read;
  read.target = target_of_url(trim(line));
  if (!read.target.starts_with('/') || read.target.find(' ') != std::string::npos) {
    return fail_public(ErrorCode::BadRequest, "is neither a URL nor a path");
  }
  return read;
}

Result<std::vector<std::pair<std::string, std::string>>> read_pairs(
    std::span<const std::string> fields) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const std::string& field : fields) {
    std::size_t equals = field.find('=');
    if (equals == std::string::npos || !is_json_field(field.substr(0, equals))) {
      return fail_public(ErrorCode::BadRequest,
                         "--fields " + field +
                             ": must be what=name, where what is target, query, method, "
                             "accept, edge, client, time, bytes or status");
    }
    pairs.emplace_back(field.substr(0, equals), field.substr(equals + 1));
  }
  return pairs;
}

}  // namespace

std::string_view name_of(LogFormat format) {
  return kNames[static_cast<std::size_t>(format)];
}

std::optional<LogFormat> log_format_named(std::string_view name) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<LogFormat>(i);
  }
  return std::nullopt;
}

std::string log_format_names() {
  std::string names;
  for (std::string_view name : kNames) names.append(names.empty() ? "" : ", ").append(name);
  return names;
}

Result<LogReader> LogReader::make(std::optional<LogFormat> format,
                                  std::span<const std::string> fields) {
  LogReader reader;
  reader.format_ = format;
  if (fields.empty()) return reader;
  if (format == LogFormat::CloudFrontRealtime) {
    reader.columns_.assign(fields.begin(), fields.end());
    return reader;
  }
  if (format && format != LogFormat::Jsonl) {
    return fail_public(ErrorCode::BadRequest,
                       "--fields: only cloudfront-realtime and jsonl have fields to name");
  }
  TRY(reader.names_, read_pairs(fields));
  return reader;
}

Result<std::optional<LogLine>> LogReader::read(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with('\n')) line.remove_suffix(1);
  if (trim(line).empty()) return std::nullopt;
  if (line.size() > kMaxLogLineBytes) {
    return fail_public(ErrorCode::BadRequest,
                       "is longer than " + std::to_string(kMaxLogLineBytes) + " bytes");
  }
  if (line.find('\0') != std::string_view::npos) {
    return fail_public(ErrorCode::BadRequest, "holds a NUL");
  }
  if (line.starts_with(kFieldsComment)) {
    columns_ = words_of(line.substr(kFieldsComment.size()));
    if (!format_) format_ = LogFormat::CloudFront;
  }
  if (line.starts_with('#')) return std::nullopt;
  if (!format_) format_ = detect(line);
  if (!format_) {
    return fail_public(
        ErrorCode::BadRequest,
        "is in no format that is known; name one with --format: " + log_format_names());
  }
  TRY(LogLine read, read_as(*format_, line));
  bool is_moment = read.unix_seconds >= 0 && read.unix_seconds <= kMaxUnixSeconds;
  if (!is_moment) read.unix_seconds = 0;
  return read;
}

Result<LogLine> LogReader::read_as(LogFormat format, std::string_view line) {
  switch (format) {
    case LogFormat::CloudFront:
      if (columns_.empty()) columns_ = standard_columns();
      return read_columns(line, columns_);
    case LogFormat::CloudFrontRealtime:
      if (columns_.empty()) columns_.assign(realtime_columns().begin(), realtime_columns().end());
      return read_columns(line, columns_);
    case LogFormat::Combined:
      return read_combined(line);
    case LogFormat::Jsonl:
      return read_json_line(line, names_);
    case LogFormat::Urls:
      return read_url(line);
  }
  return LogLine{};
}

std::optional<std::int64_t> parse_iso_seconds(std::string_view text) {
  constexpr std::string_view kShape = "0000-00-00T00:00:00";
  if (text.size() < kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    bool is_digit = text[i] >= '0' && text[i] <= '9';
    bool fits = kShape[i] == '0' ? is_digit : text[i] == kShape[i] || (i == 10 && text[i] == ' ');
    if (!fits) return std::nullopt;
  }
  auto number = [&](std::size_t at, std::size_t count) {
    return static_cast<int>(*parse_int(text.substr(at, count)));
  };
  using namespace std::chrono;
  year_month_day day(year(number(0, 4)), month(static_cast<unsigned>(number(5, 2))),
                     std::chrono::day(static_cast<unsigned>(number(8, 2))));
  if (!day.ok()) return std::nullopt;
  std::int64_t at = sys_days(day).time_since_epoch().count() * std::int64_t{86'400} +
                    number(11, 2) * 3600 + number(14, 2) * 60 + number(17, 2);
  std::string_view rest = text.substr(kShape.size());
  std::size_t zone = rest.find_first_of("+-");
  if (zone == std::string_view::npos) return at;
  std::string offset(rest.substr(zone + 1));
  std::erase(offset, ':');
  auto hours_minutes = parse_int(offset.substr(0, 4));
  if (!hours_minutes || offset.size() < 4) return std::nullopt;
  std::int64_t seconds = *hours_minutes / 100 * 3600 + *hours_minutes % 100 * 60;
  return rest[zone] == '+' ? at - seconds : at + seconds;
}

Result<> read_request_line(std::string_view text, LogLine& line) {
  std::size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    return fail_public(ErrorCode::BadRequest, "its request is not 'METHOD target HTTP/…'");
  }
  line.method = text.substr(0, space);
  std::string_view target = text.substr(space + 1);
  std::size_t version = target.rfind(" HTTP/");
  line.target = target_of_url(target.substr(0, version));
  return {};
}

}  // namespace tintype
