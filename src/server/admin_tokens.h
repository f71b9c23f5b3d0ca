// SPDX-License-Identifier: Apache-2.0
// AdminTokens: who may give orders over the admin API: whoever sends one of the live tokens as
// "Authorization: Bearer <token>". Two are live while one is replaced by the next. Compared in
// constant time. In logs a token is called by the begin of its SHA-256, which tells two apart and
// opens nothing. Immutable; thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "server/admin_api.h"

namespace tintype {

class AdminTokens {
 public:
  // Empty ones are left out.
  explicit AdminTokens(std::vector<std::string> tokens);

  // Which token it was, as logs call it: "token:3f2a91c0". An Answer of 401 or 403 otherwise: 403
  // where there is no token at all, saying which setting makes one.
  tl::expected<std::string, Answer> check(const AdminRequest& request) const;

 private:
  std::vector<std::string> tokens_;
};

// "token:3f2a91c0".
std::string name_of_token(std::string_view token);

}  // namespace tintype
