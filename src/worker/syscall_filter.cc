// SPDX-License-Identifier: Apache-2.0
#include "worker/syscall_filter.h"

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker/sanitizer.h"

namespace tintype {
namespace {

// Calls that reach nothing outside the process, or only what the descriptors at hand reach:
// the doorbell and /dev/null.
constexpr int kAllowed[] = {
    SCMP_SYS(read),
    SCMP_SYS(write),
    SCMP_SYS(readv),
    SCMP_SYS(writev),
    SCMP_SYS(close),
    SCMP_SYS(lseek),
    SCMP_SYS(fstat),
    // Memory. mmap and mprotect stand below.
    SCMP_SYS(munmap),
    SCMP_SYS(mremap),
    SCMP_SYS(madvise),
    SCMP_SYS(brk),
    // Threads of this process. clone stands below.
    SCMP_SYS(futex),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(getcpu),
    SCMP_SYS(membarrier),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // Time and identity.
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_getres),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(nanosleep),
    SCMP_SYS(gettimeofday),
    SCMP_SYS(time),
    SCMP_SYS(getpid),
    SCMP_SYS(gettid),
    SCMP_SYS(getrandom),
    SCMP_SYS(sysinfo),
    SCMP_SYS(uname),
    SCMP_SYS(umask),
    SCMP_SYS(getrusage),
    SCMP_SYS(times),
    // Signals to itself. tgkill stands below.
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(restart_syscall),
};

struct Refusal {
  int syscall;
  std::uint16_t error;
};

// Calls that GLib, fontconfig, libheif's plug-in search, locale code and stdio make on their way
// and survive being refused. clone3 hides its flags in memory, where a filter cannot look: ENOSYS
// makes glibc fall back to clone.
constexpr Refusal kRefused[] = {
    {SCMP_SYS(open), EACCES},         {SCMP_SYS(openat), EACCES},
    {SCMP_SYS(stat), EACCES},         {SCMP_SYS(lstat), EACCES},
    {SCMP_SYS(newfstatat), EACCES},   {SCMP_SYS(statx), EACCES},
    {SCMP_SYS(statfs), EACCES},       {SCMP_SYS(access), EACCES},
    {SCMP_SYS(faccessat), EACCES},    {SCMP_SYS(faccessat2), EACCES},
    {SCMP_SYS(readlink), EACCES},     {SCMP_SYS(readlinkat), EACCES},
    {SCMP_SYS(getcwd), EACCES},       {SCMP_SYS(prctl), EACCES},
    {SCMP_SYS(ioctl), ENOTTY},        {SCMP_SYS(fcntl), EACCES},
    {SCMP_SYS(clone3), ENOSYS},       {SCMP_SYS(sched_getattr), EPERM},
    {SCMP_SYS(sched_setattr), EPERM},
};

// What the sanitizers' run-time libraries need in addition.
constexpr int kAllowedUnderSanitizers[] = {SCMP_SYS(pipe), SCMP_SYS(pipe2), SCMP_SYS(mincore),
                                           SCMP_SYS(msync)};

struct Allowance {
  int syscall;
  std::vector<scmp_arg_cmp> when;  // all must hold
};

std::vector<Allowance> conditional() {
  // A thread of this process, in no new namespace: pthread_create's flags have CLONE_THREAD, fork's
  // do not.
  constexpr scmp_datum_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
                                          CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                                          CLONE_NEWNET | CLONE_PTRACE;
  return {
      {SCMP_SYS(mmap), {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
      {SCMP_SYS(mprotect), {SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)}},
      {SCMP_SYS(clone), {SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD | kNewNamespaces, CLONE_THREAD)}},
      {SCMP_SYS(tgkill), {SCMP_A0(SCMP_CMP_EQ, static_cast<scmp_datum_t>(::getpid()))}},
      // Of itself: ask for any limit, set the rolling CPU limit.
      {SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0)}},
      {SCMP_SYS(prlimit64), {SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A1(SCMP_CMP_EQ, RLIMIT_CPU)}},
  };
}

// The first failing status of libseccomp, or 0.
int add_rules(scmp_filter_ctx filter) {
  int status = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  const auto add = [&](std::uint32_t action, int syscall, const std::vector<scmp_arg_cmp>& when) {
    if (status != 0) return;
    status = seccomp_rule_add_array(filter, action, syscall, static_cast<unsigned>(when.size()),
                                    when.data());
  };
  for (int syscall : kAllowed) add(SCMP_ACT_ALLOW, syscall, {});
  for (const Refusal& refusal : kRefused) add(SCMP_ACT_ERRNO(refusal.error), refusal.syscall, {});
  for (const Allowance& allowance : conditional()) {
    add(SCMP_ACT_ALLOW, allowance.syscall, allowance.when);
  }
  if (kIsSanitized) {
    for (int syscall : kAllowedUnderSanitizers) add(SCMP_ACT_ALLOW, syscall, {});
  }
  return status;
}

}  // namespace

Result<> filter_syscalls() {
  const std::unique_ptr<void, void (*)(void*)> filter(seccomp_init(SCMP_ACT_KILL_PROCESS),
                                                      seccomp_release);
  if (filter == nullptr) return fail_private(ErrorCode::Internal, "seccomp_init failed");
  int status = add_rules(filter.get());
  if (status == 0) status = seccomp_load(filter.get());
  if (status != 0) {
    return fail_private(ErrorCode::Internal,
                        std::string("system call filter: ") + std::strerror(-status));
  }
  return {};
}

}  // namespace tintype
