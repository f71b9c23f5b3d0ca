// SPDX-License-Identifier: Apache-2.0
// HttpClient: outgoing HTTP(S) on libcurl's multi interface: one thread, pooled persistent connections,
// DNS cache, redirects re-checked by the address guard. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace tintype {

struct HttpClientSettings {
  Milliseconds connect_timeout_ms{1'000};      // facts/reliability.md P11
  Milliseconds first_byte_timeout_ms{3'000};
  std::int64_t low_speed_bytes_per_second = 8'000;
  Seconds low_speed_time{3};
  int max_redirects = 5;
  int max_connections_per_host = 64;
  int max_connections = 512;
  std::int64_t max_header_bytes = 64'000;
};

struct OutgoingRequest {
  std::string url;                                            // http or https only
  std::vector<std::pair<std::string, std::string>> headers;
  std::int64_t max_body_bytes = 50'000'000;
  bool allow_private_addresses = false;
  Deadline deadline;
};

struct IncomingResponse {
  int status = 0;
  Bytes body;
  std::vector<std::pair<std::string, std::string>> headers;   // names in lower case
  // The first value of a header, or empty.
  std::string_view header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  explicit HttpClient(const HttpClientSettings& settings, const Clock& clock);
  ~HttpClient();  // aborts what is under way

  // GET. Fails with Timeout, TooLarge (body above the limit, counted as received), Forbidden (address
  // guard, scheme or redirect refused) and OriginFailed (anything else, also a body shorter than
  // announced). Any status is a success.
  Task<Result<IncomingResponse>> get(OutgoingRequest request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype
