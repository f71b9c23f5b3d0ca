// SPDX-License-Identifier: Apache-2.0
#include "server/admin_tokens.h"

#include "base/hash.h"
#include "base/signing.h"
#include "base/text.h"

namespace tintype {
namespace {

// The token of "Bearer <token>" (RFC 6750 section 2.1; the scheme's case does not matter).
std::string_view bearer_of(const AdminRequest& request) {
  constexpr std::string_view kScheme = "Bearer ";
  std::string_view value = request.header("authorization");
  if (request.count("authorization") != 1 || value.size() <= kScheme.size()) return {};
  if (!equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) return {};
  return trim(value.substr(kScheme.size()));
}

}  // namespace

AdminTokens::AdminTokens(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  std::erase(tokens_, std::string());
}

tl::expected<std::string, Answer> AdminTokens::check(const AdminRequest& request) const {
  if (tokens_.empty()) {
    return tl::unexpected(problem_answer(
        403, "The admin API is off: set server.admin_token (TINTYPE_SERVER_ADMIN_TOKEN)."));
  }
  std::string_view given = bearer_of(request);
  if (given.empty()) {
    return tl::unexpected(
        problem_answer(401, "Send the admin token as Authorization: Bearer <token>."));
  }
  // All are compared, whichever it is: the time says nothing.
  const std::string* known = nullptr;
  for (const std::string& token : tokens_) {
    if (equal_in_constant_time(token, given)) known = &token;
  }
  if (known == nullptr) {
    return tl::unexpected(problem_answer(401, "The admin token is not one of the live ones."));
  }
  return name_of_token(*known);
}

std::string name_of_token(std::string_view token) {
  return "token:" + hex(sha256(view_of(token))).substr(0, 8);
}

}  // namespace tintype
