// SPDX-License-Identifier: Apache-2.0
// ServerSettings: the knobs of the HTTP front, each with its default and unit. Filled in main/ from
// the settings file and the environment; a plain value, checked once by validate() before anything
// listens. Limits that answer a client have their status code beside them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace tintype {

struct ServerSettings {
  std::string listen_address = "127.0.0.1";  // a numeric IPv4 or IPv6 address
  int port = 8080;                           // 0: any free port
  std::string admin_address = "127.0.0.1";
  int admin_port = 8081;  // 0: any free port
  int loops = 0;          // event loops, one thread each; 0: one a usable core
  // Loops at real-time priority (SCHED_RR 1), so that a hit never waits for a render's turn to end;
  // needs CAP_SYS_NICE or RLIMIT_RTPRIO, else the loops run as usual and a warning is logged.
  bool realtime_loops = false;
  // What the edge in front of the service sends as X-Origin-Verify; empty: there is none. The
  // second holds while the secret is changed. Who knows it may ask for canonical paths without a
  // signature.
  std::string edge_secret, old_edge_secret;
  // Who sends one of them may give orders on the admin port (admin_tokens.h); both empty: nobody
  // may. The second holds while the token is changed.
  std::string admin_token, old_admin_token;
  bool edge_only = false;  // pictures for the edge alone: 403 for all others
  bool studio = false;     // serves the studio at / and /_/studio/

  std::size_t max_target_bytes = 8192;  // 414 above it
  std::size_t max_head_bytes = 16384;   // 431 above it
  int max_fields = 100;                 // 431 above it

  // From a head's first byte to its last, whatever the client does in between; 408 afterwards.
  Milliseconds head_timeout_ms{10'000};
  // Idle time between requests. Longer than an ALB's 60 s, so that the balancer closes first: the
  // other way round it sends into a closing connection and its viewer gets a 502.
  Milliseconds keep_alive_timeout_ms{75'000};
  // While an answer is being sent the client must take `min_write_rate_bytes_per_s` on average over
  // each window, counted by what it has acknowledged; else the connection is closed.
  Milliseconds write_window_ms{20'000};
  std::int64_t min_write_rate_bytes_per_s = 256;

  int max_connections = 10'000;    // of the image port, over all loops; 503 above it
  int max_admin_connections = 64;  // 503 above it
  int max_requests_per_connection =
      100'000;  // then "Connection: close", so that balancers rebalance

  // After begin_drain() readiness is red, but connections are still accepted for this long: the
  // balancer needs the time to notice. 0 where nobody balances.
  Milliseconds drain_accept_ms{5'000};
  // From begin_drain() to giving up on answers in flight. Below ECS' stopTimeout of 30 s.
  Milliseconds drain_timeout_ms{25'000};
};

// Fails with BadRequest naming the field, its value and what is allowed.
Result<> validate(const ServerSettings& settings);

}  // namespace tintype
