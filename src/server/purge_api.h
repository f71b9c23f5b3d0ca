// SPDX-License-Identifier: Apache-2.0
// The purge routes of the admin API:
//
//   POST /_/purge        a PurgeOrder; the report when it is done within the patience (200, or 502
//                        when a layer failed), else 202 and where to ask on
//   GET  /_/purge/<id>   the report, so far as it is; of the last hundred purges of this task
//
// An order whose id is known is not carried out again unless it failed: the answer is its report. A
// purge goes on when its client has gone. Thread-safe: routes may be served by several loops.
#pragma once

#include <memory>

#include "base/clock.h"
#include "delivery/purge.h"
#include "server/admin_api.h"
#include "server/admin_tokens.h"

namespace tintype {

struct PurgeApiSettings {
  Milliseconds patience_ms{2'000};  // below any balancer's and client's timeout
  int max_running = 4;              // 503 above it: they would only take turns at the store
  std::size_t max_remembered = 100;
};

class PurgeApi {
 public:
  // `purger` and `tokens` outlive it and the server.
  PurgeApi(Purger& purger, const AdminTokens& tokens, const PurgeApiSettings& settings = {});
  ~PurgeApi();

  // On the admin port only.
  void add_routes(AdminApi& api);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tintype
