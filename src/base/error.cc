// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

namespace tintype {

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::BadRequest:
      return "bad-request";
    case ErrorCode::UnsupportedOption:
      return "unsupported-option";
    case ErrorCode::Forbidden:
      return "forbidden";
    case ErrorCode::NotFound:
      return "not-found";
    case ErrorCode::MethodNotAllowed:
      return "method-not-allowed";
    case ErrorCode::Unsupported:
      return "unsupported";
    case ErrorCode::Corrupt:
      return "corrupt";
    case ErrorCode::TooLarge:
      return "too-large";
    case ErrorCode::OriginFailed:
      return "origin-failed";
    case ErrorCode::Timeout:
      return "timeout";
    case ErrorCode::Busy:
      return "busy";
    case ErrorCode::Crashed:
      return "crashed";
    case ErrorCode::Internal:
      return "internal";
  }
  return "internal";
}

}  // namespace tintype
