// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/cgroup.h"
#include "server/loop.h"
#include "server/problem.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

using asio::ip::tcp;

// How often a drain looks whether the last connection has ended.
constexpr Milliseconds kDrainPollMs{10};

// SO_REUSEPORT would let a second instance take half of the connections of the first without a
// word, so the port is first asked for alone.
Result<> probe(const tcp::endpoint& at) {
  asio::io_context io;
  tcp::acceptor acceptor(io);
  std::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(at, error);
  if (!error) return {};
  return fail_private(ErrorCode::Internal, "cannot listen at " + at.address().to_string() +
                                               " port " + std::to_string(at.port()) + ": " +
                                               error.message());
}

tcp::endpoint endpoint_of(const std::string& address, int port) {
  return {asio::ip::make_address(address), static_cast<unsigned short>(port)};
}

}  // namespace

struct Server::State {
  State(ServerParts parts_given, const ServerSettings& settings_given)
      : parts(std::move(parts_given)),
        settings(settings_given),
        studio(std::move(parts.studio), settings.studio) {}

  Result<> listen();
  Result<> listen_for_pictures();
  void compose_image_service();
  void compose_admin_service();
  void compose_routes(Service& service, AdminApi::Port side);
  ServerState self() const;
  bool drain();
  void stop();

  ServerParts parts;
  ServerSettings settings;
  Studio studio;
  Answer for_edge_only;
  Service image, admin;
  int port = 0, admin_port = 0;
  std::vector<std::unique_ptr<Loop>> loops;
  std::unique_ptr<Loop> admin_loop;
  std::mutex mutex;
  std::condition_variable draining_begins;
  bool draining = false;
  Steady drain_began{};
};

void Server::State::compose_image_service() {
  image.metrics = &parts.metrics;
  image.max_connections = settings.max_connections;
  for_edge_only.entry = problem_entry(403, "Pictures are served by the edge in front of this.");
  for_edge_only.outcome = Outcome::ClientError;
  image.answer_from_memory = [this](const Viewing& viewing) {
    if (settings.edge_only && !viewing.is_edge) return std::optional(for_edge_only);
    if (is_studio_target(viewing.target)) return studio.answer_at_once(viewing.target);
    return parts.answer_from_memory(viewing);
  };
  image.answer = [this](Viewing viewing) {
    if (is_studio_target(viewing.target))
      return studio.answer(viewing.target, viewing.hints.accept);
    return parts.answer(viewing);
  };
}

void Server::State::compose_admin_service() {
  admin.max_connections = settings.max_admin_connections;
  admin.answer_from_memory = [this](const Viewing& viewing) {
    return std::optional<Answer>(answer_admin(viewing.target, parts.admin, self()));
  };
}

void Server::State::compose_routes(Service& service, AdminApi::Port side) {
  if (parts.api.paths(side).empty()) return;
  service.route = [this, side](std::string_view method, std::string_view target) {
    return parts.api.find(method, target, side);
  };
  service.takes_body = [this, side](std::string_view method,
                                    std::string_view target) -> std::optional<std::size_t> {
    const AdminRoute* route = parts.api.find(method, target, side);
    if (route == nullptr || route->method != "POST") return std::nullopt;
    return route->max_body_bytes;
  };
}

ServerState Server::State::self() const {
  bool is_stuck = std::ranges::any_of(loops, [](const auto& loop) { return !loop->is_alive(); });
  return {image.phase.load() != LifePhase::Serving, is_stuck, image.connections.load()};
}

Result<> Server::State::listen_for_pictures() {
  auto count = static_cast<std::size_t>(settings.loops);
  if (count == 0) count = static_cast<std::size_t>(usable_cores());
  tcp::endpoint at = endpoint_of(settings.listen_address, settings.port);
  if (count > 1) TRY(probe(at));
  for (std::size_t i = 0; i < count; ++i) {
    Loop::Parts loop_parts{settings, parts.clock, parts.access_log_fd, parts.tracing};
    loops.push_back(std::make_unique<Loop>(loop_parts));
    TRY(int bound, loops.back()->listen(at, count > 1, image));
    port = bound;
    at.port(static_cast<unsigned short>(bound));
  }
  return {};
}

Result<> Server::State::listen() {
  TRY(listen_for_pictures());
  admin_loop = std::make_unique<Loop>(Loop::Parts{settings, parts.clock});
  TRY(admin_port,
      admin_loop->listen(endpoint_of(settings.admin_address, settings.admin_port), false, admin));
  return {};
}

// In the caller's thread; returns whether everything in flight was finished.
bool Server::State::drain() {
  Steady accept_until = drain_began + std::min(settings.drain_accept_ms, settings.drain_timeout_ms);
  Steady give_up_at = drain_began + settings.drain_timeout_ms;
  std::this_thread::sleep_until(accept_until);
  image.phase = LifePhase::Closing;
  for (auto& loop : loops) loop->stop_accepting();
  while (image.connections.load() > 0 && std::chrono::steady_clock::now() < give_up_at) {
    std::this_thread::sleep_for(kDrainPollMs);
  }
  return image.connections.load() == 0;
}

void Server::State::stop() {
  for (auto& loop : loops) loop->stop();
  if (admin_loop) admin_loop->stop();
  for (auto& loop : loops) loop->join();
  if (admin_loop) admin_loop->join();
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Server::~Server() {
  state_->stop();
  // Sessions go before the services they refer to.
  state_->loops.clear();
  state_->admin_loop.reset();
}

Result<std::unique_ptr<Server>> Server::start(ServerParts parts, const ServerSettings& settings) {
  TRY(validate(settings));
  auto state = std::make_unique<State>(std::move(parts), settings);
  state->compose_image_service();
  state->compose_admin_service();
  state->compose_routes(state->image, AdminApi::Port::Image);
  state->compose_routes(state->admin, AdminApi::Port::Admin);
  TRY(state->listen());
  for (auto& loop : state->loops) loop->start();
  state->admin_loop->start();
  log(LogLevel::Info, "listening",
      {{"address", settings.listen_address},
       {"port", state->port},
       {"admin_port", state->admin_port},
       {"loops", state->loops.size()}});
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

int Server::port() const {
  return state_->port;
}
int Server::admin_port() const {
  return state_->admin_port;
}

void Server::begin_drain() {
  std::lock_guard lock(state_->mutex);
  if (state_->draining) return;
  state_->draining = true;
  state_->drain_began = std::chrono::steady_clock::now();
  state_->image.phase = LifePhase::Draining;
  state_->draining_begins.notify_all();
  log(LogLevel::Info, "draining", {{"connections", state_->image.connections.load()}});
}

void Server::stop() {
  state_->stop();
}

bool Server::wait() {
  {
    std::unique_lock lock(state_->mutex);
    state_->draining_begins.wait(lock, [this] { return state_->draining; });
  }
  bool is_drained = state_->drain();
  state_->stop();
  log(LogLevel::Info, "stopped", {{"drained", is_drained ? "yes" : "no"}});
  return is_drained;
}

}  // namespace tintype
