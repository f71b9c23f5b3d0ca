// SPDX-License-Identifier: Apache-2.0
// The admin port: what balancers, supervisors and Prometheus ask. GET only, on a port and a loop of
// its own, so that a scrape never delays a picture. Not for the internet: bind it to loopback or a
// private address.
//
//   /_/health    200 while the process works, 503 once it drains or an event loop hangs
//   /_/ready     200 when new requests are welcome, else 503; JSON with the reasons
//   /_/metrics   Prometheus' text form
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "delivery/answer.h"

namespace tintype {

struct AdminParts {
  std::function<bool()> is_saturated;    // render queue full; may be empty
  std::function<std::string()> metrics;  // the whole exposition; may be empty
  // Further reasons why this process should get no traffic ("policy-missing"); may be empty.
  std::function<std::vector<std::string>()> unready_reasons;
};

// What only the server knows of itself.
struct ServerState {
  bool is_draining = false;
  bool is_stuck = false;  // an event loop has not come round for seconds
  int connections = 0;
};

// Never fails: an unknown target is a 404.
Answer answer_admin(std::string_view target, const AdminParts& parts, const ServerState& state);

}  // namespace tintype
