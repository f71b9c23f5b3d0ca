// SPDX-License-Identifier: Apache-2.0
#include "store/policy_store.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string policy_text(const std::string& site) {
  return "sites:\n  " + site + ":\n    origin: { folder: pictures }\n";
}
constexpr char kBad[] = "sites:\n  shop:\n    origin: { folder: pictures }\n    limts: 1\n";

class PolicyFileTest : public testing::Test {
 protected:
  void write(const std::string& text) { folder_.write("tintype.yaml", text); }
  std::string path() const { return (folder_ / "tintype.yaml").string(); }
  std::unique_ptr<PolicyFile> open(PolicyFile::Check check = {}) {
    auto file = PolicyFile::open(path(), pool_, clock_, std::move(check));
    EXPECT_TRUE(file) << file.error().detail;
    return std::move(*file);
  }
  // The version after a look that the minimum interval allows.
  SharedPolicy look(PolicyFile& file) {
    clock_.advance(Milliseconds(1'000));
    return run(file.refresh());
  }
  // What is written to standard error meanwhile.
  template <class F>
  std::string log_of(F act) {
    testing::internal::CaptureStderr();
    act();
    return testing::internal::GetCapturedStderr();
  }
  static std::ptrdiff_t count(const std::string& text, const std::string& what) {
    std::ptrdiff_t n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }

  TestFolder folder_;
  ManualClock clock_;
  asio::thread_pool pool_{2};
};

TEST_F(PolicyFileTest, ReadsAtOnceAndResolvesFolders) {
  write(policy_text("shop"));
  auto file = open();
  ASSERT_NE(file->current()->find("shop"), nullptr);
  EXPECT_EQ(file->current()->find("shop")->origin.folder, (folder_ / "pictures").string());
}

TEST_F(PolicyFileTest, FailsToOpenWithFileLineAndReason) {
  auto absent = PolicyFile::open(path(), pool_, clock_);
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().detail, StartsWith("tintype.yaml: cannot be opened"));
  write(kBad);
  auto bad = PolicyFile::open(path(), pool_, clock_);
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error().detail, StartsWith("tintype.yaml: line 4: sites.shop.limts"));
  write(policy_text("shop"));
  auto refused = PolicyFile::open(path(), pool_, clock_, [](const std::string&) -> Result<> {
    return fail_public(ErrorCode::BadRequest, "line 1: server.port: wrong");
  });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().detail, "tintype.yaml: line 1: server.port: wrong");
}

TEST_F(PolicyFileTest, ANewVersionReplacesTheOldWithinASecond) {
  write(policy_text("old"));
  auto file = open();
  SharedPolicy held = file->current();
  write(policy_text("new"));
  EXPECT_NE(run(file->refresh())->find("old"), nullptr) << "the last look is too young";
  std::string said = log_of([&] { look(*file); });
  EXPECT_NE(file->current()->find("new"), nullptr);
  EXPECT_EQ(file->current()->find("old"), nullptr);
  EXPECT_NE(file->current()->revision, held->revision);
  EXPECT_NE(held->find("old"), nullptr) << "who holds the old version keeps it";
  EXPECT_EQ(count(said, "policy.changed"), 1);
}

TEST_F(PolicyFileTest, WritesOfOneSizeWithinOneTickAreSeen) {
  write(policy_text("aaa"));
  auto file = open();
  for (const char* site : {"bbb", "ccc", "ddd"}) {
    write(policy_text(site));
    EXPECT_NE(look(*file)->find(site), nullptr) << site;
  }
}

TEST_F(PolicyFileTest, ABadVersionIsRefusedWholeAndSaidOnce) {
  write(policy_text("shop"));
  auto file = open();
  SharedPolicy good = file->current();
  write(kBad);
  std::string said = log_of([&] {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(look(*file), good);
  });
  EXPECT_EQ(count(said, "policy.refused"), 1) << said;
  EXPECT_THAT(said, HasSubstr("line 4: sites.shop.limts"));
  write(policy_text("next"));
  EXPECT_NE(look(*file)->find("next"), nullptr);
  said = log_of([&] {
    write(kBad);
    look(*file);
  });
  EXPECT_EQ(count(said, "policy.refused"), 1) << "said again, because it is wrong again";
}

TEST_F(PolicyFileTest, TheCheckIsAskedAboutLaterVersions) {
  write(policy_text("shop"));
  auto file = open([](const std::string& text) -> Result<> {
    if (text.find("server") != std::string::npos) {
      return fail_public(ErrorCode::BadRequest, "line 4: server: wrong");
    }
    return {};
  });
  write(policy_text("next") + "server: 1\n");
  std::string said = log_of([&] { EXPECT_NE(look(*file)->find("shop"), nullptr); });
  EXPECT_THAT(said, HasSubstr("line 4: server: wrong"));
}

TEST_F(PolicyFileTest, AVanishedFileKeepsTheLastGoodVersion) {
  write(policy_text("shop"));
  auto file = open();
  SharedPolicy good = file->current();
  std::filesystem::remove(path());
  std::string said = log_of([&] {
    for (int i = 0; i < 3; ++i) EXPECT_EQ(look(*file), good);
  });
  EXPECT_EQ(count(said, "policy.refused"), 1) << said;
  write(policy_text("back"));
  EXPECT_NE(look(*file)->find("back"), nullptr);
}

TEST_F(PolicyFileTest, PoisonKeepsTheLastGoodVersion) {
  write(policy_text("shop"));
  auto file = open();
  SharedPolicy good = file->current();
  for (const std::string& text : {std::string(), std::string("\0\1\2", 3),
                                  std::string("sites: &a [*a]"), std::string(10'000'000, 'x'),
                                  std::string("sites: {}"), policy_text("shop").substr(0, 20)}) {
    write(text);
    log_of([&] { EXPECT_EQ(look(*file), good) << text.substr(0, 20); });
  }
  std::filesystem::remove(path());
  ASSERT_EQ(mkfifo(path().c_str(), 0600), 0);
  log_of([&] { EXPECT_EQ(look(*file), good); });
}

TEST_F(PolicyFileTest, ARenamedInFileIsSeen) {
  write(policy_text("old"));
  auto file = open();
  folder_.write("next.yaml", policy_text("new"));
  std::filesystem::rename(folder_ / "next.yaml", path());
  EXPECT_NE(look(*file)->find("new"), nullptr);
}

TEST(FixedPolicy, GivesWhatItWasGiven) {
  Policy first;
  first.revision = 1;
  FixedPolicy store(first);
  EXPECT_EQ(store.current()->revision, 1u);
  Policy second;
  second.revision = 2;
  store.replace(second);
  EXPECT_EQ(run(store.refresh())->revision, 2u);
}

}  // namespace
}  // namespace tintype
