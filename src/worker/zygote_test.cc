// SPDX-License-Identifier: Apache-2.0
#include "worker/zygote.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/syscall.h>

#include "worker/fault_engine.h"
#include "worker/sanitizer.h"

namespace tintype {
namespace {

Zygote start_zygote() {
  return Zygote::start(faults::settings(), faults::entry()).value();
}

// The file's text; empty (errno set) when it may not be read.
std::string read_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string proc(const Zygote::Worker& worker, const char* file) {
  return "/proc/" + std::to_string(worker.pid) + "/" + file;
}

bool ends_within(const Descriptor& pidfd, int timeout_ms) {
  pollfd poll{.fd = pidfd.number(), .events = POLLIN, .revents = 0};
  return ::poll(&poll, 1, timeout_ms) == 1;
}

TEST(Zygote, SpawnsSeparateWorkers) {
  Zygote zygote = start_zygote();
  std::set<pid_t> pids;
  for (int i = 0; i < 5; ++i) {
    const Result<Zygote::Worker> worker = zygote.spawn();
    ASSERT_TRUE(worker) << worker.error().message;
    pids.insert(worker->pid);
  }
  EXPECT_EQ(pids.size(), 5u);
  EXPECT_TRUE(zygote.is_alive());
}

TEST(Zygote, AWorkerSaysItIsFilteredAndUnprivileged) {
  Zygote zygote = start_zygote();
  const Zygote::Worker worker = zygote.spawn().value();
  const std::string status = read_file(proc(worker, "status"));
  EXPECT_NE(status.find("Seccomp:\t2"), std::string::npos) << status;
  EXPECT_NE(status.find("NoNewPrivs:\t1"), std::string::npos) << status;
  EXPECT_NE(status.find("Name:\ttintype-worker"), std::string::npos) << status;
  const std::string name = read_file("/proc/" + std::to_string(zygote.pid()) + "/comm");
  EXPECT_EQ(name, "tintype-zygote\n");
}

TEST(Zygote, AWorkerIsTheKernelsFirstChoiceWhenMemoryRunsOut) {
  Zygote zygote = start_zygote();
  const Zygote::Worker worker = zygote.spawn().value();
  EXPECT_EQ(read_file(proc(worker, "oom_score_adj")), "1000\n");
}

TEST(Zygote, SeenFromOutsideAWorkerHoldsOnlyItsDoorbell) {
  Zygote zygote = start_zygote();
  const Zygote::Worker worker = zygote.spawn().value();
  std::error_code error;
  std::set<std::string> held;
  for (const auto& fd : std::filesystem::directory_iterator(proc(worker, "fd"), error)) {
    std::string target = std::filesystem::read_symlink(fd.path(), error).string();
    held.insert(target.substr(0, target.find('[')));
  }
  // Workers are not dumpable: only a tracer with CAP_SYS_PTRACE may look. PoolFaults.* asks the
  // worker itself, everywhere.
  if (error) GTEST_SKIP() << "not allowed to look into /proc/<worker>/fd: " << error.message();
  if (kIsSanitized) held.erase(std::filesystem::read_symlink("/proc/self/fd/2").string());
  if (kIsSanitized) held.erase("pipe:");
  EXPECT_EQ(held, (std::set<std::string>{"/dev/null", "socket:"}));
}

TEST(Zygote, SeenFromOutsideAWorkersEnvironmentIsEmpty) {
  faults::hide_secret_in_environment();
  Zygote zygote = start_zygote();
  const Zygote::Worker worker = zygote.spawn().value();
  std::ifstream file(proc(worker, "environ"));
  if (!file) GTEST_SKIP() << "not allowed to read /proc/<worker>/environ";
  const std::string environment{std::istreambuf_iterator<char>(file), {}};
  EXPECT_TRUE(std::all_of(environment.begin(), environment.end(), [](char c) { return c == 0; }))
      << environment;
}

TEST(Zygote, AWorkerEndsWhenItsDoorbellCloses) {
  Zygote zygote = start_zygote();
  Zygote::Worker worker = zygote.spawn().value();
  EXPECT_FALSE(ends_within(worker.pidfd, 0));
  worker.doorbell.close();
  EXPECT_TRUE(ends_within(worker.pidfd, 30'000));
}

TEST(Zygote, WorkersEndWithTheirZygote) {
  Zygote::Worker worker;
  {
    Zygote zygote = start_zygote();
    worker = zygote.spawn().value();
    Zygote moved = std::move(zygote);
    EXPECT_TRUE(moved.is_alive());
  }
  EXPECT_TRUE(ends_within(worker.pidfd, 30'000));
}

TEST(Zygote, SaysThatItHasDied) {
  Zygote zygote = start_zygote();
  ASSERT_EQ(::kill(zygote.pid(), SIGKILL), 0);
  const Result<Zygote::Worker> worker = zygote.spawn();
  ASSERT_FALSE(worker);
  EXPECT_EQ(worker.error().code, ErrorCode::Internal);
  EXPECT_FALSE(zygote.is_alive());
}

TEST(Zygote, IgnoresTheSignalsMeantForTheServer) {
  Zygote zygote = start_zygote();
  const Zygote::Worker worker = zygote.spawn().value();
  for (int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    ASSERT_EQ(::kill(zygote.pid(), number), 0);
    ASSERT_EQ(::kill(worker.pid, number), 0);
  }
  EXPECT_TRUE(zygote.spawn());
  EXPECT_FALSE(ends_within(worker.pidfd, 0));
}

TEST(Zygote, FailsToStartWhenTheEngineCannotBePrepared) {
  const RenderEntry broken{
      .prepare = []() -> Result<> { return fail_private(ErrorCode::Internal, "no such library"); },
      .render = faults::render};
  const Result<Zygote> zygote = Zygote::start(faults::settings(), broken);
  ASSERT_FALSE(zygote);
  EXPECT_EQ(zygote.error().code, ErrorCode::Internal);
  EXPECT_EQ(zygote.error().message, "the zygote: no such library");
}

TEST(Zygote, FailsToStartOnSettingsThatCannotWork) {
  WorkerSettings settings = faults::settings();
  settings.memory_bytes = 1;
  EXPECT_FALSE(Zygote::start(settings, faults::entry()));
}

}  // namespace
}  // namespace tintype
