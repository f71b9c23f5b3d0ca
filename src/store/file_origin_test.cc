// SPDX-License-Identifier: Apache-2.0
#include "store/file_origin.h"

#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FileOrigin : public testing::Test {
 protected:
  FileOrigin() {
    outside_.write("secret.jpg", "secret");
    root_.write("a.jpg", "picture");
    root_.write("deep/er/b.png", "deeper");
  }
  std::unique_ptr<Origin> open(std::int64_t max_bytes = 1'000'000) {
    OriginRule rule;
    rule.folder = root_.path().string();
    rule.max_source_bytes = max_bytes;
    auto origin = open_file_origin(rule, pool_, clock_);
    EXPECT_TRUE(origin) << origin.error().message;
    return std::move(*origin);
  }
  Result<Source> fetch(const std::string& path) { return run(open()->fetch(path, {})); }
  void expect_code(const std::string& path, ErrorCode code) {
    auto got = fetch(path);
    ASSERT_FALSE(got) << path << " gave '" << text_of(*got->bytes) << "'";
    EXPECT_EQ(got.error().code, code) << path << ": " << got.error().message;
    EXPECT_THAT(got.error().detail, IsEmpty()) << "paths are nobody's business outside";
  }

  TestFolder outside_, root_;
  SystemClock clock_;
  asio::thread_pool pool_{2};
};

TEST_F(FileOrigin, GivesBytesTimeAndEtag) {
  auto got = fetch("deep/er/b.png");
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(text_of(*got->bytes), "deeper");
  struct stat state {};
  ASSERT_EQ(stat((root_ / "deep/er/b.png").c_str(), &state), 0);
  EXPECT_EQ(got->modified_unix_seconds, state.st_mtim.tv_sec);
  EXPECT_EQ(got->etag.front(), '"');
  EXPECT_EQ(fetch("deep/er/b.png")->etag, got->etag);
  root_.write("deep/er/b.png", "deeper still");
  EXPECT_NE(fetch("deep/er/b.png")->etag, got->etag);
}

TEST_F(FileOrigin, ReadsEmptyAndLargeFilesWhole) {
  std::string large(3'000'001, 'x');
  large.back() = 'y';
  root_.write("large.jpg", large);
  root_.write("empty.jpg", "");
  auto origin = open(5'000'000);
  EXPECT_EQ(text_of(*run(origin->fetch("large.jpg", {}))->bytes), large);
  EXPECT_THAT(*run(origin->fetch("empty.jpg", {}))->bytes, IsEmpty());
}

TEST_F(FileOrigin, TheSizeLimitIsExact) {
  EXPECT_TRUE(run(open(7)->fetch("a.jpg", {})));
  auto refused = run(open(6)->fetch("a.jpg", {}));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::TooLarge);
}

TEST_F(FileOrigin, AbsentThingsAreNotFound) {
  for (const char* path :
       {"b.jpg", "a.jpg/x", "deep", "deep/", ".", "", "deep/er/b.png/", "a.jp\xff\xfeg"}) {
    expect_code(path, ErrorCode::NotFound);
  }
  expect_code(std::string(300, 'x'), ErrorCode::NotFound);
  expect_code(std::string(5000, 'x'), ErrorCode::NotFound);
  expect_code(std::string("a.jpg\0.png", 10), ErrorCode::NotFound);
}

TEST_F(FileOrigin, NoPathLeavesTheRoot) {
  std::string outside = outside_.path().filename().string();
  for (const std::string& path :
       {"../" + outside + "/secret.jpg", "deep/../../" + outside + "/secret.jpg",
        outside_.path().string() + "/secret.jpg", std::string("/etc/passwd"), std::string(".."),
        std::string("../../../../../../../../etc/passwd"),
        std::string("/proc/self/root/etc/passwd")}) {
    expect_code(path, ErrorCode::Forbidden);
  }
  // Still encoded: names like any other.
  for (const char* path :
       {"..%2fsecret.jpg", "%2e%2e/secret.jpg", "..\\secret.jpg", "\xc0\xae\xc0\xae/secret.jpg"}) {
    expect_code(path, ErrorCode::NotFound);
  }
}

