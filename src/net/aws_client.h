// SPDX-License-Identifier: Apache-2.0
// AwsClient: one signed request to an AWS service, or to what speaks its protocol. Signs with
// Signature Version 4 (aws_signing.h), retries what may be retried (throttling, 5xx, resets,
// timeouts of idempotent calls) with capped, jittered back-off out of a token bucket, follows the
// service's clock when it calls ours skewed, and asks for other credentials when these have
// expired. Knows no service: S3 and DynamoDB are in store/. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/aws_credentials.h"
#include "net/http_client.h"

namespace tintype {

struct AwsClientSettings {
  int max_attempts = 3;              // the first included
  Milliseconds base_backoff_ms{50};  // doubles; a random part of it is waited
  Milliseconds max_backoff_ms{2'000};
  // A retry takes 5 tokens (10 after a timeout), a call that succeeds at once gives one back: when
  // a service is down for everybody, retries end instead of multiplying the load.
  int retry_tokens = 500;
};

struct AwsCall {
  std::string service;   // "s3", "dynamodb", "cloudfront"
  std::string region;    // "eu-central-1"
  std::string base_url;  // scheme, host and port only: "https://s3.eu-central-1.amazonaws.com"
  std::string method = "GET";
  std::string path = "/";                                  // decoded; encoded once, '/' stays
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in any order
  std::vector<std::pair<std::string, std::string>> headers;
  SharedBytes body;                          // null: none
  std::int64_t max_body_bytes = 50'000'000;  // of the answer
  Deadline deadline;
  Milliseconds timeout_ms{5'000};  // of one attempt
  bool is_idempotent = true;       // may be sent again after it may have been done
  // Interface endpoints of AWS have private addresses; false where a site's policy names the host.
  bool allow_private_addresses = true;
};

class AwsClient {
 public:
  // `http`, `credentials` and `clock` must outlive the client.
  AwsClient(HttpClient& http, AwsCredentialSource& credentials, const Clock& clock,
            AwsClientSettings settings = {});
  ~AwsClient();

  // The service's last answer, whatever its status (a redirect too); fails as HttpClient does, as
  // the credentials do, and with NotFound for a path with a "." or ".." segment, which no HTTP
  // client sends as it is. `call`'s headers must not hold Host. It ends by the deadline: a wait
  // that would pass it is not begun.
  Task<Result<IncomingResponse>> call(AwsCall call);

  // Since the start. Attempts on the network are calls + retries.
  struct Counts {
    std::uint64_t calls = 0, retries = 0, throttled = 0;
  };
  Counts counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype
