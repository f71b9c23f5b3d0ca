// SPDX-License-Identifier: Apache-2.0
// HttpClient: outgoing HTTP(S) on libcurl's multi interface: one thread, pooled persistent
// connections, DNS cache, redirects re-checked by the address guard. Thread-safe. It asks for no
// compression and decodes none, reads no proxy from the environment, sends no cookies, and drops a
// request's own headers (they hold secrets) when a redirect leaves the origin.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/address_guard.h"

namespace tintype {

struct HttpClientSettings {
  Milliseconds connect_timeout_ms{1'000};  // docs/internals/figures.md P11
  Milliseconds first_byte_timeout_ms{3'000};
  std::int64_t low_speed_bytes_per_second = 8'000;
  Seconds low_speed_time{3};
  int max_redirects = 5;
  int max_connections_per_host = 64;
  int max_connections = 512;
  std::int64_t max_header_bytes = 64'000;
  // What a request without allow_private_addresses may reach; tests put their own rule here.
  bool (*may_connect)(const sockaddr& address) = &is_public_address;
  std::vector<int> public_ports{80, 443};  // docs/internals/figures.md P13
};

struct OutgoingRequest {
  std::string method = "GET";  // GET, HEAD, PUT, POST, DELETE; only GET and HEAD follow redirects
  std::string url;             // http or https only
  std::vector<std::pair<std::string, std::string>> headers;
  SharedBytes body;                          // null: none; its Content-Length is set here
  std::int64_t max_body_bytes = 50'000'000;  // of the answer
  bool allow_private_addresses = false;      // also lifts the rule for ports
  bool follow_redirects = true;              // of GET and HEAD; else a redirect is an answer
  Deadline deadline;
  Milliseconds timeout_ms{0};  // whole fetch; 0: only the deadline
  // Becomes true before the first byte leaves, if it is given: a failure with it false did nothing.
  std::shared_ptr<std::atomic<bool>> may_have_arrived;
};

struct IncomingResponse {
  int status = 0;
  Bytes body;
  std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
  // The first value of a header, or empty.
  std::string_view header(std::string_view lower_case_name) const;
};

class HttpClient {
 public:
  explicit HttpClient(const HttpClientSettings& settings, const Clock& clock);
  ~HttpClient();  // aborts what is under way

  // Follows at most max_redirects redirects of GET and HEAD; those of other methods are answers. A
  // request whose pooled connection ends before a byte of the answer is sent again, but for POST.
  // The wait for the first byte begins when the last part of the body has left. Fails with Timeout,
  // TooLarge (body above the limit, counted as received), Forbidden (address guard, port, scheme,
  // user name, or a redirect to such or from https to http) and OriginFailed (anything else, also a
  // body shorter than announced and too many redirects). Any other status is a success. The client
  // must outlive the call.
  Task<Result<IncomingResponse>> send(OutgoingRequest request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype
