// SPDX-License-Identifier: Apache-2.0
#include "cache/disk_tier.h"

#include <algorithm>
#include <atomic>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/disk_testing.h"

namespace tintype {
namespace {

constexpr const char* kKey = "/shop/a.jpg/_/w-600.webp";

class DiskTierTest : public testing::Test {
 protected:
  std::unique_ptr<DiskTier> open() {
    auto opened = DiskTier::open(settings_, clock_);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  Entry entry_of(const std::string& key, std::size_t size_bytes, unsigned seed = 0) {
    return make_entry(key, size_bytes, seed, clock_.unix_seconds());
  }
  std::string file(const std::string& key) { return file_of(settings_.folder, key); }

  ScratchFolder scratch_;
  ManualClock clock_;
  DiskTierSettings settings_{scratch_.path() + "/cache", 1'000'000'000, Seconds(1000)};
};

TEST_F(DiskTierTest, KeepsAcrossARestart) {
  auto tier = open();
  ASSERT_TRUE(wait_until_reconciled(*tier));
  Entry entry = entry_of(kKey, 20'000, 3);
  ASSERT_TRUE(tier->keep(entry));
  for (int round = 0; round < 2; ++round) {
    SharedEntry got = tier->get(kKey);
    ASSERT_NE(got, nullptr);
    EXPECT_EQ(got->body, entry.body);
    EXPECT_EQ(got->meta.media_type, "image/webp");
    EXPECT_EQ(got->meta.fresh_until_unix_seconds, entry.meta.fresh_until_unix_seconds);
    EXPECT_EQ(tier->get("/shop/other.jpg/_/w-600.webp"), nullptr);
    EXPECT_EQ(tier->state().entries, 1);
    EXPECT_EQ(tier->state().bytes, 5 * 4096);
    tier.reset();
    tier = open();
    EXPECT_FALSE(tier->state().is_reconciling);  // it ended in order
  }
}

TEST_F(DiskTierTest, ReplacesAndRemoves) {
  auto tier = open();
  ASSERT_TRUE(tier->keep(entry_of(kKey, 1000, 1)));
  ASSERT_TRUE(tier->keep(entry_of(kKey, 9000, 2)));
  EXPECT_EQ(tier->get(kKey)->meta.etag, "2");
  EXPECT_EQ(tier->state().entries, 1);
  tier->remove(kKey);
  tier->remove(kKey);
  EXPECT_EQ(tier->get(kKey), nullptr);
  EXPECT_EQ(tier->state().entries, 0);
  EXPECT_EQ(tier->state().bytes, 0);
  EXPECT_TRUE(variant_files(settings_.folder).empty());
}

TEST_F(DiskTierTest, NegativeAndOversizeEntriesAreNotKept) {
  settings_.capacity_bytes = 800'000;
  auto tier = open();
  Entry negative = entry_of(kKey, 100);
  negative.meta.error_code = "not-found";
  EXPECT_TRUE(tier->keep(negative));
  EXPECT_EQ(tier->get(kKey), nullptr);
  ASSERT_TRUE(tier->keep(entry_of(kKey, 100)));
  EXPECT_TRUE(tier->keep(entry_of(kKey, 120'000)));
  EXPECT_EQ(tier->get(kKey), nullptr);  // and the older one does not stay for it
  EXPECT_EQ(tier->state().write_failures, 0u);
}

TEST_F(DiskTierTest, AnyFlippedByteIsNeverServed) {
  auto tier = open();
  std::uint64_t damaged = 0;
  EXPECT_TRUE(rc::check("flip one bit anywhere", [&] {
    Entry entry = entry_of(kKey, *rc::gen::inRange<std::size_t>(0, 9000));
    RC_ASSERT(tier->keep(entry).has_value());
    std::string content = slurp(file(kKey));
    std::size_t at = *rc::gen::inRange<std::size_t>(0, content.size());
    content[at] = static_cast<char>(content[at] ^ (1 << *rc::gen::inRange(0, 8)));
    spill(file(kKey), content);
    RC_ASSERT(tier->get(kKey) == nullptr);
    RC_ASSERT(tier->state().corrupt == ++damaged);
    RC_ASSERT(!std::filesystem::exists(file(kKey)));
    RC_ASSERT(tier->state().entries == 0);
  }));
}

TEST_F(DiskTierTest, ShortAndForeignFilesAreNeverServed) {
  auto tier = open();
  Entry entry = entry_of(kKey, 9000);
  for (std::size_t size : {0, 3, 31, 32, 100, 4096, 9100}) {
    ASSERT_TRUE(tier->keep(entry));
    ::truncate(file(kKey).c_str(), static_cast<off_t>(size));
    EXPECT_EQ(tier->get(kKey), nullptr) << size;
  }
  // A whole, valid file of another key under this key's name.
  ASSERT_TRUE(tier->keep(entry));
  ASSERT_TRUE(tier->keep(entry_of("/shop/b.jpg/_/w-600.webp", 500)));
  spill(file(kKey), slurp(file("/shop/b.jpg/_/w-600.webp")));
  EXPECT_EQ(tier->get(kKey), nullptr);
  EXPECT_NE(tier->get("/shop/b.jpg/_/w-600.webp"), nullptr);
}

TEST_F(DiskTierTest, ARowWithoutItsFileIsAMissAndGoes) {
  auto tier = open();
  ASSERT_TRUE(tier->keep(entry_of(kKey, 9000)));
  std::filesystem::remove(file(kKey));
  EXPECT_EQ(tier->get(kKey), nullptr);
  EXPECT_EQ(tier->state().entries, 0);
  EXPECT_EQ(tier->state().corrupt, 0u);
}

TEST_F(DiskTierTest, StaleWindowThenGone) {
  auto tier = open();
  ASSERT_TRUE(tier->keep(entry_of(kKey, 100)));
  ASSERT_TRUE(tier->keep(entry_of("/shop/b", 100)));
  clock_.advance(Seconds(3600 + 999));
  EXPECT_NE(tier->get(kKey), nullptr);
  tier->maintain();
  EXPECT_EQ(tier->state().entries, 2);
  clock_.advance(Seconds(1));
  EXPECT_EQ(tier->get(kKey), nullptr);
  EXPECT_EQ(tier->state().entries, 1);  // the other one goes with the sweep
  tier->maintain();
  EXPECT_EQ(tier->state().entries, 0);
  EXPECT_TRUE(variant_files(settings_.folder).empty());
}

TEST_F(DiskTierTest, CapacityHoldsAfterEveryWriteAndTheLeastRecentlyUsedGo) {
  settings_.capacity_bytes = 40 * 8192;
  auto tier = open();
  const std::string favourite = "/shop/favourite/_/w-1.webp";
  ASSERT_TRUE(tier->keep(entry_of(favourite, 7000)));
  for (int i = 0; i < 200; ++i) {
    clock_.advance(Seconds(1));
    ASSERT_NE(tier->get(favourite), nullptr) << i;
    ASSERT_TRUE(tier->keep(entry_of("/shop/" + std::to_string(i), 7000)));
    ASSERT_LE(tier->state().bytes, settings_.capacity_bytes);
  }
  EXPECT_NE(tier->get(favourite), nullptr);
  EXPECT_NE(tier->get("/shop/199"), nullptr);
  EXPECT_EQ(tier->get("/shop/0"), nullptr);
  EXPECT_GE(tier->state().evicted, 160u);
  EXPECT_EQ(variant_files(settings_.folder).size(),
            static_cast<std::size_t>(tier->state().entries));
  tier->maintain();
  EXPECT_LE(tier->state().bytes, settings_.capacity_bytes / 100 * 95);
}

TEST_F(DiskTierTest, RemovesExactlyAPrefix) {
  auto tier = open();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(tier->keep(entry_of("/shop/a.jpg/_/w-" + std::to_string(i) + ".webp", 10)));
  }
  ASSERT_TRUE(tier->keep(entry_of("/shop/a.jpg2/_/w-1.webp", 10)));
  ASSERT_TRUE(tier->keep(entry_of("/shop/a.jpg", 10)));
  ASSERT_TRUE(tier->keep(entry_of("/shop2/a.jpg/_/w-1.webp", 10)));
  EXPECT_EQ(tier->remove_prefix("/shop/a.jpg/_/"), 300u);
  EXPECT_EQ(tier->remove_prefix("/shop/a.jpg/_/"), 0u);
  EXPECT_EQ(tier->get("/shop/a.jpg/_/w-7.webp"), nullptr);
  EXPECT_NE(tier->get("/shop/a.jpg2/_/w-1.webp"), nullptr);
  EXPECT_NE(tier->get("/shop/a.jpg"), nullptr);
  EXPECT_NE(tier->get("/shop2/a.jpg/_/w-1.webp"), nullptr);
  EXPECT_EQ(variant_files(settings_.folder).size(), 3u);
  EXPECT_EQ(tier->remove_prefix("/shop/"), 2u);
  EXPECT_EQ(tier->state().entries, 1);
}

TEST_F(DiskTierTest, AMissingCatalogueIsMadeAnew) {
  for (bool is_garbage : {false, true}) {
    auto tier = open();
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(tier->keep(entry_of("/shop/" + std::to_string(i), 5000)));
    }
    std::int64_t bytes = tier->state().bytes;
    tier.reset();
    for (const char* suffix : {"", "-wal", "-shm"}) {
      std::filesystem::remove(settings_.folder + "/catalogue.sqlite" + suffix);
    }
    if (is_garbage) spill(settings_.folder + "/catalogue.sqlite", std::string(50'000, 'x'));
    tier = open();
    EXPECT_NE(tier->get("/shop/5"), nullptr);  // at once: the file is the truth
    ASSERT_TRUE(wait_until_reconciled(*tier));
    EXPECT_EQ(tier->state().entries, 100);
    EXPECT_EQ(tier->state().bytes, bytes);
    EXPECT_EQ(tier->remove_prefix("/shop/1"), 11u);
    EXPECT_EQ(tier->get("/shop/1"), nullptr);
    tier.reset();
  }
}

TEST_F(DiskTierTest, ReconcilingDropsDamagedExpiredAndUnfoundFiles) {
  auto tier = open();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(tier->keep(entry_of("/" + std::to_string(i), 500)));
  tier.reset();
  std::filesystem::remove(settings_.folder + "/catalogue.sqlite");
  std::string content = slurp(file("/0"));
  content[40] = static_cast<char>(content[40] ^ 1);
  spill(file("/0"), content);
  spill(file("/1"), "");
  std::filesystem::rename(file("/2"), file("/3"));  // another key's
  tier = open();
  ASSERT_TRUE(wait_until_reconciled(*tier));
  EXPECT_EQ(tier->state().entries, 6);
  EXPECT_EQ(tier->state().corrupt, 3u);
  EXPECT_EQ(variant_files(settings_.folder).size(), 6u);
  tier.reset();
  clock_.advance(Seconds(10'000));
  std::filesystem::remove(settings_.folder + "/catalogue.sqlite");
  tier = open();
  ASSERT_TRUE(wait_until_reconciled(*tier));
  EXPECT_EQ(tier->state().entries, 0);
  EXPECT_TRUE(variant_files(settings_.folder).empty());
}

TEST_F(DiskTierTest, APurgeWhileReconcilingHolds) {
  auto tier = open();
  for (int i = 0; i < 600; ++i) {
    ASSERT_TRUE(tier->keep(entry_of("/shop/a/_/" + std::to_string(i), 50)));
  }
  ASSERT_TRUE(tier->keep(entry_of("/shop/b/_/1", 50)));
  tier.reset();
  std::filesystem::remove(settings_.folder + "/catalogue.sqlite");
  tier = open();
  tier->remove_prefix("/shop/a/_/");
  for (int i = 0; i < 600; i += 7) {
    ASSERT_EQ(tier->get("/shop/a/_/" + std::to_string(i)), nullptr) << i;
  }
  ASSERT_TRUE(wait_until_reconciled(*tier));
  EXPECT_EQ(tier->state().entries, 1);
  EXPECT_EQ(variant_files(settings_.folder).size(), 1u);
  EXPECT_NE(tier->get("/shop/b/_/1"), nullptr);
}

TEST_F(DiskTierTest, TemporaryFilesOfACrashGo) {
  open().reset();
  spill(settings_.folder + "/tmp/17", "half");
  auto tier = open();
  EXPECT_FALSE(std::filesystem::exists(settings_.folder + "/tmp/17"));
  ASSERT_TRUE(tier->keep(entry_of(kKey, 100)));
  EXPECT_TRUE(std::filesystem::is_empty(settings_.folder + "/tmp"));
}

TEST_F(DiskTierTest, AFolderThatCannotBeMadeIsAnError) {
  spill(scratch_.path() + "/file", "x");
  settings_.folder = scratch_.path() + "/file/cache";
  auto opened = DiskTier::open(settings_, clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::Internal);
}

TEST_F(DiskTierTest, ServesOnWhenTheFolderCannotBeWritten) {
  auto tier = open();
  ASSERT_TRUE(tier->keep(entry_of(kKey, 100)));
  std::filesystem::remove_all(settings_.folder + "/tmp");
  Result<> kept = tier->keep(entry_of("/shop/b", 100));
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, ErrorCode::Internal);
  EXPECT_EQ(tier->state().write_failures, 1u);
  EXPECT_EQ(tier->state().entries, 1);
  EXPECT_NE(tier->get(kKey), nullptr);
  EXPECT_EQ(tier->get("/shop/b"), nullptr);
}

TEST_F(DiskTierTest, ComplainsOnceAMinute) {
  auto tier = open();
  std::filesystem::remove_all(settings_.folder + "/tmp");
  testing::internal::CaptureStderr();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(tier->keep(entry_of(kKey, 100)));
  clock_.advance(Seconds(61));
  EXPECT_FALSE(tier->keep(entry_of(kKey, 100)));
  std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST_F(DiskTierTest, ManyThreadsNeverSeeWrongBytes) {
  settings_.capacity_bytes = 400'000;
  auto tier = open();
  std::atomic<int> wrong{0}, hits{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (unsigned i = 0; i < 400; ++i) {
        std::string key = "/shop/" + std::to_string(random() % 40);
        if (random() % 3 == 0) {
          if (!tier->keep(entry_of(key, random() % 20'000, i))) ++wrong;
        } else if (random() % 20 == 0) {
          tier->remove_prefix(key);
        } else if (SharedEntry got = tier->get(key)) {
          ++hits;
          wrong += !is_right(*got, key);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(hits, 100);
  EXPECT_EQ(tier->state().corrupt, 0u);
  EXPECT_LE(tier->state().bytes, settings_.capacity_bytes);
  EXPECT_EQ(variant_files(settings_.folder).size(),
            static_cast<std::size_t>(tier->state().entries));
}

}  // namespace
}  // namespace tintype
