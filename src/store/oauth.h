// SPDX-License-Identifier: Apache-2.0
// OAuthTokens: bearer tokens by OAuth 2.0 client credentials (RFC 6749 section 4.4) for an HTTP
// origin. A token is kept until shortly before its end and then replaced in the background of a
// call; one request to the token's server is under way at a time. Neither secrets nor tokens stand
// in errors or logs. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"
#include "policy/policy.h"

namespace tintype {

class OAuthTokens {
 public:
  // `http` and `clock` must outlive it and every call. `allow_private_addresses`: as the origin's
  // rule says.
  OAuthTokens(const OAuthRule& rule, bool allow_private_addresses, HttpClient& http,
              const Clock& clock);
  ~OAuthTokens();

  // A live token. Fails with OriginFailed (the server refused us, or gave no token) and Timeout.
  Task<Result<std::string>> token(Deadline deadline);
  // The origin did not take this token: the next call has a new one made. Without effect when that
  // has been done already.
  void reject(const std::string& token);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tintype
