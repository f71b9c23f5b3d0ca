// SPDX-License-Identifier: Apache-2.0
#include "delivery/shared_variants.h"

#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace tintype {
namespace {

constexpr char kKey[] = "/shop/a.jpg/_/w-8.webp";

SharedEntry variant(std::int64_t now, int status = 200) {
  auto entry = std::make_shared<Entry>();
  entry->body = Bytes{1, 2, 3};
  entry->meta.key = kKey;
  entry->meta.status = status;
  entry->meta.media_type = "image/webp";
  entry->meta.etag = "\"abc\"";
  entry->meta.tags = "sale";
  entry->meta.stored_unix_seconds = now;
  entry->meta.fresh_until_unix_seconds = now + 2'592'000;
  entry->meta.max_age_seconds = 86'400;
  return entry;
}

class SharedVariantsTest : public testing::Test {
 protected:
  SharedVariants with(bool read, Lease* leases = nullptr) {
    return SharedVariants(
        {.store = store, .write_back = write_back, .leases = leases, .clock = clock},
        {.read = read, .poll_ms = Milliseconds(1)});
  }
  SharedEntry find(SharedVariants& shared) {
    return run(shared.find(kKey, Deadline::after(clock, Milliseconds(10'000))));
  }
  std::optional<StoredVariant> stored() {
    auto found = run(store.get(kKey, Deadline{})).value();
    return found ? std::optional(*found) : std::nullopt;
  }

  SystemClock clock;
  MemoryVariantStore store;
  WriteBack write_back{store, {}, clock};
};

TEST_F(SharedVariantsTest, WritesBehindTheAnswer) {
  SharedVariants shared = with(false);
  shared.offer(variant(clock.unix_seconds()), clock.now());
  EXPECT_EQ(write_back.drain(Deadline::after(clock, Milliseconds(10'000))), 0u);
  auto kept = stored();
  ASSERT_TRUE(kept);
  EXPECT_EQ(*kept->bytes, (Bytes{1, 2, 3}));
  EXPECT_EQ(kept->media_type, "image/webp");
  // The edge keeps it for the 30 days that it is fresh, browsers for a day.
  EXPECT_EQ(kept->cache_control, "public, max-age=86400, s-maxage=2592000");
  EXPECT_EQ(kept->tags, "sale");
}

TEST_F(SharedVariantsTest, SharesNoFailures) {
  SharedVariants shared = with(false);
  Entry failure = *variant(clock.unix_seconds(), 404);
  failure.meta.error_code = "not-found";
  shared.offer(std::make_shared<const Entry>(failure), clock.now());
  Entry stale = *variant(clock.unix_seconds());
  stale.meta.is_stale = true;
  shared.offer(std::make_shared<const Entry>(stale), clock.now());
  EXPECT_EQ(write_back.drain(Deadline::after(clock, Milliseconds(10'000))), 0u);
  EXPECT_EQ(store.size(), 0u);
}

TEST_F(SharedVariantsTest, FindsWhatAnotherTaskMade) {
  SharedVariants maker = with(false), reader = with(true);
  maker.offer(variant(clock.unix_seconds()), clock.now());
  EXPECT_EQ(write_back.drain(Deadline::after(clock, Milliseconds(10'000))), 0u);
  EXPECT_EQ(find(maker), nullptr);  // not told to look
  SharedEntry found = find(reader);
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->body, (Bytes{1, 2, 3}));
  EXPECT_EQ(found->meta.etag, "\"abc\"");
  EXPECT_EQ(found->meta.max_age_seconds, 86'400);
}

TEST_F(SharedVariantsTest, TakesWhatIsNoLongerFreshForAbsent) {
  SharedVariants shared = with(true);
  shared.offer(variant(clock.unix_seconds() - 2'592'001), clock.now());
  EXPECT_EQ(write_back.drain(Deadline::after(clock, Milliseconds(10'000))), 0u);
  EXPECT_EQ(find(shared), nullptr);
}

TEST_F(SharedVariantsTest, AStoreThatFailsIsAsIfItWereNotThere) {
  SharedVariants shared = with(true);
  store.fail_with(ErrorCode::OriginFailed);
  EXPECT_EQ(find(shared), nullptr);
}

TEST_F(SharedVariantsTest, WaitsForTheTaskThatHoldsTheLease) {
  auto leases = std::make_shared<MemoryLeases>();
  MemoryLease first(leases, clock, "first"), second(leases, clock, "second");
  SharedVariants maker = with(false, &first), waiter = with(false, &second);
  EXPECT_EQ(find(maker), nullptr);  // the lease is its own: it makes the variant
  SharedEntry found;
  asio::io_context loop;
  auto wait = [&]() -> Task<> {
    found = co_await waiter.find(kKey, Deadline::after(clock, Milliseconds(10'000)));
  };
  auto finish = [&]() -> Task<> {
    co_await sleep_for(Milliseconds(20));
    maker.offer(variant(clock.unix_seconds()), clock.now());
  };
  asio::co_spawn(loop, wait(), asio::detached);
  asio::co_spawn(loop, finish(), asio::detached);
  loop.run();
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->meta.key, kKey);
}

TEST_F(SharedVariantsTest, TakesOverAtOnceFromATaskThatGaveUp) {
  auto leases = std::make_shared<MemoryLeases>();
  MemoryLease first(leases, clock, "first"), second(leases, clock, "second");
  SharedVariants maker = with(false, &first), other = with(false, &second);
  EXPECT_EQ(find(maker), nullptr);
  auto gone = maker.give_up(kKey, Deadline::after(clock, Milliseconds(1'000)));
  asio::io_context loop;
  asio::co_spawn(loop, std::move(gone), asio::detached);
  loop.run();
  EXPECT_EQ(find(other), nullptr);
  auto holder = run(second.acquire(kKey, Deadline{})).value();
  EXPECT_EQ(holder, Lease::Holder::Mine);
}

TEST_F(SharedVariantsTest, LeasesThatFailHoldUpNobody) {
  auto leases = std::make_shared<MemoryLeases>();
  MemoryLease lease(leases, clock, "first");
  lease.fail_with(ErrorCode::OriginFailed);
  SharedVariants shared = with(false, &lease);
  EXPECT_EQ(find(shared), nullptr);
}

}  // namespace
}  // namespace tintype
