// SPDX-License-Identifier: Apache-2.0
#include "main/application.h"

#include <csignal>
#include <cstdlib>

#include <asio/signal_set.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/json.h"
#include "delivery/explain.h"
#include "main/exported_metrics.h"
#include "server/head.h"
#include "server/hook_route.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// Threads for the cache's disk, and as many for local sources and the settings file. They wait,
// they do not compute; eight keep a fast SSD busy.
constexpr std::size_t kBlockingThreads = 8;
// Few, because an entry may fill an eighth of a shard: 8 MB at the default size of the tier.
constexpr int kMemoryShards = 4;
constexpr Milliseconds kFlushAtLeast{2'000};
// The studio shows a catalogue to play with, not an asset manager.
constexpr std::size_t kPicturesListed = 500;

}  // namespace

Application::Application(Order order)
    : order_(std::move(order)), source_reads_(kBlockingThreads), disk_reads_(kBlockingThreads) {}

Application::~Application() {
  if (drain_.joinable()) drain_.join();
  // The loops stop first but stand until nobody is left who would post to them: variants still
  // being written behind their answers, fetches, renders.
  if (server_) server_->stop();
  source_reads_.join();
  disk_reads_.join();
  if (policy_) policy_->stop();
  if (backends_) backends_->stop();
  pool_.reset();
  server_.reset();
  if (access_log_fd_ > STDERR_FILENO) close(access_log_fd_);
}

Result<std::unique_ptr<Application>> Application::start(Order order) {
  // Fork before anything below starts a thread.
  TRY(Zygote zygote, Zygote::start(order.settings.workers));
  auto application = std::unique_ptr<Application>(new Application(std::move(order)));
  TRY(application->pool_, WorkerPool::start(std::move(zygote), application->order_.settings.workers,
                                            application->clock_));
  TRY(application->open_stores());
  export_metrics(application->metrics_, {.pool = *application->pool_,
                                         .memory = *application->memory_,
                                         .disk = application->disk_.get(),
                                         .backends = *application->backends_});
  application->policy_->export_metrics(application->metrics_);
  TRY(application->telemetry_, TelemetryParts::start(application->telemetry_order()));
  TRY(application->open_server());
  return application;
}

Result<> Application::open_stores() {
  const Settings& settings = order_.settings;
  TRY(backends_, Backends::open(settings, {.reads = source_reads_,
                                           .clock = clock_,
                                           .environment = process_environment(),
                                           .purges = &purges_}));
  TRY(policy_, PolicySource::open(settings, {.aws = backends_->aws(),
                                             .blocking = source_reads_,
                                             .clock = clock_,
                                             .region = backends_->region(),
                                             .config_path = order_.config_path}));
  memory_ = std::make_unique<MemoryTier>(static_cast<std::size_t>(settings.memory_cache_bytes),
                                         kMemoryShards);
  if (settings.disk) open_disk(*settings.disk);
  renderer_ = std::make_unique<PoolRenderer>(*pool_);
  if (settings.variants && settings.variants->leases && policy_->dynamo() != nullptr) {
    leases_ = std::make_unique<DynamoLease>(*policy_->dynamo(), clock_, random_id());
    backends_->use_leases(*leases_);
  }
  return {};
}

void Application::open_disk(const DiskTierSettings& settings) {
  auto disk = DiskTier::open(settings, clock_);
  if (disk) {
    disk_ = std::move(*disk);
    return;
  }
  // A folder in use, as during a rolling restart, or broken: pictures are served all the same.
  log(LogLevel::Error, "disk-cache-off",
      {{"folder", settings.folder}, {"message", disk.error().message}});
}

