// SPDX-License-Identifier: Apache-2.0
#include "worker/zygote.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "worker/control.h"
#include "worker/message.h"
#include "worker/zygote_main.h"

namespace tintype {
namespace {

// Loading libvips and its modules takes about 60 ms; spawning takes 1-5 ms. Only a machine in deep
// trouble needs seconds, and waiting longer would not help it.
constexpr timeval kPatience{.tv_sec = 10, .tv_usec = 0};

Failure system_failure(const char* what) {
  return fail_private(ErrorCode::Internal, std::string(what) + ": " + std::strerror(errno));
}

struct SocketPair {
  Descriptor ours, theirs;
};

Result<SocketPair> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return system_failure("socketpair");
  }
  SocketPair pair{.ours = Descriptor(ends[0]), .theirs = Descriptor(ends[1])};
  ::setsockopt(pair.ours.number(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  return pair;
}

// Receives one message of exactly the size of T.
template <class T>
Result<ReceivedMessage> receive_exactly(const Descriptor& socket, T& message, const char* who) {
  ReceivedMessage received = receive_message(socket.number(), writable_octets_of(message));
  if (received.size_bytes == static_cast<std::ptrdiff_t>(sizeof(T))) return received;
  const char* why = received.size_bytes == 0  ? " has ended"
                    : received.size_bytes < 0 ? " does not answer"
                                              : " answered nonsense";
  return fail_private(ErrorCode::Internal, std::string(who) + why);
}

template <class T>
Result<> check_problem(const T& message, const char* who) {
  const std::string_view problem = peek_text(message.problem);
  if (problem.empty()) return {};
  return fail_private(ErrorCode::Internal, std::string(who) + ": " + std::string(problem));
}

}  // namespace

Result<Zygote> Zygote::start(const WorkerSettings& settings) {
  return start(settings, {});
}

Result<Zygote> Zygote::start(const WorkerSettings& settings, const RenderEntry& entry) {
  TRY(settings.validate());
  TRY(SocketPair control, make_socket_pair());
  const pid_t server_pid = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return system_failure("fork of the zygote");
  if (pid == 0) {
    control.ours.close();
    run_zygote({.control = std::move(control.theirs),
                .server_pid = server_pid,
                .settings = settings,
                .entry = entry});
  }
  control.theirs.close();
  Zygote zygote(std::move(control.ours), pid, ArenaShape::of(settings));
  ZygoteReady ready;
  TRY(receive_exactly(zygote.control_, ready, "the zygote"));
  TRY(check_problem(ready, "the zygote"));
  return zygote;
}

Zygote::~Zygote() {
  if (pid_.number < 0) return;
  // It holds no state worth a farewell; its workers die with it (PR_SET_PDEATHSIG). The pid cannot
  // have been reused, because only we reap it.
  ::kill(pid_.number, SIGKILL);
  while (::waitpid(pid_.number, nullptr, 0) < 0 && errno == EINTR) {
  }
}

Result<Zygote::Worker> Zygote::spawn() {
  Worker worker;
  TRY(SocketPair doorbell, make_socket_pair());
  TRY(worker.arena, create_arena(shape_));
  const int fds[] = {worker.arena.number(), doorbell.theirs.number()};
  const SpawnRequest request{.number = ++last_number_};
  if (!send_message(control_.number(), octets_of(request), fds)) {
    return system_failure("spawn request");
  }
  doorbell.theirs.close();

  SpawnReply reply;
  TRY(ReceivedMessage received, receive_exactly(control_, reply, "the zygote"));
  // Replies to requests that were given up on come first; their workers end with their doorbells.
  while (reply.number < request.number) {
    TRY(received, receive_exactly(control_, reply, "the zygote"));
  }
  if (reply.error != 0 || received.fds.size() != 1) {
    return fail_private(ErrorCode::Internal,
                        std::string("fork of a worker: ") + std::strerror(reply.error));
  }
  worker.pid = reply.pid;
  worker.pidfd = std::move(received.fds.front());
  worker.doorbell = std::move(doorbell.ours);

  HelloMessage hello;
  TRY(receive_exactly(worker.doorbell, hello, "a new worker"));
  TRY(check_problem(hello, "a new worker"));
  worker.landlock_abi = hello.landlock_abi;
  return worker;
}

bool Zygote::is_alive() const {
  pollfd poll{.fd = control_.number(), .events = 0, .revents = 0};
  return ::poll(&poll, 1, 0) == 0;
}

}  // namespace tintype
