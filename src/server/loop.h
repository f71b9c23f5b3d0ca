// SPDX-License-Identifier: Apache-2.0
// Loop: one event loop with its thread, its listeners, its connections' deadlines, its access log
// and its idea of the time. A Service is what a port serves; the image port's is shared by all
// loops, each with a listener of its own (SO_REUSEPORT), so that the kernel spreads connections and
// loops share no lock. Methods without "thread-safe" belong to the loop's own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/steady_timer.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "delivery/answer.h"
#include "server/admin_api.h"
#include "server/deadlines.h"
#include "server/head_parser.h"
#include "server/request_trace.h"
#include "server/settings.h"
#include "telemetry/access_log.h"
#include "telemetry/metrics.h"

namespace tintype {

// The life of a server: it only goes forward.
enum class LifePhase : std::uint8_t {
  Serving,
  Draining,  // still accepts; every answer says "Connection: close"
  Closing,   // accepts nothing, idle connections are closed
};

// What a port serves, and how many clients it has.
struct Service {
  std::function<std::optional<Answer>(const Viewing&)> answer_from_memory;
  std::function<Task<Answer>(Viewing)> answer;
  Metrics* metrics = nullptr;  // null: nothing of this port is counted or logged
  // The routes asked before the two above, and what of them may have a body; null and empty: none.
  std::function<const AdminRoute*(std::string_view method, std::string_view target)> route;
  BodyRule takes_body;
  // Of bodies being received, over all connections: bounded, so that no crowd fills the memory.
  std::atomic<std::size_t> held_body_bytes{0};
  int max_connections = 0;
  std::atomic<int> connections{0};
  std::atomic<LifePhase> phase{LifePhase::Serving};
};

class Loop {
 public:
  struct Parts {
    const ServerSettings& settings;
    const Clock& clock;
    int access_log_fd = -1;
    Tracing tracing = {};
  };

  explicit Loop(const Parts& parts);
  ~Loop();  // stops and joins
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Listens for `service`; before start(). `shared`: other loops listen at the same port.
  // Returns the port. Fails with Internal, naming the address, when it cannot be had.
  Result<int> listen(const asio::ip::tcp::endpoint& at, bool shared, Service& service);
  void start();
  // Thread-safe. Accepts what already knocked, closes the listeners and the idle connections.
  void stop_accepting();
  // Thread-safe. Ends the thread, whatever is under way; connections are closed by the destructor.
  void stop();
  // After stop(): waits for the thread and writes the access log.
  void join();
  // Thread-safe: false when the loop has not come round for ten seconds.
  bool is_alive() const;

  const ServerSettings& settings() const { return parts_.settings; }
  const Clock& clock() const { return parts_.clock; }
  Deadlines& deadlines() { return deadlines_; }
  AccessLog& access_log() { return access_log_; }
  RequestTrace::Rules trace_rules() { return {trace_ids_, parts_.tracing, unix_seconds_}; }
  // Cached, at most a quarter of a second old.
  std::int64_t unix_seconds() const { return unix_seconds_; }
  std::string_view date_and_server() const { return date_and_server_; }

 private:
  struct Listener {
    asio::ip::tcp::acceptor acceptor;
    Service& service;
  };

  Task<> accept_from(Listener& listener);
  void admit(asio::ip::tcp::socket socket, Service& service);
  void tick();
  void read_time();

  Parts parts_;
  Deadlines deadlines_;
  AccessLog access_log_;
  TraceIds trace_ids_;
  std::int64_t unix_seconds_ = 0;
  std::string date_and_server_;
  std::string full_house_;  // the whole answer to a connection above the limit
  std::atomic<std::int64_t> ticked_ms_{0};
  // After everything that connections use: they are destroyed with it.
  asio::io_context io_{1};
  asio::steady_timer tick_timer_{io_};
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::thread thread_;
};

}  // namespace tintype
