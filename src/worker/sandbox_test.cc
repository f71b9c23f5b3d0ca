// SPDX-License-Identifier: Apache-2.0
// What the sandbox forbids and what it leaves, each tried in a process of its own (P1, P4, P28 of
// docs/internals/figures.md).
#include "worker/sandbox.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ostream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/landlock.h"
#include "worker/sanitizer.h"

namespace tintype {
namespace {

constexpr int kNotClosed = 100;  // exit status when the sandbox itself failed

// Runs `act` in a sandboxed child; its return value is the exit status. Returns the wait status.
template <class Act>
int run_sandboxed(Act act) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
    if (!enter_sandbox({.memory_bytes = 1'000'000'000})) ::_exit(kNotClosed);
    ::_exit(act());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return status;
}

struct Attempt {
  const char* name;
  void (*act)();
};
std::ostream& operator<<(std::ostream& out, const Attempt& attempt) {
  return out << attempt.name;
}

class SandboxKills : public ::testing::TestWithParam<Attempt> {};

TEST_P(SandboxKills, TheProcessAtOnce) {
  const int status = run_sandboxed([] {
    GetParam().act();
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status)) << "exit status " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), SIGSYS) << ::strsignal(WTERMSIG(status));
}

// Discards what a call returns: the process is not expected to see it.
template <class... Args>
void call(long number, Args... args) {
  [[maybe_unused]] const long result = ::syscall(number, args...);
}

void limit_files_of_the_parent() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  call(SYS_prlimit64, ::getppid(), RLIMIT_NOFILE, &none, nullptr);
}
void limit_cpu_of_the_parent() {
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  call(SYS_prlimit64, ::getppid(), RLIMIT_CPU, &none, nullptr);
}
void raise_own_files() {
  const rlimit many{.rlim_cur = 1'000, .rlim_max = 1'000};
  ::setrlimit(RLIMIT_NOFILE, &many);
}
void map_executable() {
  ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}
void make_executable() {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ::mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

INSTANTIATE_TEST_SUITE_P(
    Escapes, SandboxKills,
    ::testing::Values(
        Attempt{"socket", [] { call(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
        Attempt{"socketpair", [] { call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, nullptr); }},
        Attempt{"connect", [] { call(SYS_connect, 3, nullptr, 0); }},
        Attempt{"sendto", [] { call(SYS_sendto, 3, nullptr, 0, 0, nullptr, 0); }},
        Attempt{"sendmsg", [] { call(SYS_sendmsg, 3, nullptr, 0); }},
        Attempt{"recvmsg", [] { call(SYS_recvmsg, 3, nullptr, 0); }},
        Attempt{"execve", [] { call(SYS_execve, "/bin/true", nullptr, nullptr); }},
        Attempt{"execveat", [] { call(SYS_execveat, 0, "", nullptr, nullptr, 0); }},
        Attempt{"fork", [] { call(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
        Attempt{
            "new user namespace",
            [] { call(SYS_clone, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND | CLONE_NEWUSER, 0); }},
        Attempt{"unshare", [] { call(SYS_unshare, CLONE_NEWUSER); }},
        Attempt{"ptrace", [] { call(SYS_ptrace, PTRACE_ATTACH, ::getppid(), 0, 0); }},
        Attempt{"process_vm_readv", [] { call(SYS_process_vm_readv, ::getppid(), 0, 0, 0, 0, 0); }},
        Attempt{"kill", [] { call(SYS_kill, ::getppid(), SIGTERM); }},
        Attempt{"tgkill of another", [] { call(SYS_tgkill, ::getppid(), ::getppid(), SIGTERM); }},
        Attempt{"pidfd_open", [] { call(SYS_pidfd_open, ::getppid(), 0); }},
        Attempt{"mmap executable", map_executable}, Attempt{"mprotect executable", make_executable},
        Attempt{"memfd_create", [] { call(SYS_memfd_create, "x", 0); }},
        Attempt{"limits of the parent", limit_files_of_the_parent},
        Attempt{"CPU limit of the parent", limit_cpu_of_the_parent},
        Attempt{"more descriptors", raise_own_files},
        Attempt{"io_uring_setup", [] { call(SYS_io_uring_setup, 1, nullptr); }},
        Attempt{"bpf", [] { call(SYS_bpf, 0, nullptr, 0); }},
        Attempt{"userfaultfd", [] { call(SYS_userfaultfd, 0); }},
        Attempt{"keyctl", [] { call(SYS_keyctl, 0, 0, 0, 0, 0); }},
        Attempt{"mount", [] { call(SYS_mount, nullptr, nullptr, nullptr, 0, nullptr); }},
        Attempt{"unlinkat", [] { call(SYS_unlinkat, AT_FDCWD, "/tmp/x", 0); }},
        Attempt{"openat2", [] { call(SYS_openat2, AT_FDCWD, "/", nullptr, 0); }},
        Attempt{"seccomp", [] { call(SYS_seccomp, 0, 0, nullptr); }}),
    [](const auto& test) {
      std::string name = test.param.name;
      std::replace(name.begin(), name.end(), ' ', '_');
      return name;
    });

template <class Act>
void expect_errno(int expected, Act act) {
  const int status = run_sandboxed([&] {
    errno = 0;
    return act() < 0 ? errno : 0;
  });
  ASSERT_TRUE(WIFEXITED(status)) << ::strsignal(WTERMSIG(status));
  EXPECT_EQ(WEXITSTATUS(status), expected) << std::strerror(WEXITSTATUS(status));
}

TEST(Sandbox, RefusesWhatLibrariesProbeForWithoutKilling) {
  expect_errno(EACCES, [] { return ::open("/etc/passwd", O_RDONLY); });
  expect_errno(EACCES, [] { return ::open("/proc/self/environ", O_RDONLY); });
  expect_errno(EACCES, [] { return ::access("/", R_OK); });
  expect_errno(EACCES, [] {
    char target[16];
    return static_cast<int>(::readlink("/proc/self/exe", target, sizeof(target)));
  });
  expect_errno(EACCES, [] { return ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); });
  expect_errno(ENOSYS, [] { return static_cast<int>(::syscall(SYS_clone3, nullptr, 0)); });
}

TEST(Sandbox, LeavesWhatRenderingNeeds) {
  const int status = run_sandboxed([] {
    std::vector<char> memory(50'000'000, 'x');
    int seen = 0;
    std::thread([&] { seen = memory[1]; }).join();
    limit_cpu(5);
    return seen == 'x' ? 42 : 1;
  });
  ASSERT_TRUE(WIFEXITED(status)) << ::strsignal(WTERMSIG(status));
  EXPECT_EQ(WEXITSTATUS(status), 42);
}

TEST(Sandbox, AbortIsAnAbortAndNotABreach) {
  const int status = run_sandboxed([]() -> int { std::abort(); });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGABRT);
}

TEST(Sandbox, MemoryIsLimited) {
  if (kIsSanitized) GTEST_SKIP() << "sanitizers reserve terabytes; no address space limit";
  expect_errno(ENOMEM, [] {
    void* piece = ::mmap(nullptr, 1'100'000'000, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return piece == MAP_FAILED ? -1 : 0;
  });
}

TEST(Sandbox, CpuTimeIsLimitedFromNow) {
  const int status = run_sandboxed([] {
    limit_cpu(0);
    static std::atomic<std::uint64_t> turns = 0;
    while (turns < UINT64_MAX) ++turns;
    return 0;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGXCPU);
}

TEST(Sandbox, LandlockAloneForbidsFilesWhereTheKernelHasIt) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (forbid_files() == 0) ::_exit(kNotClosed);
    ::_exit(::open("/etc/passwd", O_RDONLY) < 0 ? errno : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(pid, &status, 0), pid);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotClosed) GTEST_SKIP() << "this kernel offers no Landlock";
  EXPECT_EQ(WEXITSTATUS(status), EACCES);
}

}  // namespace
}  // namespace tintype
