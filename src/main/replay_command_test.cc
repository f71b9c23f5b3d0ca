// SPDX-License-Identifier: Apache-2.0
#include "main/replay_command.h"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>

namespace tintype {
namespace {

// So few descriptors until the end of the scope.
class FewDescriptors {
 public:
  explicit FewDescriptors(rlim_t count) {
    ::getrlimit(RLIMIT_NOFILE, &before_);
    rlimit few = before_;
    few.rlim_cur = count;
    ::setrlimit(RLIMIT_NOFILE, &few);
  }
  ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST(ReplayCommand, ThereMayBeMoreLogsThanDescriptors) {
  char name[] = "/tmp/tintype-replay-XXXXXX";
  ASSERT_NE(::mkdtemp(name), nullptr);
  std::filesystem::path folder(name);
  ReplayArguments arguments;
  arguments.as_json = true;
  for (int i = 0; i < 100; ++i) {
    arguments.logs.push_back(folder / (std::to_string(i) + ".log"));
    std::ofstream(arguments.logs.back()) << "/" << i << ".jpg?w=100\n";
  }
  int code = -1;
  testing::internal::CaptureStdout();
  {
    FewDescriptors few(40);
    code = run_replay(arguments);
  }
  std::string out = testing::internal::GetCapturedStdout();
  std::filesystem::remove_all(folder);
  EXPECT_EQ(code, 0);
  EXPECT_NE(out.find("\"requests\":100,"), std::string::npos) << out;
}

TEST(ReplayCommand, AStoreOfOneEntryIsRefused) {
  ReplayArguments arguments;
  arguments.is_synthetic = true;
  arguments.requests = 1;
  arguments.store_entries = 1;
  EXPECT_EQ(run_replay(arguments), 2);
}

}  // namespace
}  // namespace tintype
