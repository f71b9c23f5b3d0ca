// SPDX-License-Identifier: Apache-2.0
#include "base/cgroup.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>

namespace tintype {
namespace {

namespace fs = std::filesystem;

// A tree of cgroup files in a folder of its own.
class CgroupTest : public testing::Test {
 protected:
  CgroupTest()
      : folder_(fs::temp_directory_path() /
                ("tintype-cgroup-" + std::to_string(getpid()) + "-" +
                 testing::UnitTest::GetInstance()->current_test_info()->name())) {
    fs::create_directories(folder_);
  }
  ~CgroupTest() override { fs::remove_all(folder_); }

  void put(const std::string& path, const std::string& text) {
    fs::create_directories((folder_ / path).parent_path());
    std::ofstream(folder_ / path) << text << "\n";
  }
  CgroupLimits read() const {
    return read_cgroup_limits(
        {.mount = (folder_ / "mount").string(), .membership = (folder_ / "self").string()});
  }

  const fs::path folder_;
};

TEST_F(CgroupTest, NoFilesAreNoLimits) {
  EXPECT_FALSE(read().cores);
  EXPECT_FALSE(read().memory_bytes);
}

TEST_F(CgroupTest, ReadsVersion2AtTheRootOfAContainer) {
  put("self", "0::/");
  put("mount/cpu.max", "150000 100000");
  put("mount/memory.max", "4294967296");
  EXPECT_EQ(read().cores, 1.5);
  EXPECT_EQ(read().memory_bytes, 4'294'967'296);
}

TEST_F(CgroupTest, TheTightestAncestorCounts) {
  put("self", "0::/ecs/task/container");
  put("mount/ecs/task/container/cpu.max", "400000 100000");
  put("mount/ecs/task/container/memory.max", "max");
  put("mount/ecs/task/cpu.max", "50000 100000");
  put("mount/ecs/task/memory.max", "1000000000");
  put("mount/ecs/memory.max", "2000000000");
  EXPECT_EQ(read().cores, 0.5);
  EXPECT_EQ(read().memory_bytes, 1'000'000'000);
}

TEST_F(CgroupTest, MaxIsNoLimitAndNonsenseIsNone) {
  put("self", "0::/");
  put("mount/cpu.max", "max 100000");
  put("mount/memory.max", "max");
  EXPECT_FALSE(read().cores);
  EXPECT_FALSE(read().memory_bytes);
  put("mount/cpu.max", "100000 0");
  put("mount/memory.max", "lots");
  EXPECT_FALSE(read().cores);
  EXPECT_FALSE(read().memory_bytes);
  put("self", "nonsense");
  EXPECT_FALSE(read().cores);
}

TEST_F(CgroupTest, ReadsVersion1) {
  put("self", "11:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/docker/abc");
  put("mount/cpu/docker/abc/cpu.cfs_quota_us", "200000");
  put("mount/cpu/docker/abc/cpu.cfs_period_us", "100000");
  put("mount/cpu/cpu.cfs_quota_us", "-1");
  put("mount/cpu/cpu.cfs_period_us", "100000");
  put("mount/memory/docker/abc/memory.limit_in_bytes", "536870912");
  put("mount/memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(read().cores, 2.0);
  EXPECT_EQ(read().memory_bytes, 536'870'912);
}

// Inside a container version 1 shows the group's files at the mount, under no name.
TEST_F(CgroupTest, ReadsVersion1AtTheMount) {
  put("self", "11:memory:/docker/abc\n4:cpuacct,cpu:/docker/abc");
  put("mount/cpu/cpu.cfs_quota_us", "25000");
  put("mount/cpu/cpu.cfs_period_us", "100000");
  put("mount/memory/memory.limit_in_bytes", "536870912");
  EXPECT_EQ(read().cores, 0.25);
  EXPECT_EQ(read().memory_bytes, 536'870'912);
}

TEST(Cgroup, SharesAreRoundedUpAndHeldToTheAffinity) {
  cpu_set_t cores;
  ASSERT_EQ(sched_getaffinity(0, sizeof cores, &cores), 0);
  const int affine = CPU_COUNT(&cores);
  EXPECT_EQ(usable_cores(CgroupLimits{}), affine);
  EXPECT_EQ(usable_cores({.cores = 0.25, .memory_bytes = {}}), 1);
  EXPECT_EQ(usable_cores({.cores = 1.0, .memory_bytes = {}}), 1);
  EXPECT_EQ(usable_cores({.cores = 1.5, .memory_bytes = {}}), std::min(2, affine));
  EXPECT_EQ(usable_cores({.cores = 1e9, .memory_bytes = {}}), affine);
  EXPECT_GE(usable_cores(), 1);
}

}  // namespace
}  // namespace tintype
