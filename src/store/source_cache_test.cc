// SPDX-License-Identifier: Apache-2.0
#include "store/source_cache.h"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/source_folder.h"
#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;

class SourceCacheTest : public testing::Test {
 protected:
  SourceCacheTest() {
    origin_->put("p/a.jpg", Bytes{1, 2, 3}, 77);
    origin_->set_etag("p/a.jpg", "\"v1\"");
  }
  void open(std::int64_t capacity_bytes = 1'000'000) {
    auto opened = SourceCache::open(
        {.folder = folder_.path().string(), .capacity_bytes = capacity_bytes}, pool_, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    cache_ = std::move(*opened);
    cached_ = cache_->wrap(origin_, {.site = "shop", .identity = "1", .fresh_for = Seconds(60)});
  }
  void reopen(std::int64_t capacity_bytes = 1'000'000) {
    settle();
    cached_.reset();
    cache_.reset();
    open(capacity_bytes);
  }
  // One thread in the pool: what was handed to it before this is done after it.
  void settle() {
    std::promise<void> done;
    asio::post(pool_, [&] { done.set_value(); });
    done.get_future().wait();
  }
  Result<Source> fetch(const std::string& path = "p/a.jpg") {
    auto got = run(cached_->fetch(path, {}));
    settle();
    return got;
  }
  void pass(int seconds) { clock_.advance(Milliseconds(seconds * 1'000)); }
  void put(const std::string& path, std::size_t size) { origin_->put(path, Bytes(size, 7)); }
  std::filesystem::path only_file() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().size() == 64) return entry.path();
    }
    return {};
  }

  TestFolder folder_;
  ManualClock clock_;
  asio::thread_pool pool_{1};
  std::shared_ptr<MemoryOrigin> origin_ = std::make_shared<MemoryOrigin>();
  std::unique_ptr<SourceCache> cache_;
  std::shared_ptr<Origin> cached_;
};

TEST_F(SourceCacheTest, AFreshSourceIsNotFetchedAgain) {
  open();
  fetch().value();
  pass(59);
  auto got = fetch();
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_THAT(*got->bytes, ElementsAre(1, 2, 3));
  EXPECT_EQ(got->etag, "\"v1\"");
  EXPECT_EQ(got->modified_unix_seconds, 77);
  EXPECT_EQ(origin_->fetches(), 1);
  auto counts = cache_->counts();
  EXPECT_EQ(counts.hits, 1u);
  EXPECT_EQ(counts.misses, 1u);
  EXPECT_EQ(counts.entries, 1u);
  EXPECT_GT(counts.bytes, 3);
}

TEST_F(SourceCacheTest, AfterThatTheOriginIsAskedWhetherItHasChanged) {
  open();
  fetch().value();
  pass(60);
  EXPECT_THAT(*fetch()->bytes, ElementsAre(1, 2, 3));
  EXPECT_EQ(origin_->fetches(), 2);
  EXPECT_EQ(cache_->counts().revalidated, 1u);
  pass(59);
  fetch().value();
  EXPECT_EQ(origin_->fetches(), 2) << "fresh again";
  origin_->put("p/a.jpg", Bytes{9});
  pass(1);
  EXPECT_THAT(*fetch()->bytes, ElementsAre(9));
  EXPECT_THAT(*fetch()->bytes, ElementsAre(9));
  EXPECT_EQ(origin_->fetches(), 3);
  EXPECT_EQ(cache_->counts().entries, 1u);
}

TEST_F(SourceCacheTest, WhoMustHaveTheNewestAsksAtOnce) {
  open();
  fetch().value();
  auto same = run(cached_->fetch_if_changed("p/a.jpg", {}, {}));
  ASSERT_TRUE(same && *same);
  EXPECT_THAT(*(*same)->bytes, ElementsAre(1, 2, 3));
  EXPECT_EQ(cache_->counts().revalidated, 1u);
  auto known = run(cached_->fetch_if_changed("p/a.jpg", {.etag = "\"v1\""}, {}));
  ASSERT_TRUE(known);
  EXPECT_FALSE(*known);
  origin_->put("p/a.jpg", Bytes{9});
  auto changed = run(cached_->fetch_if_changed("p/a.jpg", {}, {}));
  ASSERT_TRUE(changed && *changed);
  EXPECT_THAT(*(*changed)->bytes, ElementsAre(9));
}

TEST_F(SourceCacheTest, WhileTheOriginFailsAnOldSourceIsGivenForABoundedTime) {
  open();
  fetch().value();
  for (ErrorCode code : {ErrorCode::OriginFailed, ErrorCode::Timeout}) {
    origin_->fail_with(code);
    pass(60);
    auto got = fetch();
    ASSERT_TRUE(got) << name_of(code);
    EXPECT_THAT(*got->bytes, ElementsAre(1, 2, 3));
  }
  EXPECT_EQ(cache_->counts().stale, 2u);
  pass(86'400);
  EXPECT_EQ(fetch().error().code, ErrorCode::Timeout);
  EXPECT_EQ(fetch("p/other.jpg").error().code, ErrorCode::Timeout);
  origin_->fail_with(std::nullopt);
  EXPECT_TRUE(fetch());
}

TEST_F(SourceCacheTest, WhatTheOriginForbidsIsNotGivenButKept) {
  open();
  fetch().value();
  pass(60);
  origin_->fail_with(ErrorCode::Forbidden);
  EXPECT_EQ(fetch().error().code, ErrorCode::Forbidden);
  EXPECT_EQ(cache_->counts().entries, 1u);
}

TEST_F(SourceCacheTest, WhatTheOriginDeniesIsForgotten) {
  open();
  for (ErrorCode code : {ErrorCode::NotFound, ErrorCode::TooLarge}) {
    origin_->fail_with(std::nullopt);
    fetch().value();
    EXPECT_EQ(cache_->counts().entries, 1u);
    pass(60);
    origin_->fail_with(code);
    EXPECT_EQ(fetch().error().code, code);
    EXPECT_EQ(cache_->counts().entries, 0u);
    EXPECT_EQ(cache_->counts().bytes, 0);
    EXPECT_EQ(only_file(), "");
  }
}

TEST_F(SourceCacheTest, TheLeastRecentlyUsedGo) {
  open(10'000);
  for (const char* path : {"a", "b", "c"}) {
    put(path, 3'000);
    fetch(path).value();
  }
  fetch("a").value();
  put("d", 3'000);
  fetch("d").value();
  EXPECT_EQ(cache_->counts().evicted, 1u);
  EXPECT_LE(cache_->counts().bytes, 10'000);
  int before = origin_->fetches();
  for (const char* path : {"a", "c", "d"}) fetch(path).value();
  EXPECT_EQ(origin_->fetches(), before);
  fetch("b").value();
  EXPECT_EQ(origin_->fetches(), before + 1);
  put("huge", 10'001);
  fetch("huge").value();
  EXPECT_EQ(cache_->counts().entries, 3u) << "it would have pushed out all others";
}

TEST_F(SourceCacheTest, SurvivesARestartWithItsAgesAndItsOrder) {
  open(10'000);
  for (const char* path : {"a", "b", "c"}) {
    put(path, 3'000);
    origin_->set_etag(path, "\"" + std::string(path) + "\"");
    fetch(path).value();
    pass(1);
  }
  pass(10);
  fetch("a").value();
  reopen(10'000);
  EXPECT_EQ(cache_->counts().entries, 3u);
  int before = origin_->fetches();
  EXPECT_EQ(fetch("b")->bytes->size(), 3'000u);
  EXPECT_EQ(origin_->fetches(), before);
  pass(50);
  fetch("b").value();
  EXPECT_EQ(origin_->fetches(), before + 1) << "its age went on";
  EXPECT_EQ(cache_->counts().revalidated, 1u);
  reopen(10'000);
  before = origin_->fetches();
  fetch("b").value();
  EXPECT_EQ(origin_->fetches(), before) << "that the origin vouched for it is kept too";
  reopen(7'000);
  EXPECT_EQ(cache_->counts().entries, 2u);
  put("c", 1);
  EXPECT_EQ(fetch("c")->bytes->size(), 1u) << "c was used least recently";
}

TEST_F(SourceCacheTest, DamagedFilesAreFoundOutAndFetchedAnew) {
  open();
  fetch().value();
  auto file = only_file();
  auto size = std::filesystem::file_size(file);
  auto flip = [&](std::uintmax_t at) {
    std::fstream bytes(file, std::ios::binary | std::ios::in | std::ios::out);
    bytes.seekg(static_cast<std::streamoff>(at));
    char c = static_cast<char>(bytes.get() ^ 1);
    bytes.seekp(static_cast<std::streamoff>(at));
    bytes.put(c);
  };
  for (std::uintmax_t at = 0; at < size; ++at) {
    int before = origin_->fetches();
    flip(at);
    auto got = fetch();
    ASSERT_TRUE(got) << at;
    EXPECT_THAT(*got->bytes, ElementsAre(1, 2, 3)) << at;
    EXPECT_EQ(origin_->fetches(), before + 1) << at;
  }
  std::filesystem::resize_file(file, size - 1);
  EXPECT_THAT(*fetch()->bytes, ElementsAre(1, 2, 3));
  flip(33);
  std::filesystem::create_directory(folder_ / "tmp");
  folder_.write("tmp/7", "half a file");
  reopen();
  EXPECT_EQ(cache_->counts().entries, 0u) << "removed at the start";
  EXPECT_FALSE(std::filesystem::exists(folder_ / "tmp/7"));
  EXPECT_TRUE(fetch());
}

TEST_F(SourceCacheTest, AFileThatIsGoneIsAMiss) {
  open();
  fetch().value();
  std::filesystem::remove(only_file());
  EXPECT_TRUE(fetch());
  EXPECT_EQ(origin_->fetches(), 2);
  EXPECT_EQ(cache_->counts().entries, 1u);
}

TEST_F(SourceCacheTest, PurgesBySiteAndPrefix) {
  open();
  auto other = cache_->wrap(origin_, {.site = "press", .identity = "1"});
  put("p/b.jpg", 1);
  put("q/c.jpg", 1);
  for (const char* path : {"p/a.jpg", "p/b.jpg", "q/c.jpg"}) fetch(path).value();
  run(other->fetch("p/a.jpg", {})).value();
  settle();
  EXPECT_EQ(cache_->counts().entries, 4u);
  EXPECT_EQ(run(cache_->remove("shop", "p/")), 2u);
  EXPECT_EQ(cache_->counts().entries, 2u);
  EXPECT_EQ(run(cache_->remove("shop", "")), 1u);
  EXPECT_EQ(run(cache_->remove("shop", "")), 0u);
  int before = origin_->fetches();
  fetch().value();
  EXPECT_EQ(origin_->fetches(), before + 1);
}

TEST_F(SourceCacheTest, WhatWasFetchedBeforeAPurgeIsNotKeptAfterIt) {
  open();
  origin_->delay(Milliseconds(50));  // of real time: the purge falls into the fetch
  asio::io_context loop;
  auto fetching = [&]() -> Task<> {
    auto got = co_await cached_->fetch("p/a.jpg", {});
    EXPECT_TRUE(got);
  };
  auto purging = [&]() -> Task<> { co_await cache_->remove("shop", "p/"); };
  asio::co_spawn(loop, fetching(), asio::detached);
  asio::co_spawn(loop, purging(), asio::detached);
  loop.run();
  settle();
  EXPECT_EQ(cache_->counts().misses, 1u);
  EXPECT_EQ(cache_->counts().entries, 0u);
  EXPECT_EQ(only_file(), "");
}

TEST_F(SourceCacheTest, AnotherOriginOfTheSiteHasOtherSources) {
  open();
  fetch().value();
  auto moved = std::make_shared<MemoryOrigin>();
  moved->put("p/a.jpg", Bytes{8});
  auto other = cache_->wrap(moved, {.site = "shop", .identity = "2", .fresh_for = Seconds(60)});
  EXPECT_THAT(*run(other->fetch("p/a.jpg", {}))->bytes, ElementsAre(8));
  settle();
  EXPECT_EQ(run(cache_->remove("shop", "p/")), 2u);
}

TEST_F(SourceCacheTest, NeedsAFolderOfItsOwn) {
  EXPECT_EQ(SourceCache::open({.folder = "/dev/null/x"}, pool_, clock_).error().code,
            ErrorCode::Internal);
}

}  // namespace
}  // namespace tintype
