// SPDX-License-Identifier: Apache-2.0
// What a container may use, read from its cgroup: the kernel's version 2 files (cpu.max,
// memory.max), else those of version 1. In a container the number of processors lies: a task of
// half a core on a machine of 64 sees 64. Pure reads of small files; thread-safe.
//
// Rounding: a share of a core counts as a whole one, because a half that nobody uses is lost while
// two who share it only take turns; and never more than the process may run on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tintype {

struct CgroupLimits {
  std::optional<double> cores;               // 1.5: three halves of one core's time
  std::optional<std::int64_t> memory_bytes;  // nothing: no limit
};

// Tests give folders of their own.
struct CgroupPlaces {
  std::string mount = "/sys/fs/cgroup";
  std::string membership = "/proc/self/cgroup";
};

// The tightest limits on the way from this process' group up to the root that it can see. Without
// such files: no limits.
CgroupLimits read_cgroup_limits(const CgroupPlaces& places = {});

// How many threads or processes that compute are worth having: the cores this process may run on
// (its affinity), or its cgroup's share of their time rounded up, whichever is less; at least 1.
int usable_cores(const CgroupLimits& limits);
int usable_cores();

}  // namespace tintype
