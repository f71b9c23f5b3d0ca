// SPDX-License-Identifier: Apache-2.0
// The disk tier in processes that are killed or run out of disk. Each case forks before it has a
// thread.
#include <functional>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cache/disk_testing.h"

namespace tintype {
namespace {

constexpr int kKeys = 60;
std::string key_of(unsigned i) {
  return "/shop/" + std::to_string(i % kKeys) + ".jpg/_/w-1.webp";
}

// Forks; the child ends with what `body` returns and leaves no traces in the test's report.
pid_t start_child(const std::function<int()>& body) {
  pid_t pid = ::fork();
  if (pid == 0) ::_exit(body());
  return pid;
}

int exit_code_of(pid_t pid) {
  int status = 0;
  if (::waitpid(pid, &status, 0) != pid) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

class DiskCrashTest : public testing::Test {
 protected:
  std::unique_ptr<DiskTier> open() {
    auto opened = DiskTier::open(settings_, clock_);
    return opened ? std::move(*opened) : nullptr;
  }
  ScratchFolder scratch_;
  ManualClock clock_;
  DiskTierSettings settings_{scratch_.path() + "/cache", 2'000'000, Seconds(1000)};
};

// A process that writes until it is killed; `wait_for_first` returns once its first entry is kept.
class Writer {
 public:
  Writer(std::function<std::unique_ptr<DiskTier>()> open, unsigned seed) {
    if (::pipe(pipe_) != 0) return;
    pid_ = start_child([&] {
      auto tier = open();
      return tier ? write_forever(*tier, seed) : 1;
    });
  }
  ~Writer() {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
  }
  bool wait_for_first() const {
    char byte = 0;
    return ::read(pipe_[0], &byte, 1) == 1;
  }
  // Whether it was still writing.
  bool kill() const { return ::kill(pid_, SIGKILL) == 0 && exit_code_of(pid_) == 1000 + SIGKILL; }

 private:
  int write_forever(DiskTier& tier, unsigned seed) {
    std::mt19937 random(seed);
    for (unsigned i = 0;; ++i) {
      auto key = static_cast<unsigned>(random());
      if (!tier.keep(make_entry(key_of(key), random() % 60'000, seed * 100'000 + i))) return 2;
      if (i == 0 && ::write(pipe_[1], "!", 1) != 1) return 3;
      if (i % 50 == 49) tier.remove_prefix(key_of(static_cast<unsigned>(random())));
    }
  }

  int pipe_[2] = {-1, -1};
  pid_t pid_ = -1;
};

TEST_F(DiskCrashTest, FiftyKillsInTheMiddleOfWritesLeaveNoWrongByte) {
  std::mt19937 random(4711);
  int served = 0;
  for (unsigned round = 0; round < 50; ++round) {
    Writer writer([&] { return open(); }, round);
    ASSERT_TRUE(writer.wait_for_first());
    ::usleep(random() % 25'000);
    ASSERT_TRUE(writer.kill());

    auto tier = open();
    ASSERT_NE(tier, nullptr);
    ASSERT_TRUE(wait_until_reconciled(*tier));
    for (unsigned i = 0; i < kKeys; ++i) {
      SharedEntry got = tier->get(key_of(i));
      if (!got) continue;
      ++served;
      ASSERT_TRUE(is_right(*got, key_of(i))) << "round " << round;
    }
    ASSERT_EQ(tier->state().corrupt, 0u);
    ASSERT_LE(tier->state().bytes, settings_.capacity_bytes);
    ASSERT_EQ(variant_files(settings_.folder).size(),
              static_cast<std::size_t>(tier->state().entries));
    ASSERT_TRUE(std::filesystem::is_empty(settings_.folder + "/tmp"));
  }
  EXPECT_GE(served, 50);  // each writer kept one at least
}

// After a kill every file has its row at once: no purge can miss one.
TEST_F(DiskCrashTest, APurgeRightAfterAKillFindsEverything) {
  for (unsigned round = 0; round < 10; ++round) {
    Writer writer([&] { return open(); }, round);
    ASSERT_TRUE(writer.wait_for_first());
    ::usleep(10'000);
    ASSERT_TRUE(writer.kill());
    auto tier = open();
    ASSERT_NE(tier, nullptr);
    tier->remove_prefix("/shop/");
    ASSERT_TRUE(variant_files(settings_.folder).empty());
  }
}

TEST_F(DiskCrashTest, AFolderBelongsToOneProcess) {
  auto tier = open();
  ASSERT_NE(tier, nullptr);
  EXPECT_EQ(exit_code_of(start_child([&] { return open() ? 1 : 7; })), 7);
}

TEST_F(DiskCrashTest, FilesThatMayNotGrowAreAFullDisk) {
  int code = exit_code_of(start_child([&] {
    auto tier = open();
    if (!tier || !tier->keep(make_entry("/small", 500))) return 1;
    ::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{16'384, 16'384};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 2;
    auto kept = tier->keep(make_entry("/large", 100'000));
    if (kept || kept.error().code != ErrorCode::Internal) return 3;
    if (tier->state().write_failures != 1) return 4;
    if (!std::filesystem::is_empty(settings_.folder + "/tmp")) return 5;
    if (tier->get("/large")) return 6;
    SharedEntry small = tier->get("/small");
    return small && is_right(*small, "/small") ? 0 : 7;
  }));
  EXPECT_EQ(code, 0);
  auto tier = open();
  ASSERT_NE(tier, nullptr);
  EXPECT_NE(tier->get("/small"), nullptr);
  EXPECT_TRUE(tier->keep(make_entry("/large", 100'000)));
}

// A mount in a namespace of the child's own: the way to a full or read-only disk that holds for
// root too.
constexpr int kNotPermitted = 77;
bool mount_private(const std::string& folder, const char* options) {
  return ::unshare(CLONE_NEWNS) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options) == 0;
}

TEST_F(DiskCrashTest, AFullFileSystemServesOn) {
  std::filesystem::create_directories(settings_.folder);
  settings_.capacity_bytes = 100'000'000;
  int code = exit_code_of(start_child([&] {
    if (!mount_private(settings_.folder, "size=2m")) return kNotPermitted;
    auto tier = open();
    if (!tier) return 1;
    int kept = 0;
    for (unsigned i = 0; i < 100; ++i) {
      std::string key = "/" + std::to_string(i);
      kept += tier->keep(make_entry(key, 50'000)).has_value();
    }
    if (kept == 0 || kept == 100 || tier->state().write_failures == 0) return 2;
    int served = 0;
    for (unsigned i = 0; i < 100; ++i) {
      std::string key = "/" + std::to_string(i);
      SharedEntry got = tier->get(key);
      if (got && !is_right(*got, key)) return 3;
      served += got != nullptr;
    }
    if (served != kept) return 4;
    // A purge works on a full disk, and makes room.
    tier->remove_prefix("/1");
    if (tier->get("/1") || tier->get("/10")) return 5;
    return tier->keep(make_entry("/1", 50'000)) ? 0 : 6;
  }));
  if (code == kNotPermitted) GTEST_SKIP() << "no mounts here; the file size limit covers this case";
  EXPECT_EQ(code, 0);
}

TEST_F(DiskCrashTest, AReadOnlyFileSystemServesOnAndPurges) {
  std::filesystem::create_directories(settings_.folder);
  int code = exit_code_of(start_child([&] {
    if (!mount_private(settings_.folder, "size=8m")) return kNotPermitted;
    auto tier = open();
    if (!tier || !tier->keep(make_entry("/a", 500)) || !tier->keep(make_entry("/b", 500))) return 1;
    tier.reset();  // a file system cannot become read-only under files that are open for writing
    if (::mount("tmpfs", settings_.folder.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) != 0) {
      return 2;
    }
    tier = open();
    if (!tier) return 3;
    if (tier->keep(make_entry("/c", 500))) return 4;
    if (!tier->get("/a") || !tier->get("/b")) return 5;
    tier->remove_prefix("/a");  // the file cannot be removed, but is not served
    return !tier->get("/a") && tier->get("/b") ? 0 : 6;
  }));
  if (code == kNotPermitted) GTEST_SKIP() << "no mounts here; ServesOnWhenTheFolderCannotBeWritten";
  EXPECT_EQ(code, 0);
}

}  // namespace
}  // namespace tintype
