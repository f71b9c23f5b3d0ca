// SPDX-License-Identifier: Apache-2.0
// For tests only: what the tests of the HttpClient say most often. A request that may reach
// loopback, a client with short waits, and one GET on a loop of its own. Owns nothing; each call
// has its own state. Header-only, so that two test files share it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/http_client.h"
#include "net/scripted_origin.h"

namespace tintype {

using Connection = ScriptedOrigin::Connection;
using std::chrono::milliseconds;

inline const SystemClock kClock;

inline HttpClientSettings quick() {
  HttpClientSettings settings;
  settings.first_byte_timeout_ms = Milliseconds(300);
  settings.low_speed_time = Seconds(1);
  return settings;
}

inline OutgoingRequest request_of(std::string url) {
  OutgoingRequest request;
  request.url = std::move(url);
  request.allow_private_addresses = true;
  request.deadline = Deadline::after(kClock, Milliseconds(10'000));
  return request;
}

inline Result<IncomingResponse> send(HttpClient& client, OutgoingRequest request) {
  return run_to_end(client.send(std::move(request)));
}

inline Result<IncomingResponse> get(const ScriptedOrigin& origin,
                                    std::string_view path = "/a.jpg") {
  HttpClient client(quick(), kClock);
  return send(client, request_of(origin.url(path)));
}

inline ScriptedOrigin::Script always(std::string answer) {
  return [answer](Connection& connection, const std::string&) { return connection.send(answer); };
}

inline std::string redirect(std::string_view location, int status = 302) {
  return ScriptedOrigin::answer(status, "", "Location: " + std::string(location) + "\r\n");
}

}  // namespace tintype
