// SPDX-License-Identifier: Apache-2.0
#include "worker/zygote_main.h"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "telemetry/log.h"
#include "worker/control.h"
#include "worker/message.h"
#include "worker/sanitizer.h"
#include "worker/worker_main.h"

namespace tintype {
namespace {

constexpr int kControl = 3;
constexpr int kChildDied = 4;

// The environment of the server (credentials may stand in it) lives on in the memory of every
// forked process, so forgetting the pointers is not enough: the strings are overwritten, both where
// the kernel put them at exec (fields 50 and 51 of /proc/self/stat, see proc(5)) and where setenv
// did.
void wipe_environment() {
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    ::explicit_bzero(*entry, std::strlen(*entry));
  }
  ::clearenv();
  std::ifstream file("/proc/self/stat");
  const std::string stat{std::istreambuf_iterator<char>(file), {}};
  // The second field is a file name in brackets and may hold anything; the third follows ") ".
  const std::size_t third = stat.rfind(") ");
  if (third == std::string::npos) return;
  const auto fields = split(std::string_view(stat).substr(third + 2), ' ');
  if (fields.size() < 49) return;
  const auto first = parse_int(fields[47]);
  const auto last = parse_int(fields[48]);
  if (!first || !last || *first <= 0 || *last <= *first) return;
  ::explicit_bzero(reinterpret_cast<void*>(static_cast<std::uintptr_t>(*first)),
                   static_cast<std::size_t>(*last - *first));
}

// The server may have installed handlers or blocked signals. A terminal's Ctrl-C and a service
// manager's SIGTERM are for the server, which drains first; we end when it closes the socket.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) std::signal(number, SIG_IGN);
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  ::sigprocmask(SIG_SETMASK, &children, nullptr);
}

// Leaves /dev/null on 0 and 1, standard error on 2, the control socket on 3, SIGCHLD's on 4.
Result<> arrange_descriptors(Descriptor control) {
  if (::dup2(control.release(), kControl) != kControl) {
    return fail_private(ErrorCode::Internal, "dup2");
  }
  const int null = ::open("/dev/null", O_RDWR);
  if (null < 0) return fail_private(ErrorCode::Internal, "/dev/null cannot be opened");
  ::dup2(null, 0);
  ::dup2(null, 1);
  if (::fcntl(2, F_GETFD) < 0) ::dup2(null, 2);
  close_from(kControl + 1);
  sigset_t children;
  ::sigemptyset(&children);
  ::sigaddset(&children, SIGCHLD);
  if (::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK) != kChildDied) {
    return fail_private(ErrorCode::Internal, "signalfd");
  }
  return {};
}

// A fork copies the calling thread only; what other threads hold would stay locked for ever.
Result<> check_single_threaded() {
  if (kIsSanitized) return {};  // their run-time libraries keep a thread and know about fork
  std::error_code error;
  const std::filesystem::directory_iterator tasks("/proc/self/task", error);
  if (error) return {};  // no /proc: nothing to check with
  if (std::distance(begin(tasks), end(tasks)) == 1) return {};
  return fail_private(ErrorCode::Internal, "the engine has started a thread before the fork");
}

// Logs how a worker ended. SIGKILL is the pool's own doing (deadline, recycling), or the kernel's
// for want of memory, which the kernel reports itself.
void report_end(pid_t pid, int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL) {
    log(LogLevel::Warn, "worker-crashed",
        {{"pid", pid}, {"signal", ::strsignal(WTERMSIG(status))}});
  } else if (WIFEXITED(status) && WEXITSTATUS(status) != 0) {
    log(LogLevel::Warn, "worker-exited", {{"pid", pid}, {"status", WEXITSTATUS(status)}});
  }
}

void reap() {
  signalfd_siginfo drained[8];
  while (::read(kChildDied, drained, sizeof(drained)) > 0) {
  }
  int status = 0;
  for (pid_t pid; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) report_end(pid, status);
}

// Forks one worker and answers with its pid and pidfd. The pidfd is taken before anything can wait
// for the child, so it cannot name another process.
void spawn(const ZygoteStart& start, std::uint64_t number, ReceivedMessage& request) {
  const pid_t zygote_pid = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    run_worker({.doorbell = std::move(request.fds[1]),
                .arena = std::move(request.fds[0]),
                .zygote_pid = zygote_pid,
                .settings = start.settings,
                .entry = start.entry});
  }
  SpawnReply reply{.number = number, .error = pid < 0 ? errno : 0, .pid = pid};
  Descriptor pidfd;
  if (pid > 0) {
    pidfd = Descriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!pidfd) {
      reply.error = errno;
      ::kill(pid, SIGKILL);
    }
  }
  const int fds[] = {pidfd.number()};
  send_message(kControl, octets_of(reply), std::span<const int>(fds, pidfd ? 1 : 0));
}

[[noreturn]] void serve(const ZygoteStart& start) {
  while (true) {
    pollfd polls[] = {{.fd = kControl, .events = POLLIN, .revents = 0},
                      {.fd = kChildDied, .events = POLLIN, .revents = 0}};
    if (::poll(polls, 2, -1) < 0 && errno != EINTR) ::_exit(1);
    if (polls[1].revents != 0) reap();
    if (polls[0].revents == 0) continue;
    SpawnRequest message;
    ReceivedMessage request = receive_message(kControl, writable_octets_of(message));
    if (request.size_bytes <= 0) ::_exit(0);  // the server has closed or died
    if (request.fds.size() == 2) spawn(start, message.number, request);
  }
}

Result<> prepare(ZygoteStart& start) {
  tie_to_parent("tintype-zygote", start.server_pid);
  // A process group of its own, against a terminal's signals, but not a session: where the kernel
  // makes scheduling groups by session (sched(7), autogroup) SCHED_IDLE of the workers (sandbox.cc)
  // would rank them among themselves only, and no longer below the event loops.
  ::setpgid(0, 0);
  reset_signals();
  wipe_environment();
  TRY(arrange_descriptors(std::move(start.control)));
  TRY(start.entry.prepare());
  return check_single_threaded();
}

}  // namespace

void run_zygote(ZygoteStart start) {
  const int control = start.control.number();
  const Result<> prepared = prepare(start);
  ZygoteReady ready;
  if (!prepared) put_text(ready.problem, prepared.error().message);
  const bool is_moved = !start.control;
  send_message(is_moved ? kControl : control, octets_of(ready));
  if (!prepared) ::_exit(1);
  serve(start);
}

}  // namespace tintype
