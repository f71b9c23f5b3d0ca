// SPDX-License-Identifier: Apache-2.0
// The combined format of nginx and Apache:
//
//   203.0.113.7 - - [24/Nov/2026:13:43:50 +0100] "GET /a.jpg?w=1 HTTP/1.1" 200 2326 "ref" "agent"
//
// A further quoted field is Accept. Within quotes a backslash escapes: \" \\ and \x22.
#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "replay/log_formats.h"

namespace tintype {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

[[nodiscard]] Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

// "24/Nov/2026:13:43:50 +0100"
std::int64_t parse_moment(std::string_view text) {
  if (text.size() < 20) return 0;
  for (std::size_t month = 0; month < kMonths.size(); ++month) {
    if (text.substr(3, 3) != kMonths[month]) continue;
    std::string iso(text.substr(7, 4));
    iso += month < 9 ? "-0" : "-";
    iso += std::to_string(month + 1) + "-";
    iso.append(text.substr(0, 2)).append("T").append(text.substr(12, 8));
    std::string_view zone = trim(text.substr(20));
    return parse_iso_seconds(iso.append(zone.empty() ? "Z" : zone)).value_or(0);
  }
  return 0;
}

// Takes a quoted field off the front of `rest`; nothing when it has no end.
std::optional<std::string> take_quoted(std::string_view& rest) {
  std::string text;
  for (std::size_t i = 1; i < rest.size(); ++i) {
    if (rest[i] == '"') {
      rest.remove_prefix(i + 1);
      return text;
    }
    if (rest[i] != '\\' || i + 1 == rest.size()) {
      text += rest[i];
      continue;
    }
    ++i;
    std::optional<std::string> byte;
    if (rest[i] == 'x') byte = percent_decode("%" + std::string(rest.substr(i + 1, 2)));
    if (byte) i += 2;
    text += byte ? *byte : std::string(1, rest[i]);
  }
  return std::nullopt;
}

// What stands up to the next space.
std::string_view take_word(std::string_view& rest) {
  rest = trim(rest);
  std::string_view word = rest.substr(0, rest.find(' '));
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace

Result<LogLine> read_combined(std::string_view line) {
  LogLine read;
  std::size_t open = line.find('['), close = line.find("] \"");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) {
    return refuse("has no [time] and \"request\"");
  }
  read.client = line.substr(0, line.find(' '));
  read.unix_seconds = parse_moment(line.substr(open + 1, close - open - 1));
  std::string_view rest = line.substr(close + 2);
  auto request = take_quoted(rest);
  if (!request) return refuse("its request has no closing quote");
  TRY(read_request_line(*request, read));
  auto status = parse_int(take_word(rest));
  if (!status || *status < 100 || *status > 999) return refuse("has no status behind the request");
  read.status = static_cast<int>(*status);
  read.sent_bytes = parse_int(take_word(rest)).value_or(-1);
  std::vector<std::string> quoted;
  for (rest = trim(rest); rest.starts_with('"'); rest = trim(rest)) {
    auto text = take_quoted(rest);
    if (!text) break;
    quoted.push_back(std::move(*text));
  }
  if (quoted.size() > 2 && quoted[2] != "-") read.accept = std::move(quoted[2]);
  return read;
}

}  // namespace tintype