Result<> Application::open_access_log() {
  const std::string& where = order_.settings.access_log;
  if (where == "off") return {};
  if (where == "stdout") {
    access_log_fd_ = STDOUT_FILENO;
    return {};
  }
  access_log_fd_ = open(where.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (access_log_fd_ < 0) {
    return fail_public(ErrorCode::Internal, "server.access_log: cannot open " + where);
  }
  return {};
}

Result<> Application::open_server() {
  TRY(open_access_log());
  walk_ =
      std::make_unique<Walk>(WalkParts{.policies = policy_->policies(),
                                       .origins = backends_->origins(),
                                       .fetches = backends_->fetches(),
                                       .renderer = *renderer_,
                                       .memory = *memory_,
                                       .disk = disk_.get(),
                                       .shared = backends_->shared(),
                                       .purges = &purges_,
                                       .blocking = disk_reads_,
                                       .metrics = metrics_,
                                       .clock = clock_,
                                       .render_head = [](Entry& entry) { render_head(entry); }});
  open_api();
  TRY(server_, Server::start(server_parts(), order_.settings.server));
  return {};
}

// What may be done to the service by request, beside pictures: purges, and the DAM's hooks.
void Application::open_api() {
  const Settings& settings = order_.settings;
  std::vector<std::string> tokens{settings.server.admin_token, settings.server.old_admin_token};
  purging_ = std::make_unique<Purging>(settings.purging, std::move(tokens),
                                       Purging::Parts{.policies = policy_->policies(),
                                                      .log = purges_,
                                                      .memory = *memory_,
                                                      .disk = disk_.get(),
                                                      .blocking = disk_reads_,
                                                      .clock = clock_,
                                                      .aws = backends_->aws(),
                                                      .variants = backends_->variants(),
                                                      .sources = backends_->sources(),
                                                      .dynamo = policy_->dynamo()});
  WarmQueue::Parts warm{
      .policies = policy_->policies(),
      .clock = clock_,
      .ask = [this](std::string path) { return ask_for_warming(std::move(path)); },
      .is_busy = [this] { return pool_->state().queued > 0; }};
  warm_ = std::make_unique<WarmQueue>(std::move(warm), WarmQueueSettings{});
  hooks_ = std::make_unique<HookDesk>(HookDesk::Parts{.policies = policy_->policies(),
                                                      .clock = clock_,
                                                      .warm = *warm_,
                                                      .purge = purge_by(purging_->purger())});
  purging_->add_routes(api_);
  api_.add(hook_route(*hooks_));
  export_hooks(metrics_, *hooks_, *warm_);
}

// A canonical path that we ask for ourselves needs no signature.
Task<Answer> Application::ask_for_warming(std::string path) {
  Viewing viewing;
  viewing.target = path;
  viewing.is_ours = true;
  co_return co_await walk_->answer(viewing);
}

TelemetryParts::Parts Application::telemetry_order() {
  return {.settings = order_.settings,
          .metrics = metrics_,
          .http = backends_->http(),
          .clock = clock_,
          .environment = process_environment(),
          .control = control_};
}

ServerParts Application::server_parts() {
  return ServerParts{
      .answer_from_memory =
          [this](const Viewing& viewing) { return walk_->answer_from_memory(viewing); },
      .answer = [this](Viewing viewing) { return walk_->answer(std::move(viewing)); },
      .metrics = metrics_,
      .clock = clock_,
      .access_log_fd = access_log_fd_,
      .tracing = telemetry_->tracing(),
      .admin = {.is_saturated =
                    [this] {
                      PoolState state = pool_->state();
                      return state.saturated || state.workers == 0;
                    },
                .metrics = [this] { return metrics_.expose(); },
                .unready_reasons = [this] { return policy_->unready_reasons(); }},
      .studio = {.pictures_json = [this] { return list_pictures(); },
                 .explain_json =
                     [this](std::string target, std::string accept) {
                       return explain_as_json(std::move(target), std::move(accept));
                     }},
      .api = api_};
}

Task<std::string> Application::list_pictures() {
  JsonArray sites;
  SharedPolicy policy = policy_->policies().current();
  for (const auto& [name, site] : policy->sites) {
    JsonArray pictures, presets;
    if (auto origin = backends_->origins().of(site)) {
      if (auto paths = co_await (*origin)->list(kPicturesListed)) {
        for (const std::string& path : *paths) pictures.add(path);
      }
    }
    for (const auto& [preset, options] : site.presets) presets.add(preset);
    JsonObject json;
    json.field("name", name).raw("pictures", pictures.str()).raw("presets", presets.str());
    sites.raw(json.str());
  }
  co_return JsonObject().raw("sites", sites.str()).str();
}

Task<std::string> Application::explain_as_json(std::string target, std::string accept) {
  ExplainParts parts{
      .policies = policy_->policies(), .origins = backends_->origins(), .clock = clock_};
  HintTexts headers;
  headers.take("accept", accept);
  Explanation explanation = co_await explain(std::move(target), std::move(headers), parts);
  co_return std::move(explanation.json);
}

// What was made under rules that have changed: answers in memory go, they are quick to have again;
// variants on disk go only when their sources came from elsewhere.
void Application::forget_changed_sites(const Policy& before, const Policy& after) {
  for (const auto& [name, old_site] : before.sites) {
    const SitePolicy* site = after.find(name);
    if (site && *site == old_site) continue;
    std::size_t forgotten = memory_->remove_if([&name](const EntryMeta& meta) {
      return meta.site == name || meta.key.starts_with("source:/" + name + "/") ||
             meta.key.starts_with("/" + name + "/");
    });
    log(LogLevel::Info, "site-changed", {{"site", name}, {"forgotten", forgotten}});
    bool moved = !site || !(site->origin == old_site.origin) ||
                 site->fallback_origins != old_site.fallback_origins;
    if (moved && disk_) {
      asio::post(disk_reads_, [this, name] { disk_->remove_prefix("/" + name + "/"); });
    }
  }
}

Task<> Application::watch_policy() {
  SharedPolicy before = policy_->policies().current();
  while (true) {
    co_await sleep_for(Seconds(1));
    SharedPolicy after = co_await policy_->policies().refresh();
    if (after != before) forget_changed_sites(*before, *after);
    before = after;
  }
}

// Variants that wait to be written, so that they need not be rendered again. They get a moment even
// when the answers took all of the time: ECS kills five seconds after drain_timeout's default.
void Application::flush(Deadline deadline) {
  Steady moment = clock_.now() + kFlushAtLeast;
  std::size_t left = backends_->drain(Deadline{std::max(deadline.at, moment)});
  if (left > 0) log(LogLevel::Warn, "variants-not-written", {{"left", left}});
  telemetry_->finish();
}

Task<> Application::obey_signals() {
  asio::signal_set signals(control_, SIGTERM, SIGINT, SIGHUP);
  bool draining = false;
  while (true) {
    int signal = co_await signals.async_wait(asio::use_awaitable);
    if (signal == SIGHUP) {
      // Loops hold the descriptor's number, so the new file takes the old one's place.
      if (access_log_fd_ <= STDERR_FILENO) continue;
      int fresh =
          open(order_.settings.access_log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      if (fresh >= 0) {
        dup3(fresh, access_log_fd_, O_CLOEXEC);
        close(fresh);
      }
      continue;
    }
    if (draining) std::_Exit(1);
    draining = true;
    log(LogLevel::Info, "draining", {{"signal", signal}});
    warm_->stop();
    server_->begin_drain();
    // A thread of its own: the pool that reads disks may be waiting for one that hangs.
    drain_ = std::thread(
        [this, until = Deadline::after(clock_, order_.settings.server.drain_timeout_ms)] {
          bool is_answered = server_->wait();
          flush(until);
          if (!is_answered) std::_Exit(0);  // answers in flight were given up: nothing to tidy
          control_.stop();
        });
  }
}

void Application::run() {
  asio::co_spawn(control_, watch_policy(), asio::detached);
  asio::co_spawn(control_, obey_signals(), asio::detached);
  purging_->follow(control_);
  warm_->start(control_.get_executor());
  control_.run();
  log(LogLevel::Info, "stopped");
}

}  // namespace tintype
