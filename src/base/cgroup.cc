// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string_view>
#include <vector>

#include <sched.h>

#include "base/text.h"

namespace tintype {
namespace {

// Version 1 says "no limit" as the largest number of whole pages; no machine has an exabyte.
constexpr std::int64_t kUnlimitedBytes = std::int64_t{1} << 60;

std::vector<std::string> words_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> words;
  for (std::string word; file >> word;) words.push_back(word);
  return words;
}

std::optional<std::int64_t> number_of(const std::string& path) {
  auto words = words_of(path);
  return words.size() == 1 ? parse_int(words[0]) : std::nullopt;
}

template <class N>
void tighten(std::optional<N>& limit, N found) {
  if (found > 0) limit = limit ? std::min(*limit, found) : found;
}

void read_version_2(const std::string& folder, CgroupLimits& limits) {
  auto cpu = words_of(folder + "/cpu.max");  // "150000 100000" or "max 100000"
  if (cpu.size() == 2) {
    auto quota = parse_int(cpu[0]), period = parse_int(cpu[1]);
    if (quota && period && *period > 0) {
      tighten(limits.cores, static_cast<double>(*quota) / static_cast<double>(*period));
    }
  }
  if (auto memory = number_of(folder + "/memory.max")) tighten(limits.memory_bytes, *memory);
}

void read_cpu_version_1(const std::string& folder, CgroupLimits& limits) {
  auto quota = number_of(folder + "/cpu.cfs_quota_us");  // -1: no limit
  auto period = number_of(folder + "/cpu.cfs_period_us");
  if (quota && period && *period > 0) {
    tighten(limits.cores, static_cast<double>(*quota) / static_cast<double>(*period));
  }
}

void read_memory_version_1(const std::string& folder, CgroupLimits& limits) {
  auto memory = number_of(folder + "/memory.limit_in_bytes");
  if (memory && *memory < kUnlimitedBytes) tighten(limits.memory_bytes, *memory);
}

// `read` for each folder from `mount` + `group` up to `mount`. A group that a container cannot see
// under this name still has its limits at the mount.
template <class Read>
void for_each_ancestor(const std::string& mount, std::string group, CgroupLimits& limits,
                       Read read) {
  while (!group.empty() && group != "/") {
    read(mount + group, limits);
    group.resize(group.rfind('/') == std::string::npos ? 0 : group.rfind('/'));
  }
  read(mount, limits);
}

bool names(std::string_view controllers, std::string_view wanted) {
  auto all = split(controllers, ',');
  return std::find(all.begin(), all.end(), wanted) != all.end();
}

int affine_cores() {
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof(cores), &cores) != 0) return 1;
  return std::max(1, CPU_COUNT(&cores));
}

}  // namespace

CgroupLimits read_cgroup_limits(const CgroupPlaces& places) {
  CgroupLimits limits;
  std::ifstream membership(places.membership);
  for (std::string line; std::getline(membership, line);) {
    // "0::/group" of version 2, "4:cpu,cpuacct:/group" of version 1.
    std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    if (controllers.empty()) {
      for_each_ancestor(places.mount, group, limits, read_version_2);
    } else if (names(controllers, "cpu")) {
      // The mount bears the controllers' names; "cpu" is a link to it.
      for_each_ancestor(places.mount + "/cpu", group, limits, read_cpu_version_1);
    } else if (names(controllers, "memory")) {
      for_each_ancestor(places.mount + "/memory", group, limits, read_memory_version_1);
    }
  }
  return limits;
}

int usable_cores(const CgroupLimits& limits) {
  int affine = affine_cores();
  if (!limits.cores) return affine;
  // A quota of all 64 cores may come as 64.0000001.
  double share = std::ceil(*limits.cores - 1e-6);
  return std::clamp(static_cast<int>(std::min(share, 1e6)), 1, affine);
}

int usable_cores() {
  return usable_cores(read_cgroup_limits());
}

}  // namespace tintype
