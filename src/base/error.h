// SPDX-License-Identifier: Apache-2.0
// The failures of the whole system and the type that carries them.
//
// An Error is a code (what class of failure), a private message (for the log; it may name files,
// hosts and library texts and never leaves the process) and, for faults of the request, a public
// detail that names the option, the value and what is allowed. What a code means to a client (HTTP
// status, negative-cache time, log level, public sentence) stands in one table, delivery/failure.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace tintype {

enum class ErrorCode {
  BadRequest,         // the request cannot be understood, or a value is not allowed
  UnsupportedOption,  // a vendor's URL asks for what we cannot do yet
  Forbidden,          // signature or policy says no
  NotFound,           // no such site or source
  MethodNotAllowed,   // not GET or HEAD on the image port
  Unsupported,        // the source's format is not one we decode
  Corrupt,            // the source is damaged
  TooLarge,           // pixels, bytes or frames above a limit of the source
  OriginFailed,       // the origin answered wrongly, or not at all
  Timeout,            // origin or render deadline passed
  Busy,               // admission refused: queue full, or shutting down
  Crashed,            // a render worker died on this source
  Internal,           // our fault
};

// The code's name as it stands in logs, metrics and problem documents ("bad-request").
std::string_view name_of(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::Internal;
  std::string message;  // private
  std::string detail;   // public; empty = the code's public sentence only
  std::string option;   // public; the option at fault, empty if none

  // A fault whose text may be shown to the client as it is.
  static Error in_public(ErrorCode code, std::string detail, std::string option = {}) {
    return {code, detail, detail, std::move(option)};
  }
  // A fault whose text is for the log only.
  static Error in_private(ErrorCode code, std::string message) {
    return {code, std::move(message), {}, {}};
  }
};

}  // namespace tintype
