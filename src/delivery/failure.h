// SPDX-License-Identifier: Apache-2.0
// The one table of what an ErrorCode means to a client and to the operator: HTTP status, for how
// long the failure is remembered and may be cached, log level, and the public sentence. Every code
// has an anchor in docs/errors.md of the same name.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cache/entry.h"
#include "telemetry/log.h"

namespace tintype {

struct FailureRule {
  ErrorCode code;
  int status;
  std::int64_t negative_ttl_seconds;  // 0: not remembered, Cache-Control: no-store
  LogLevel level;
  std::string_view sentence;  // public title
};

const FailureRule& rule_of(ErrorCode code);

// An application/problem+json entry (RFC 9457) with type, title, status, detail, code and option.
// The private message is not in it.
Entry failure_entry(const Error& error, std::string key, std::int64_t now_unix_seconds);

}  // namespace tintype
