// SPDX-License-Identifier: Apache-2.0
#include "telemetry/audit_log.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>
#include <stdlib.h>

namespace tintype {
namespace {

std::string slurp(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

class AuditLogTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_NE(::mkdtemp(folder_.data()), nullptr); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string folder_ = (std::filesystem::temp_directory_path() / "tintype-audit-XXXXXX").string();
};

TEST_F(AuditLogTest, AppendsLinesAndFollowsARotation) {
  std::string file = folder_ + "/audit.jsonl";
  AuditLog audit(file);
  audit.write("{\"a\":1}");
  audit.write("{\"a\":2}");
  EXPECT_EQ(slurp(file), "{\"a\":1}\n{\"a\":2}\n");
  std::filesystem::rename(file, file + ".1");
  audit.write("{\"a\":3}");
  EXPECT_EQ(slurp(file), "{\"a\":3}\n");
  AuditLog(file).write("{\"a\":4}");
  EXPECT_EQ(slurp(file), "{\"a\":3}\n{\"a\":4}\n");
}

TEST_F(AuditLogTest, IsNotForEverybodyToRead) {
  AuditLog(folder_ + "/audit.jsonl").write("{}");
  auto mode = std::filesystem::status(folder_ + "/audit.jsonl").permissions();
  EXPECT_EQ(mode & std::filesystem::perms::others_all, std::filesystem::perms::none);
}

TEST_F(AuditLogTest, WithoutAFileOrAFolderNothingBreaks) {
  AuditLog("").write("{}");
  AuditLog(folder_ + "/no/such/audit.jsonl").write("{}");
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

}  // namespace
}  // namespace tintype
