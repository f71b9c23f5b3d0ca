// SPDX-License-Identifier: Apache-2.0
#include "telemetry/log.h"

#include <algorithm>
#include <atomic>
#include <memory>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>

#include "base/text.h"

namespace tintype {
namespace {

// The time is the only part spdlog's pattern prints; the rest of the line is ours, so that every
// value is escaped by the same function as everywhere else.
constexpr const char* kJsonPattern = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v})";
constexpr const char* kTextPattern = "%H:%M:%S.%e %v";

std::unique_ptr<spdlog::formatter> formatter_for(bool as_text) {
  return std::make_unique<spdlog::pattern_formatter>(as_text ? kTextPattern : kJsonPattern,
                                                     spdlog::pattern_time_type::utc, "\n");
}

struct Sink {
  spdlog::logger logger{"tintype", std::make_shared<spdlog::sinks::stderr_sink_mt>()};
  std::atomic<LogLevel> level{LogLevel::Info};
  std::atomic<bool> as_text{false};

  Sink() {
    logger.set_formatter(formatter_for(false));
    logger.set_level(spdlog::level::trace);
  }
};

// The process has one standard error, hence one sink; never destroyed, so that a thread that logs
// while the process ends is safe.
Sink& the_sink() {
  static Sink* const sink = new Sink;
  return *sink;
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warn:
      return "warn";
    case LogLevel::Error:
      return "error";
  }
  return "error";
}

// "inf" and "nan" are what std::to_string says and not JSON numbers.
bool is_json_number(const LogField& field) {
  return field.is_number && field.value.find_first_of("in") == std::string::npos;
}

// `body` is what follows the time in a JSON line, without the closing brace.
std::string json_body(LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
  std::string body = "\"level\":\"";
  body += name_of(level);
  body += "\",\"event\":";
  append_json_string(body, event);
  for (const LogField& field : fields) {
    body += ',';
    append_json_string(body, field.name);
    body += ':';
    if (is_json_number(field) || field.is_bool) {
      body += field.value;
    } else {
      append_json_string(body, field.value);
    }
  }
  return body;
}

// Quoted unless it is one plain word: a value can neither end the line nor pass for another field.
void append_plain_or_quoted(std::string& out, std::string_view value) {
  bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
  });
  if (plain) {
    out += value;
  } else {
    append_json_string(out, value);
  }
}

std::string text_body(LogLevel level, std::string_view event,
                      std::initializer_list<LogField> fields) {
  std::string body(name_of(level));
  body.resize(6, ' ');
  body += event;
  for (const LogField& field : fields) {
    body += ' ';
    body += field.name;
    body += '=';
    append_plain_or_quoted(body, field.value);
  }
  return body;
}

}  // namespace

void set_log_level(LogLevel level, bool as_text) {
  Sink& sink = the_sink();
  sink.level = level;
  if (sink.as_text.exchange(as_text) != as_text) sink.logger.set_formatter(formatter_for(as_text));
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  Sink& sink = the_sink();
  if (level < sink.level.load(std::memory_order_relaxed)) return;
  std::string body = sink.as_text.load(std::memory_order_relaxed) ? text_body(level, event, fields)
                                                                  : json_body(level, event, fields);
  sink.logger.log(spdlog::level::info, spdlog::string_view_t(body.data(), body.size()));
}

}  // namespace tintype
