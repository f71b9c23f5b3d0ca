// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error, and TRY, which hands an error to the caller.
//
//   TRY(auto size, parse_size(text));   declares `size`, or returns the error
//   TRY(check(limits));                 for Result<void>
//   CO_TRY(auto body, co_await f());    the same inside a coroutine
//
// Only the declaration form exists: GCC 12 crashes on an expression form around co_await.
#pragma once

#include <utility>

#include <tl/expected.hpp>

#include "base/error.h"

namespace tintype {

template <class T = void>
using Result = tl::expected<T, Error>;

using Failure = tl::unexpected<Error>;

[[nodiscard]] inline Failure fail(Error error) {
  return Failure(std::move(error));
}

// A failure whose text the client may read; `option` names the option at fault.
[[nodiscard]] inline Failure fail_public(ErrorCode code, std::string detail,
                                         std::string option = {}) {
  return Failure(Error::in_public(code, std::move(detail), std::move(option)));
}

// A failure whose text goes to the log only.
[[nodiscard]] inline Failure fail_private(ErrorCode code, std::string message) {
  return Failure(Error::in_private(code, std::move(message)));
}

}  // namespace tintype

#define TT_JOIN_(a, b) a##b
#define TT_JOIN(a, b) TT_JOIN_(a, b)
#define TT_TRY_SELECT(leave, tmp, expr)                       \
  do {                                                        \
    auto tmp = (expr);                                        \
    if (!tmp) leave ::tl::unexpected(std::move(tmp).error()); \
  } while (false)
#define TT_TRY_2_SELECT(leave, tmp, decl, ...)              \
  auto tmp = (__VA_ARGS__);                                 \
  if (!tmp) leave ::tl::unexpected(std::move(tmp).error()); \
  decl = std::move(tmp).value()
#define TT_TRY(leave, tmp, first, ...) \
  TT_JOIN(TT_TRY_##__VA_OPT__(2_), SELECT)(leave, tmp, first __VA_OPT__(, ) __VA_ARGS__)
#define TRY(...) TT_TRY(return, TT_JOIN(tt_try_, __COUNTER__), __VA_ARGS__)
#define CO_TRY(...) TT_TRY(co_return, TT_JOIN(tt_try_, __COUNTER__), __VA_ARGS__)
