// SPDX-License-Identifier: Apache-2.0
// Application: everything `tintype serve` runs, wired together. Owns all parts; their order here is
// the order of their making, and they end the other way round. Made, run and ended by the main
// thread; its parts say themselves what may call them.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "cache/disk_tier.h"
#include "cache/memory_tier.h"
#include "delivery/hook_desk.h"
#include "delivery/walk.h"
#include "delivery/warm_queue.h"
#include "main/backends.h"
#include "main/policy_source.h"
#include "main/purging.h"
#include "main/settings.h"
#include "main/telemetry_parts.h"
#include "server/server.h"
#include "worker/pool.h"

namespace tintype {

class Application {
 public:
  struct Order {
    Settings settings;
    std::string config_path;  // tintype.yaml
  };
  // Forks the zygote first: must be called before the process has a second thread. When it returns,
  // the ports are open. Fails with the first part that cannot start.
  static Result<std::unique_ptr<Application>> start(Order order);
  ~Application();

  // Serves until SIGTERM or SIGINT has been obeyed: readiness red, work finished, ports closed. A
  // second signal ends the process at once with exit code 1. SIGHUP reopens the access log.
  void run();

  int port() const { return server_->port(); }
  int admin_port() const { return server_->admin_port(); }

 private:
  explicit Application(Order order);
  Result<> open_stores();
  Result<> open_server();
  void open_api();
  Task<Answer> ask_for_warming(std::string path);
  Result<> open_access_log();
  TelemetryParts::Parts telemetry_order();
  ServerParts server_parts();
  void open_disk(const DiskTierSettings& settings);
  void forget_changed_sites(const Policy& before, const Policy& after);
  Task<std::string> list_pictures();
  Task<std::string> explain_as_json(std::string target, std::string accept);
  Task<> watch_policy();
  void flush(Deadline deadline);
  Task<> obey_signals();

  Order order_;
  SystemClock clock_;
  std::unique_ptr<WorkerPool> pool_;
  // Apart, so that a cache disk that hangs holds up no local sources, nor they the cache.
  asio::thread_pool source_reads_, disk_reads_;
  Metrics metrics_;
  PurgeLog purges_{clock_};
  std::unique_ptr<Backends> backends_;
  std::unique_ptr<PolicySource> policy_;
  std::unique_ptr<Lease> leases_;
  std::unique_ptr<MemoryTier> memory_;
  std::unique_ptr<DiskTier> disk_;
  std::unique_ptr<PoolRenderer> renderer_;
  std::unique_ptr<Walk> walk_;
  std::unique_ptr<Purging> purging_;
  std::unique_ptr<WarmQueue> warm_;
  std::unique_ptr<HookDesk> hooks_;
  AdminApi api_;
  std::unique_ptr<TelemetryParts> telemetry_;
  int access_log_fd_ = -1;
  asio::io_context control_;  // signals and the policy watch; the main thread's
  std::unique_ptr<Server> server_;
  std::thread drain_;
};

}  // namespace tintype
