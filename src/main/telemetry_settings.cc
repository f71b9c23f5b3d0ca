// SPDX-License-Identifier: Apache-2.0
#include "main/telemetry_settings.h"

#include <algorithm>
#include <string_view>

namespace tintype {
namespace {

// CloudWatch's limits of names and values of dimensions (API_Dimension): not empty, at most 255 of
// these characters.
Result<> check_word(std::string_view field, const std::string& value) {
  bool is_printable =
      std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  if (is_printable && !value.empty() && value.size() <= 255 && value.front() != ':') return {};
  return fail_public(ErrorCode::BadRequest,
                     "telemetry." + std::string(field) +
                         " must be 1 to 255 printable ASCII characters, not beginning with a colon",
                     std::string(field));
}

bool is_url(std::string_view text) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (text.starts_with(scheme) && text.size() > scheme.size()) return true;
  }
  return false;
}

}  // namespace

Result<> validate(const TelemetrySettings& settings) {
  TRY(check_word("service", settings.emf.service));
  TRY(check_word("environment", settings.emf.environment));
  TRY(check_word("emf.namespace", settings.emf.name_space));
  if (settings.emf.interval < Seconds(1) || settings.emf.interval > Seconds(3600)) {
    return fail_public(ErrorCode::BadRequest, "telemetry.emf.interval must be 1s to 1h",
                       "interval");
  }
  if (!settings.traces.endpoint.empty() && !is_url(settings.traces.endpoint)) {
    return fail_public(ErrorCode::BadRequest,
                       "telemetry.traces.endpoint must be a URL such as http://127.0.0.1:4318",
                       "endpoint");
  }
  return {};
}

}  // namespace tintype
