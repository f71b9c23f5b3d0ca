// SPDX-License-Identifier: Apache-2.0
// Structured logs: one JSON object a line on standard error: time, level, event and fields.
// Thread-safe. What happened to each request stands in the access log (access_log.h), not here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace tintype {

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error };

struct LogField {
  std::string_view name;
  std::string value;
  bool is_number = false, is_bool = false;

  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const char* v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(v) {}
  LogField(std::string_view n, bool v) : name(n), value(v ? "true" : "false"), is_bool(true) {}
  template <class N>
  requires std::is_arithmetic_v<N> LogField(std::string_view n, N v)
      : name(n), value(std::to_string(v)), is_number(true) {}
};

// Below this level (at first: Info) nothing is written. `as_text`: short human lines instead of
// JSON.
void set_log_level(LogLevel level, bool as_text = false);
// Blocks while standard error blocks. Values may hold any bytes: they are escaped.
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

}  // namespace tintype
