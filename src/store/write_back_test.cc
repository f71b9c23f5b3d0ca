// SPDX-License-Identifier: Apache-2.0
#include "store/write_back.h"

#include <atomic>

#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace tintype {
namespace {

const SystemClock kClock;

Deadline soon() {
  return Deadline::after(kClock, Milliseconds(10'000));
}

StoredVariant variant(const std::string& key, std::size_t size = 10, std::uint8_t content = 1) {
  StoredVariant made;
  made.key = key;
  made.bytes = share(Bytes(size, content));
  return made;
}

// Holds every write until it is opened, fails the first `failures` of them, and remembers how many
// were there at once.
class GatedStore final : public VariantStore {
 public:
  Task<Result<Kept>> keep(StoredVariant variant, bool replace, Deadline deadline) override {
    int now = ++under_way;
    if (now > most_at_once) most_at_once = now;
    ++begun;
    while (!is_open) co_await sleep_for(Milliseconds(1));
    --under_way;
    if (failures-- > 0) co_return fail_private(fault, "told to fail");
    co_return co_await inner.keep(std::move(variant), replace, deadline);
  }
  Task<Result<std::shared_ptr<const StoredVariant>>> get(std::string key, Deadline at) override {
    co_return co_await inner.get(std::move(key), at);
  }
  Task<Result<std::vector<std::string>>> list(std::string prefix, std::string after,
                                              Deadline at) override {
    co_return co_await inner.list(std::move(prefix), std::move(after), at);
  }
  Task<Result<>> remove(std::vector<std::string> keys, Deadline at) override {
    co_return co_await inner.remove(std::move(keys), at);
  }
  void await_begun(int number) const {
    while (begun < number) std::this_thread::yield();
  }

  MemoryVariantStore inner;
  ErrorCode fault = ErrorCode::OriginFailed;
  std::atomic<bool> is_open{true};
  std::atomic<int> failures{0}, begun{0}, under_way{0}, most_at_once{0};
};

WriteBackSettings quick() {
  return {.retry_after_ms = Milliseconds(1)};
}

TEST(WriteBack, WritesBehindTheCallersBack) {
  GatedStore store;
  WriteBack queue(store, quick(), kClock);
  EXPECT_TRUE(queue.add(variant("/a")));
  EXPECT_TRUE(queue.add(variant("/b")));
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(store.inner.size(), 2u);
  auto state = queue.state();
  EXPECT_EQ(state.written, 2u);
  EXPECT_EQ(state.queued, 0u);
  EXPECT_EQ(state.bytes, 0);
  EXPECT_EQ(state.dropped + state.failed + state.duplicates, 0u);
}

TEST(WriteBack, WhatStandsThereAlreadyIsADuplicate) {
  GatedStore store;
  run(store.inner.keep(variant("/a"), false, {})).value();
  WriteBack queue(store, quick(), kClock);
  queue.add(variant("/a"));
  queue.drain(soon());
  EXPECT_EQ(queue.state().duplicates, 1u);
  EXPECT_EQ(queue.state().written, 0u);
}

TEST(WriteBack, NeverWaitsButDropsWhatIsTooMuch) {
  GatedStore store;
  store.is_open = false;
  WriteBackSettings settings = quick();
  settings.max_entries = 3;
  settings.max_bytes = 100;
  WriteBack queue(store, settings, kClock);
  EXPECT_TRUE(queue.add(variant("/a", 10)));
  EXPECT_FALSE(queue.add(variant("/big", 91))) << "above the bytes";
  EXPECT_TRUE(queue.add(variant("/b", 90))) << "exactly the bytes";
  EXPECT_TRUE(queue.add(variant("/c", 0)));
  EXPECT_FALSE(queue.add(variant("/d", 0))) << "above the entries";
  EXPECT_EQ(queue.state().queued, 3u);
  EXPECT_EQ(queue.state().bytes, 100);
  EXPECT_EQ(queue.state().dropped, 2u);
  store.is_open = true;
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(store.inner.size(), 3u);
}

TEST(WriteBack, WritesOnlySoManyAtOnce) {
  GatedStore store;
  store.is_open = false;
  WriteBackSettings settings = quick();
  settings.max_at_once = 4;
  WriteBack queue(store, settings, kClock);
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(queue.add(variant("/" + std::to_string(i))));
  store.await_begun(4);
  store.is_open = true;
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(store.most_at_once, 4);
  EXPECT_EQ(store.inner.size(), 50u);
}

TEST(WriteBack, AKeyQueuedTwiceIsWrittenOnce) {
  GatedStore store;
  store.is_open = false;
  WriteBackSettings settings = quick();
  settings.max_at_once = 1;
  WriteBack queue(store, settings, kClock);
  queue.add(variant("/first"));
  store.await_begun(1);
  EXPECT_TRUE(queue.add(variant("/first"))) << "under way";
  EXPECT_TRUE(queue.add(variant("/a")));
  EXPECT_TRUE(queue.add(variant("/a"))) << "waiting";
  EXPECT_EQ(queue.state().bytes, 20);
  store.is_open = true;
  queue.drain(soon());
  EXPECT_EQ(store.begun, 2);
  EXPECT_EQ(queue.state().duplicates, 0u);
}

TEST(WriteBack, AReplacementTakesThePlaceOfWhatIsQueued) {
  GatedStore store;
  store.is_open = false;
  WriteBackSettings settings = quick();
  settings.max_at_once = 1;
  WriteBack queue(store, settings, kClock);
  queue.add(variant("/under-way", 10, 1));
  store.await_begun(1);
  EXPECT_TRUE(queue.add(variant("/waiting", 10, 1)));
  EXPECT_TRUE(queue.add(variant("/waiting", 7, 2), true));
  EXPECT_TRUE(queue.add(variant("/waiting", 10, 3))) << "an ordinary one does not undo it";
  EXPECT_TRUE(queue.add(variant("/under-way", 5, 2), true));
  EXPECT_TRUE(queue.add(variant("/under-way", 6, 3), true));
  EXPECT_EQ(queue.state().bytes, 10 + 7 + 6);
  store.is_open = true;
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(queue.state().bytes, 0);
  EXPECT_EQ(*run(store.get("/waiting", {})).value()->bytes, Bytes(7, 2));
  EXPECT_EQ(*run(store.get("/under-way", {})).value()->bytes, Bytes(6, 3));
  EXPECT_EQ(store.begun, 3);
}

TEST(WriteBack, AFailureIsTriedOnceMore) {
  GatedStore store;
  store.failures = 1;
  WriteBack queue(store, quick(), kClock);
  queue.add(variant("/a"));
  while (queue.state().written == 0) std::this_thread::yield();
  EXPECT_EQ(store.begun, 2);
  EXPECT_EQ(queue.state().failed, 0u);
  EXPECT_EQ(queue.state().bytes, 0);
}

TEST(WriteBack, GivesUpAfterTheSecondFailureAndTakesTheKeyAgain) {
  GatedStore store;
  store.failures = 2;
  WriteBack queue(store, quick(), kClock);
  queue.add(variant("/a"));
  while (queue.state().failed == 0) std::this_thread::yield();
  EXPECT_EQ(store.begun, 2);
  EXPECT_EQ(queue.state().queued, 0u);
  EXPECT_TRUE(queue.add(variant("/a")));
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(queue.state().written, 1u);
}

TEST(WriteBack, WhatCanNeverSucceedIsNotTriedAgain) {
  GatedStore store;
  store.failures = 1;
  store.fault = ErrorCode::TooLarge;
  WriteBack queue(store, quick(), kClock);
  queue.add(variant("/a"));
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(store.begun, 1);
  EXPECT_EQ(queue.state().failed, 1u);
}

TEST(WriteBack, DrainSaysHowManyWereLeftAndTakesNothingMore) {
  GatedStore store;
  store.is_open = false;
  WriteBackSettings settings = quick();
  settings.max_at_once = 1;
  WriteBack queue(store, settings, kClock);
  for (const char* key : {"/a", "/b", "/c"}) queue.add(variant(key));
  EXPECT_EQ(queue.drain(Deadline::after(kClock, Milliseconds(20))), 3u);
  EXPECT_FALSE(queue.add(variant("/d")));
  EXPECT_EQ(queue.state().dropped, 1u);
  store.is_open = true;
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(store.inner.size(), 3u);
}

TEST(WriteBack, DrainDoesNotWaitForTheTimeOfRetries) {
  GatedStore store;
  store.failures = 1;
  WriteBackSettings settings = quick();
  settings.retry_after_ms = Milliseconds(3'600'000);
  WriteBack queue(store, settings, kClock);
  queue.add(variant("/a"));
  store.await_begun(1);
  EXPECT_EQ(queue.drain(soon()), 0u);
  EXPECT_EQ(queue.state().written, 1u);
}

TEST(WriteBack, EndsWithWritesUnderWay) {
  GatedStore store;
  store.is_open = false;
  {
    WriteBack queue(store, quick(), kClock);
    for (int i = 0; i < 20; ++i) queue.add(variant("/" + std::to_string(i)));
    store.await_begun(1);
    queue.stop();
    EXPECT_FALSE(queue.add(variant("/late")));
  }
  EXPECT_EQ(store.inner.size(), 0u);
}

}  // namespace
}  // namespace tintype