TEST_F(FileOrigin, SymbolicLinksAreNotFollowed) {
  std::filesystem::create_symlink(outside_ / "secret.jpg", root_ / "link.jpg");
  std::filesystem::create_symlink(outside_.path(), root_ / "linked");
  std::filesystem::create_symlink("a.jpg", root_ / "inner.jpg");
  std::filesystem::create_symlink("/proc/self/fd/0", root_ / "magic.jpg");
  std::filesystem::create_symlink("loop.jpg", root_ / "loop.jpg");
  for (const char* path : {"link.jpg", "linked/secret.jpg", "inner.jpg", "magic.jpg", "loop.jpg"}) {
    expect_code(path, ErrorCode::Forbidden);
  }
}

TEST_F(FileOrigin, OnlyRegularFilesAreSources) {
  ASSERT_EQ(mkfifo((root_ / "pipe.jpg").c_str(), 0600), 0);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strncpy(at.sun_path, (root_ / "socket.jpg").c_str(), sizeof at.sun_path - 1);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at), 0);
  expect_code("pipe.jpg", ErrorCode::NotFound);
  expect_code("socket.jpg", ErrorCode::NotFound);
  close(listener);
  OriginRule rule;
  rule.folder = "/dev";
  auto devices = open_file_origin(rule, pool_, clock_);
  ASSERT_TRUE(devices);
  for (const char* device : {"zero", "null"}) {
    auto got = run((*devices)->fetch(device, {}));
    ASSERT_FALSE(got) << device;
    EXPECT_EQ(got.error().code, ErrorCode::NotFound);
  }
}

TEST_F(FileOrigin, ListsPicturesSorted) {
  root_.write("z.JPG", "x");
  root_.write("deep/c.webp", "x");
  root_.write("notes.txt", "x");
  root_.write(".hidden.jpg", "x");
  root_.write(".git/d.jpg", "x");
  root_.write("jpg", "x");
  std::filesystem::create_symlink(outside_.path(), root_ / "linked");
  std::filesystem::create_symlink("a.jpg", root_ / "link.jpg");
  auto origin = open();
  EXPECT_THAT(*run(origin->list(100)),
              ElementsAre("a.jpg", "deep/c.webp", "deep/er/b.png", "z.JPG"));
  EXPECT_THAT(*run(origin->list(2)), ElementsAre("a.jpg", "deep/c.webp"));
  const auto listed = run(origin->list(100)).value();
  for (const std::string& path : listed) EXPECT_TRUE(fetch(path)) << path;
}

TEST_F(FileOrigin, TheListIsBoundedInDepth) {
  std::string path;
  for (int i = 0; i < 40; ++i) path += "d/";
  root_.write(path + "far.jpg", "x");
  EXPECT_THAT(*run(open()->list(100)), ElementsAre("a.jpg", "deep/er/b.png"));
}

TEST_F(FileOrigin, NeedsAFolder) {
  for (const std::string& folder : {(root_ / "absent").string(), (root_ / "a.jpg").string()}) {
    OriginRule rule;
    rule.folder = folder;
    auto opened = open_file_origin(rule, pool_, clock_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ErrorCode::BadRequest);
    EXPECT_THAT(opened.error().detail, testing::HasSubstr(folder));
  }
}

TEST_F(FileOrigin, TheFolderIsHeldEvenWhenItIsRenamed) {
  auto origin = open();
  std::filesystem::rename(root_.path(), root_.path().string() + ".moved");
  auto got = run(origin->fetch("a.jpg", {}));
  std::filesystem::rename(root_.path().string() + ".moved", root_.path());
  ASSERT_TRUE(got);
  EXPECT_EQ(text_of(*got->bytes), "picture");
}

TEST_F(FileOrigin, AReadUnderWayOutlivesItsOrigin) {
  asio::io_context loop;
  bool is_read = false;
  auto origin = open();
  auto fetch_later = [](Task<Result<Source>> task, bool& done) -> Task<> {
    auto got = co_await std::move(task);
    done = got.has_value() && text_of(*got->bytes) == "picture";
  };
  asio::co_spawn(loop, fetch_later(origin->fetch("a.jpg", {}), is_read), asio::detached);
  loop.poll();
  origin.reset();
  loop.run();
  EXPECT_TRUE(is_read);
}

}  // namespace
}  // namespace tintype
