// SPDX-License-Identifier: Apache-2.0
// Logs of a JSON object a line: ours (telemetry/access_log.h), nginx's by its variables' names,
// Cloudflare's Logpush, Fastly's and Caddy's usual ones. What has another name is named with
// --fields.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "dialect/dialect.h"
#include "dialect/json_reader.h"
#include "replay/log_formats.h"

namespace tintype {
namespace {

using Names = std::span<const std::pair<std::string, std::string>>;

struct Usual {
  std::string_view what, name;
};
// The first that is there counts.
constexpr Usual kUsual[] = {{"target", "target"},
                            {"target", "request_uri"},
                            {"target", "ClientRequestURI"},
                            {"target", "request.uri"},
                            {"target", "request"},
                            {"target", "uri"},
                            {"target", "url"},
                            {"target", "path"},
                            {"query", "args"},
                            {"query", "query_string"},
                            {"query", "query"},
                            {"method", "method"},
                            {"method", "request_method"},
                            {"method", "ClientRequestMethod"},
                            {"method", "request.method"},
                            {"accept", "accept"},
                            {"accept", "http_accept"},
                            {"accept", "request.headers.Accept"},
                            {"edge", "edge"},
                            {"edge", "x_edge_location"},
                            {"edge", "EdgeColoCode"},
                            {"edge", "datacenter"},
                            {"client", "client"},
                            {"client", "remote_addr"},
                            {"client", "ClientIP"},
                            {"client", "client_ip"},
                            {"client", "request.remote_ip"},
                            {"time", "time"},
                            {"time", "time_iso8601"},
                            {"time", "msec"},
                            {"time", "timestamp"},
                            {"time", "EdgeStartTimestamp"},
                            {"time", "ts"},
                            {"bytes", "sent_bytes"},
                            {"bytes", "body_bytes_sent"},
                            {"bytes", "bytes_sent"},
                            {"bytes", "EdgeResponseBytes"},
                            {"bytes", "size"},
                            {"status", "status"},
                            {"status", "EdgeResponseStatus"}};

constexpr std::array<std::string_view, 9> kWhats = {"target", "query", "method", "accept", "edge",
                                                    "client", "time",  "bytes",  "status"};

// "request.uri" leads into the object `request`; of an array its first item counts.
const JsonValue* find_path(const JsonValue& object, std::string_view name) {
  const JsonValue* at = object.find(name);
  if (at == nullptr) {
    std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return nullptr;
    at = object.find(name.substr(0, dot));
    return at == nullptr ? nullptr : find_path(*at, name.substr(dot + 1));
  }
  if (at->is(JsonValue::Kind::Array)) return at->items.empty() ? nullptr : &at->items.front();
  return at;
}

class Fields {
 public:
  Fields(const JsonValue& object, Names names) : object_(object), names_(names) {}

  std::string operator[](std::string_view what) const {
    for (const auto& [known, name] : names_) {
      if (known == what) return text_of(find_path(object_, name));
    }
    for (const Usual& usual : kUsual) {
      if (usual.what != what) continue;
      if (std::string text = text_of(find_path(object_, usual.name)); !text.empty()) return text;
    }
    return {};
  }

 private:
  static std::string text_of(const JsonValue* value) {
    bool is_text = value != nullptr &&
                   (value->is(JsonValue::Kind::String) || value->is(JsonValue::Kind::Number));
    return is_text && value->text != "-" ? value->text : std::string();
  }
  const JsonValue& object_;
  Names names_;
};

// An ISO date, or seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by
// their size.
std::int64_t moment_of(const std::string& text) {
  if (auto iso = parse_iso_seconds(text)) return *iso;
  auto number = parse_decimal(text);
  if (!number || *number < 0) return 0;
  double seconds = *number;
  while (seconds > static_cast<double>(kMaxUnixSeconds)) seconds /= 1000;
  return static_cast<std::int64_t>(seconds);
}

}  // namespace

bool is_json_field(std::string_view what) {
  return std::find(kWhats.begin(), kWhats.end(), what) != kWhats.end();
}

Result<LogLine> read_json_line(std::string_view line, Names names) {
  TRY(JsonValue object, read_json(line));
  if (!object.is(JsonValue::Kind::Object)) {
    return fail_public(ErrorCode::BadRequest, "is no JSON object");
  }
  Fields fields(object, names);
  LogLine read;
  read.method = fields["method"];
  std::string target = fields["target"];
  if (target.empty()) {
    return fail_public(ErrorCode::BadRequest,
                       "names no target; say which field has it: --fields target=NAME");
  }
  if (target.find(' ') != std::string::npos) {
    TRY(read_request_line(target, read));
  } else {
    read.target = target_of_url(target);
  }
  std::string query = fields["query"];
  if (!query.empty() && read.target.find('?') == std::string::npos) read.target += "?" + query;
  read.accept = fields["accept"];
  read.edge = fields["edge"];
  read.client = fields["client"];
  read.unix_seconds = moment_of(fields["time"]);
  read.sent_bytes = parse_int(fields["bytes"]).value_or(-1);
  read.status = static_cast<int>(parse_int(fields["status"]).value_or(0));
  return read;
}

}  // namespace tintype
