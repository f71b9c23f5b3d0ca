// SPDX-License-Identifier: Apache-2.0
// Server: the HTTP/1.1 front. Owns the listeners, the event loops and their threads; knows pictures
// only as answers that somebody gives (ServerParts), so tests serve without a walk.
//
// A hit is answered by the loop that read it; a miss suspends its connection, never the loop.
// Draining: readiness goes red and every answer says "Connection: close", then nothing more is
// accepted and idle connections are closed, then answers in flight get until the deadline.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/answer.h"
#include "server/admin.h"
#include "server/admin_api.h"
#include "server/settings.h"
#include "server/studio.h"
#include "telemetry/metrics.h"
#include "telemetry/span.h"

namespace tintype {

struct ServerParts {
  // Walk::answer_from_memory and Walk::answer; called on every loop's thread.
  std::function<std::optional<Answer>(const Viewing&)> answer_from_memory;
  std::function<Task<Answer>(Viewing)> answer;
  Metrics& metrics;
  const Clock& clock;
  int access_log_fd = -1;  // not owned; -1: no access log
  Tracing tracing = {};    // spans of the image port's requests
  AdminParts admin;
  StudioParts studio;
  AdminApi api = {};  // purges and hooks; its tasks run on the loop that took the request
};

class Server {
 public:
  // Listens on both ports and begins to serve. What `parts` refers to must outlive the server.
  // Fails with BadRequest for settings that are not allowed, with Internal when a port cannot be
  // had.
  static Result<std::unique_ptr<Server>> start(ServerParts parts, const ServerSettings& settings);
  // Stops at once. Requires that no answer is in flight (see wait()) or that the process ends
  // before whoever makes answers calls back.
  ~Server();

  int port() const;
  int admin_port() const;
  // Thread-safe, may be called again. Not for signal handlers: wait for the signal in a thread.
  void begin_drain();
  // Blocks until somebody drains and the drain is over; then all loops have stopped and the access
  // log is written. False: answers were still in flight at the deadline.
  bool wait();
  // Stops and joins the loops but keeps them: what still wants to land on one may, and is never
  // run. Whoever runs work that lands on loops (workers, fetches, the disk) ends it between this
  // and the destructor. Thread-safe; may be called again.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tintype
