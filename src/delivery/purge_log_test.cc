// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_log.h"

#include <gtest/gtest.h>

#include "delivery/guarded_store.h"

namespace tintype {
namespace {

class PurgeLogTest : public testing::Test {
 protected:
  void note(const std::string& source) {
    Policy policy;
    policy.sites["shop"].name = "shop";
    PurgeOrder order{.site = "shop", .what = PurgeOrder::What::Source, .value = source};
    log_.note(std::make_shared<const PurgeScope>(*scope_of(order, policy)));
  }
  EntryMeta meta(const std::string& source) const {
    EntryMeta meta;
    meta.key = "/shop/" + source + "/_/w-4.webp";
    meta.stored_unix_seconds = clock_.unix_seconds();
    return meta;
  }
  ManualClock clock_;
  PurgeLog log_{clock_};
};

TEST_F(PurgeLogTest, WhatWasBegunBeforeAPurgeIsKnown) {
  std::uint64_t before = log_.now();
  EXPECT_FALSE(log_.was_purged_since(before, meta("a")));
  note("a");
  EXPECT_TRUE(log_.was_purged_since(before, meta("a")));
  EXPECT_FALSE(log_.was_purged_since(before, meta("b")));
  std::uint64_t after = log_.now();
  EXPECT_NE(before, after);
  EXPECT_FALSE(log_.was_purged_since(after, meta("a")));
  note("b");
  EXPECT_FALSE(log_.was_purged_since(after, meta("a")));
  EXPECT_TRUE(log_.was_purged_since(before, meta("a")));
}

TEST_F(PurgeLogTest, OfWhatIsForgottenItSaysYes) {
  std::uint64_t before = log_.now();
  for (int i = 0; i < 10'001; ++i) note("a");
  EXPECT_TRUE(log_.was_purged_since(before, meta("b")));
  EXPECT_FALSE(log_.was_purged_since(before + 1, meta("b")));
}

TEST_F(PurgeLogTest, OldOnesAreForgotten) {
  std::uint64_t before = log_.now();
  note("a");
  clock_.advance(std::chrono::minutes(16));
  note("c");  // forgets in passing
  EXPECT_TRUE(log_.was_purged_since(before, meta("b")));
  EXPECT_FALSE(log_.was_purged_since(before + 1, meta("b")));
}

TEST_F(PurgeLogTest, WhatWasStoredBeforeAPurgeIsKnownByItsTime) {
  EntryMeta old = meta("a");
  clock_.advance(Seconds(5));
  note("a");
  EXPECT_TRUE(log_.was_purged(old));
  EXPECT_TRUE(log_.was_purged(meta("a")));  // of the same second: rather yes
  clock_.advance(Seconds(1));
  EXPECT_FALSE(log_.was_purged(meta("a")));
  EXPECT_FALSE(log_.was_purged(meta("b")));
  clock_.advance(std::chrono::minutes(16));
  EXPECT_FALSE(log_.was_purged(old));
}

class GuardedStoreTest : public PurgeLogTest {
 protected:
  StoredVariant variant(const std::string& source, const std::string& tags = "") const {
    StoredVariant variant;
    variant.key = "/shop/" + source + "/_/w-4.webp";
    variant.bytes = share({1, 2, 3});
    variant.tags = tags;
    variant.stored_unix_seconds = clock_.unix_seconds();
    variant.offered_at = clock_.now();
    return variant;
  }
  std::vector<std::string> keys() { return *run_to_end(inner_.list("/", "", Deadline{})); }
  void keep(StoredVariant variant) {
    EXPECT_TRUE(run_to_end(guarded_.keep(std::move(variant), false, Deadline{})));
  }

  MemoryVariantStore inner_;
  GuardedVariantStore guarded_{inner_, log_};
};

TEST_F(GuardedStoreTest, AVariantIsKeptWithItsMarkers) {
  keep(variant("a", "new sale"));
  EXPECT_EQ(keys(), (std::vector<std::string>{"/_tags/shop/new/a", "/_tags/shop/sale/a",
                                              "/shop/a/_/w-4.webp"}));
}

TEST_F(GuardedStoreTest, WhatWaitedWhileAPurgeCameIsNotWritten) {
  StoredVariant waiting = variant("a", "sale"), other = variant("b");
  clock_.advance(Milliseconds(1));
  note("a");
  keep(waiting);
  keep(other);
  EXPECT_EQ(keys(), (std::vector<std::string>{"/shop/b/_/w-4.webp"}));
  // What is made at once after a purge, as hooks do, is written.
  clock_.advance(Milliseconds(1));
  keep(variant("a"));
  EXPECT_EQ(keys().size(), 2u);
}

// The store is written to while the purge is noted.
class NotingStore final : public VariantStore {
 public:
  explicit NotingStore(std::function<void()> on_keep) : on_keep_(std::move(on_keep)) {}
  Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) override {
    auto kept = co_await inner.keep(std::move(variant), replace, deadline);
    on_keep_();
    co_return kept;
  }
  Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key, Deadline d) override {
    return inner.get(std::move(key), d);
  }
  Task<Result<std::vector<std::string>>> list(std::string p, std::string a, Deadline d) override {
    return inner.list(std::move(p), std::move(a), d);
  }
  Task<Result<>> remove(std::vector<std::string> keys, Deadline deadline) override {
    return inner.remove(std::move(keys), deadline);
  }
  MemoryVariantStore inner;

 private:
  std::function<void()> on_keep_;
};

TEST_F(GuardedStoreTest, APurgeDuringAWriteTakesItBack) {
  NotingStore store([this] { note("a"); });
  GuardedVariantStore guarded(store, log_);
  EXPECT_TRUE(run_to_end(guarded.keep(variant("a"), false, Deadline{})));
  EXPECT_EQ(store.inner.size(), 0u);
  EXPECT_TRUE(run_to_end(guarded.keep(variant("b"), false, Deadline{})));
  EXPECT_EQ(store.inner.size(), 1u);
}

TEST_F(GuardedStoreTest, WhatIsStillThereFromBeforeIsNotGiven) {
  keep(variant("a"));
  clock_.advance(Seconds(1));
  EXPECT_NE(*run_to_end(guarded_.get("/shop/a/_/w-4.webp", Deadline{})), nullptr);
  note("a");
  EXPECT_EQ(*run_to_end(guarded_.get("/shop/a/_/w-4.webp", Deadline{})), nullptr);
}

}  // namespace
}  // namespace tintype
