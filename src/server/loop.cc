// SPDX-License-Identifier: Apache-2.0
#include "server/loop.h"

#include <cerrno>
#include <cstring>
#include <exception>

#include <asio/detached.hpp>
#include <asio/ip/v6_only.hpp>
#include <asio/redirect_error.hpp>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/text.h"
#include "server/head.h"
#include "server/problem.h"
#include "server/session.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

using asio::ip::tcp;

// Deadlines are whole seconds; a quarter of one is exact enough and costs nothing.
constexpr Milliseconds kTickMs{250};
// Without descriptors, accepting again at once would only spin.
constexpr Milliseconds kAcceptPauseMs{100};
// Health is asked every 5 to 30 s; a loop that is not back by then hangs.
constexpr Milliseconds kStuckMs{10'000};
// How long a client may take to close after our last word.
constexpr Milliseconds kLingerMs{2'000};

std::int64_t real_now_ms() {
  return std::chrono::duration_cast<Milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

bool is_out_of_descriptors(const std::error_code& error) {
  int value = error.value();
  return value == EMFILE || value == ENFILE || value == ENOBUFS || value == ENOMEM;
}

std::string full_house_answer() {
  SharedEntry entry = problem_entry(503, "Too many connections; try again.");
  std::string out = entry->head + "Server: tintype\r\nConnection: close\r\n\r\n";
  return out.append(entry->body.begin(), entry->body.end());
}

Result<> open_listener(tcp::acceptor& acceptor, const tcp::endpoint& at, bool shared) {
  using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;
  std::error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && shared) acceptor.set_option(ReusePort(true), error);
  if (!error && at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(false), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  if (!error) acceptor.non_blocking(true, error);
  if (!error) return {};
  return fail_private(ErrorCode::Internal, "cannot listen at " + at.address().to_string() +
                                               " port " + std::to_string(at.port()) + ": " +
                                               error.message());
}

// A session lives in the frame of this coroutine.
Task<> serve(Loop& loop, Service& service, tcp::socket socket) {
  Session session(loop, service, std::move(socket));
  co_await session.run();
}

// Even below SCHED_IDLE workers an ordinary loop that has just worked can be owed no time and then
// waits until the scheduler's next tick, up to 4 ms (bench/README.md, the storm). A real-time loop
// takes the core at once.
void become_realtime() {
  const sched_param lowest{.sched_priority = ::sched_get_priority_min(SCHED_RR)};
  if (::sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &lowest) == 0) return;
  log(LogLevel::Warn, "loop-not-realtime",
      {{"why", std::strerror(errno)}, {"needs", "CAP_SYS_NICE or RLIMIT_RTPRIO"}});
}

void note_escaped(std::exception_ptr exception) {
  if (!exception) return;
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    log(LogLevel::Error, "session-failed", {{"what", e.what()}});
  }
}

}  // namespace

Loop::Loop(const Parts& parts)
    : parts_(parts),
      deadlines_({parts.settings.keep_alive_timeout_ms, parts.settings.head_timeout_ms,
                  parts.settings.write_window_ms, kLingerMs}),
      access_log_(parts.access_log_fd),
      full_house_(full_house_answer()),
      ticked_ms_(real_now_ms()) {
  read_time();
}

Loop::~Loop() {
  stop();
  join();
}

void Loop::join() {
  if (!thread_.joinable()) return;
  thread_.join();
  access_log_.flush();
}

Result<int> Loop::listen(const tcp::endpoint& at, bool shared, Service& service) {
  auto listener = std::make_unique<Listener>(Listener{tcp::acceptor(io_), service});
  TRY(open_listener(listener->acceptor, at, shared));
  int port = listener->acceptor.local_endpoint().port();
  asio::co_spawn(io_, accept_from(*listener), asio::detached);
  listeners_.push_back(std::move(listener));
  return port;
}

void Loop::start() {
  tick();
  // Signals are main's: no loop may be chosen to take one.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  thread_ = std::thread([this] {
    ::prctl(PR_SET_NAME, "loop");
    if (parts_.settings.realtime_loops) become_realtime();
    io_.run();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Loop::stop() {
  io_.stop();
}

bool Loop::is_alive() const {
  return real_now_ms() - ticked_ms_.load() < kStuckMs.count();
}

void Loop::stop_accepting() {
  asio::post(io_, [this] {
    for (auto& listener : listeners_) {
      std::error_code error;
      // Who is in the kernel's queue has been let in already, from the client's point of view.
      while (listener->acceptor.is_open() && !error) {
        tcp::socket socket = listener->acceptor.accept(error);
        if (!error) admit(std::move(socket), listener->service);
      }
      listener->acceptor.close(error);
    }
    deadlines_.expire_all(Wait::Idle);
  });
}

void Loop::tick() {
  ticked_ms_.store(real_now_ms());
  read_time();
  deadlines_.sweep(clock().now());
  access_log_.flush();
  tick_timer_.expires_after(kTickMs);
  tick_timer_.async_wait([this](std::error_code error) {
    if (!error) tick();
  });
}

void Loop::read_time() {
  std::int64_t now = clock().unix_seconds();
  if (now == unix_seconds_) return;
  unix_seconds_ = now;
  date_and_server_ = "Date: " + http_date(now) + "\r\nServer: tintype\r\n";
}

Task<> Loop::accept_from(Listener& listener) {
  while (true) {
    std::error_code error;
    tcp::socket socket =
        co_await listener.acceptor.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (!error) {
      admit(std::move(socket), listener.service);
    } else if (!listener.acceptor.is_open() || error == asio::error::operation_aborted) {
      co_return;
    } else if (is_out_of_descriptors(error)) {
      // The kernel's queue holds the newcomers until connections of ours end.
      log(LogLevel::Warn, "accept-paused", {{"why", error.message()}});
      co_await sleep_for(kAcceptPauseMs);
    }
  }
}

// Above the limit a client is told so and let go, rather than left in the kernel's queue: a
// balancer then tries its next target at once, and a flood costs one small send a connection.
void Loop::admit(tcp::socket socket, Service& service) {
  std::error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const int others = service.connections.fetch_add(1);
  // Idle connections make room before the house is full, or they could keep everybody out.
  if (others >= service.max_connections - service.max_connections / 10) {
    deadlines_.expire_oldest(Wait::Idle);
  }
  if (others >= service.max_connections) {
    service.connections.fetch_sub(1);
    if (service.metrics != nullptr) service.metrics->count(Outcome::Busy);
    char unread[4096];
    // What has arrived is read, for closing over unread bytes would reset the connection before the
    // answer is seen.
    [[maybe_unused]] ssize_t read =
        ::recv(socket.native_handle(), unread, sizeof unread, MSG_DONTWAIT);
    [[maybe_unused]] ssize_t sent = ::send(socket.native_handle(), full_house_.data(),
                                           full_house_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    return;
  }
  asio::co_spawn(io_, serve(*this, service, std::move(socket)), note_escaped);
}

}  // namespace tintype
