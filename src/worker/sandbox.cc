// SPDX-License-Identifier: Apache-2.0
#include "worker/sandbox.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <string>

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "worker/landlock.h"
#include "worker/sanitizer.h"
#include "worker/syscall_filter.h"

namespace tintype {
namespace {

Failure system_failure(const char* what) {
  return fail_private(ErrorCode::Internal, std::string(what) + ": " + std::strerror(errno));
}

Result<> set_limit(__rlimit_resource resource, rlim_t value, const char* name) {
  const rlimit limit{.rlim_cur = value, .rlim_max = value};
  if (::setrlimit(resource, &limit) != 0) return system_failure(name);
  return {};
}

Result<> set_limits(const SandboxLimits& limits) {
  if (!kIsSanitized) {
    TRY(set_limit(RLIMIT_AS, static_cast<rlim_t>(limits.memory_bytes), "RLIMIT_AS"));
  }
  TRY(set_limit(RLIMIT_CORE, 0, "RLIMIT_CORE"));      // a core holds the source
  TRY(set_limit(RLIMIT_FSIZE, 0, "RLIMIT_FSIZE"));    // no file can grow
  TRY(set_limit(RLIMIT_NOFILE, 8, "RLIMIT_NOFILE"));  // four are open
  TRY(set_limit(RLIMIT_MEMLOCK, 0, "RLIMIT_MEMLOCK"));
  return {};
}

// Above anything else in the container, so that the kernel takes a worker and never the server
// (docs/internals/figures.md P28). Some runtimes mount /proc read-only; that is no reason to refuse
// to work.
void volunteer_for_oom_killer() {
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  [[maybe_unused]] const ssize_t written = ::write(fd, "1000", 4);
  ::close(fd);
}

// Event loops share the cores with busy workers and must run the moment a hit arrives: hits never
// wait for misses. Under SCHED_IDLE a loop that wakes up takes the core at once (the wake-up wait
// behind an ordinary busy worker was what made the p99 of hits many times the idle one;
// bench/hits.py, the storm). A policy, not a privilege: every process may lower itself.
void give_way_to_loops() {
  const sched_param parameters{};
  ::sched_setscheduler(0, SCHED_IDLE, &parameters);
}

}  // namespace

Result<SandboxPosture> enter_sandbox(const SandboxLimits& limits) {
  volunteer_for_oom_killer();
  give_way_to_loops();
  if (::chdir("/") != 0) return system_failure("chdir");
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return system_failure("PR_SET_NO_NEW_PRIVS");
  // Not dumpable: other processes of this user can neither trace it nor read its memory.
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return system_failure("PR_SET_DUMPABLE");
  SandboxPosture posture{.landlock_abi = forbid_files()};
  TRY(set_limits(limits));
  TRY(filter_syscalls());
  return posture;
}

void limit_cpu(std::int64_t cpu_seconds) {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  rlimit limit{};
  if (::getrlimit(RLIMIT_CPU, &limit) != 0) return;
  limit.rlim_cur = std::min(static_cast<rlim_t>(used.tv_sec + 1 + cpu_seconds), limit.rlim_max);
  ::setrlimit(RLIMIT_CPU, &limit);
}

}  // namespace tintype
