// SPDX-License-Identifier: Apache-2.0
#include "server/settings.h"

#include <system_error>

#include <asio/ip/address.hpp>

namespace tintype {
namespace {

constexpr std::size_t kMinSecretBytes = 16;

struct Range {
  std::string_view field;
  std::int64_t value, min, max;
};

Result<> check_range(const Range& range) {
  if (range.value >= range.min && range.value <= range.max) return {};
  return fail_public(ErrorCode::BadRequest,
                     std::string(range.field) + " is " + std::to_string(range.value) +
                         "; allowed is " + std::to_string(range.min) + " to " +
                         std::to_string(range.max),
                     std::string(range.field));
}

Result<> check_address(std::string_view field, const std::string& value) {
  std::error_code error;
  asio::ip::make_address(value, error);
  if (!error) return {};
  return fail_public(ErrorCode::BadRequest,
                     std::string(field) + " is \"" + value +
                         "\"; allowed is a numeric address such as 127.0.0.1, 0.0.0.0 or ::",
                     std::string(field));
}

}  // namespace

Result<> validate(const ServerSettings& s) {
  TRY(check_address("listen_address", s.listen_address));
  TRY(check_address("admin_address", s.admin_address));
  constexpr std::int64_t kHourMs = 3'600'000;
  // The head's upper bound is what one connection may make us hold.
  const Range ranges[] = {
      {"port", s.port, 0, 65535},
      {"admin_port", s.admin_port, 0, 65535},
      {"loops", s.loops, 0, 256},
      {"max_target_bytes", static_cast<std::int64_t>(s.max_target_bytes), 256, 65536},
      {"max_head_bytes", static_cast<std::int64_t>(s.max_head_bytes), 1024, 262144},
      {"max_fields", s.max_fields, 8, 1000},
      {"head_timeout_ms", s.head_timeout_ms.count(), 1, kHourMs},
      {"keep_alive_timeout_ms", s.keep_alive_timeout_ms.count(), 1, kHourMs},
      {"write_window_ms", s.write_window_ms.count(), 1, kHourMs},
      {"min_write_rate_bytes_per_s", s.min_write_rate_bytes_per_s, 0, 1'000'000'000},
      {"max_connections", s.max_connections, 1, 1'000'000},
      {"max_admin_connections", s.max_admin_connections, 1, 10'000},
      {"max_requests_per_connection", s.max_requests_per_connection, 1, 2'000'000'000},
      {"drain_accept_ms", s.drain_accept_ms.count(), 0, kHourMs},
      {"drain_timeout_ms", s.drain_timeout_ms.count(), 0, kHourMs},
  };
  for (const Range& range : ranges) TRY(check_range(range));
  if (s.edge_only && s.edge_secret.empty()) {
    return fail_public(ErrorCode::BadRequest, "edge_only needs an edge_secret", "edge_only");
  }
  for (const std::string* secret : {&s.edge_secret, &s.old_edge_secret}) {
    if (secret->empty() || secret->size() >= kMinSecretBytes) continue;
    return fail_public(ErrorCode::BadRequest,
                       "edge_secret is shorter than " + std::to_string(kMinSecretBytes) +
                           " characters; openssl rand -base64 32 makes one",
                       "edge_secret");
  }
  for (const std::string* token : {&s.admin_token, &s.old_admin_token}) {
    if (token->empty() || token->size() >= kMinSecretBytes) continue;
    return fail_public(ErrorCode::BadRequest,
                       "admin_token is shorter than " + std::to_string(kMinSecretBytes) +
                           " characters; openssl rand -base64 32 makes one",
                       "admin_token");
  }
  if (s.port != 0 && s.port == s.admin_port && s.listen_address == s.admin_address) {
    return fail_public(
        ErrorCode::BadRequest,
        "admin_port is " + std::to_string(s.admin_port) + ", the same as port; they must differ",
        "admin_port");
  }
  return {};
}

}  // namespace tintype
