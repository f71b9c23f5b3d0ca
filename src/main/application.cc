// SPDX-License-Identifier: Apache-2.0
#include "main/application.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <asio/signal_set.hpp>
#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "delivery/explain.h"
#include "server/head.h"
#include "store/open_origin.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// Threads for the cache's disk, and as many for local sources and the settings file. They wait,
// they do not compute; eight keep a fast SSD busy.
constexpr std::size_t kBlockingThreads = 8;
// Few, because an entry may fill an eighth of a shard: 8 MB at the default size of the tier.
constexpr int kMemoryShards = 4;
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
  http_.reset();
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
  application->export_metrics();
  TRY(application->open_server());
  return application;
}

Result<> Application::open_stores() {
  const Settings& settings = order_.settings;
  auto check = [folder = std::filesystem::path(order_.config_path).parent_path().string()](
                   const std::string& text) -> Result<> {
    TRY(read_settings(text, folder, process_environment()));
    return {};
  };
  TRY(policies_, PolicyFile::open(order_.config_path, source_reads_, clock_, check));
  http_ = std::make_unique<HttpClient>(HttpClientSettings{}, clock_);
  memory_ = std::make_unique<MemoryTier>(static_cast<std::size_t>(settings.memory_cache_bytes),
                                         kMemoryShards);
  if (settings.disk) open_disk(*settings.disk);
  origins_ = std::make_unique<Origins>([this](const OriginRule& rule) {
    return open_origin(rule, {.http = *http_, .blocking = source_reads_, .clock = clock_});
  });
  fetches_ = std::make_unique<SourceFetches>(settings.fetch, clock_);
  renderer_ = std::make_unique<PoolRenderer>(*pool_);
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
      std::make_unique<Walk>(WalkParts{.policies = *policies_,
                                       .origins = *origins_,
                                       .fetches = *fetches_,
                                       .renderer = *renderer_,
                                       .memory = *memory_,
                                       .disk = disk_.get(),
                                       .blocking = disk_reads_,
                                       .metrics = metrics_,
                                       .clock = clock_,
                                       .render_head = [](Entry& entry) { render_head(entry); }});
  TRY(server_, Server::start(server_parts(), order_.settings.server));
  return {};
}

ServerParts Application::server_parts() {
  return ServerParts{
      .answer_from_memory =
          [this](const Viewing& viewing) { return walk_->answer_from_memory(viewing); },
      .answer = [this](Viewing viewing) { return walk_->answer(std::move(viewing)); },
      .metrics = metrics_,
      .clock = clock_,
      .access_log_fd = access_log_fd_,
      .admin = {.is_saturated =
                    [this] {
                      PoolState state = pool_->state();
                      return state.saturated || state.workers == 0;
                    },
                .metrics = [this] { return metrics_.expose(); }},
      .studio = {.pictures_json = [this] { return list_pictures(); },
                 .explain_json =
                     [this](std::string target, std::string accept) {
                       return explain_as_json(std::move(target), std::move(accept));
                     }}};
}

void Application::export_metrics() {
  auto gauge = [this](std::string name, std::string help, std::function<double()> read) {
    metrics_.read_at_scrape("tintype_" + name, std::move(help), "gauge", std::move(read));
  };
  auto counter = [this](std::string name, std::string help, std::function<double()> read) {
    metrics_.read_at_scrape("tintype_" + name, std::move(help), "counter", std::move(read));
  };
  auto pool = [this](auto field) {
    return [this, field] { return static_cast<double>(pool_->state().*field); };
  };
  gauge("workers", "Render processes alive.", pool(&PoolState::workers));
  gauge("workers_busy", "Render processes at work.", pool(&PoolState::busy));
  gauge("queue_jobs", "Renders waiting for a worker.", pool(&PoolState::queued));
  gauge("queue_weight", "Megapixel-weights waiting or running.", pool(&PoolState::queued_weight));
  gauge("queue_bytes", "Peak bytes of pixels waiting or running.", pool(&PoolState::queued_bytes));
  counter("renders_total", "Renders finished.", pool(&PoolState::rendered));
  counter("renders_failed_total", "Renders that failed.", pool(&PoolState::failed));
  counter("renders_refused_total", "Renders refused by admission.", pool(&PoolState::refused));
  counter("worker_kills_total", "Workers killed at a deadline.", pool(&PoolState::killed));
  counter("worker_crashes_total", "Workers that died on a source.", pool(&PoolState::crashed));
  counter("worker_recycles_total", "Workers replaced by age or size.", pool(&PoolState::recycled));
  counter("worker_spawns_total", "Workers started.", pool(&PoolState::spawned));

  auto memory = [this](auto field) {
    return [this, field] { return static_cast<double>(memory_->state().*field); };
  };
  gauge("memory_cache_bytes", "Bytes in the memory tier.", memory(&MemoryTierState::bytes));
  gauge("memory_cache_entries", "Entries in the memory tier.", memory(&MemoryTierState::entries));
  counter("memory_cache_evictions_total", "Evicted.", memory(&MemoryTierState::evicted));
  if (!disk_) return;
  auto disk = [this](auto field) {
    return [this, field] { return static_cast<double>(disk_->state().*field); };
  };
  gauge("disk_cache_bytes", "Bytes in the disk tier.", disk(&DiskTierState::bytes));
  gauge("disk_cache_entries", "Entries in the disk tier.", disk(&DiskTierState::entries));
  counter("disk_cache_evictions_total", "Evicted.", disk(&DiskTierState::evicted));
  counter("disk_cache_corrupt_total", "Damaged files removed.", disk(&DiskTierState::corrupt));
  counter("disk_cache_write_failures_total", "Failed writes.",
          disk(&DiskTierState::write_failures));
}

Task<std::string> Application::list_pictures() {
  JsonArray sites;
  SharedPolicy policy = policies_->current();
  for (const auto& [name, site] : policy->sites) {
    JsonArray pictures, presets;
    if (auto origin = origins_->of(site)) {
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
  ExplainParts parts{.policies = *policies_, .origins = *origins_, .clock = clock_};
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
    bool moved = !site || !(site->origin == old_site.origin);
    if (moved && disk_) {
      asio::post(disk_reads_, [this, name] { disk_->remove_prefix("/" + name + "/"); });
    }
  }
}

Task<> Application::watch_policy() {
  SharedPolicy before = policies_->current();
  while (true) {
    co_await sleep_for(Seconds(1));
    SharedPolicy after = co_await policies_->refresh();
    if (after != before) forget_changed_sites(*before, *after);
    before = after;
  }
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
    server_->begin_drain();
    // A thread of its own: the pool that reads disks may be waiting for one that hangs.
    drain_ = std::thread([this] {
      if (!server_->wait()) std::_Exit(0);  // answers in flight were given up: nothing to tidy
      control_.stop();
    });
  }
}

void Application::run() {
  asio::co_spawn(control_, watch_policy(), asio::detached);
  asio::co_spawn(control_, obey_signals(), asio::detached);
  control_.run();
  log(LogLevel::Info, "stopped");
}

}  // namespace tintype
