// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge.h"

#include <filesystem>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "delivery/guarded_store.h"

namespace tintype {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using What = PurgeOrder::What;

constexpr const char* kPolicy = R"(
sites:
  shop:
    origin: {folder: /pictures}
    presets:
      card: "w=400&h=500&fit=cover"
  other:
    origin: {folder: /pictures}
)";

// One service task with its tiers; store, edge and feed are what the tasks share.
struct ServiceTask {
  ServiceTask(PolicyStore& policies, const Clock& clock, VariantStore* store, PurgeFeed* feed,
              EdgeInvalidation edge)
      : log(clock) {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "tintype-purge-XXXXXX").string();
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    disk = std::move(*DiskTier::open({.folder = folder + "/cache"}, clock));
    // Until then a purge by tag takes the whole site.
    while (disk->state().is_reconciling) std::this_thread::sleep_for(Milliseconds(1));
    PurgeParts parts{.policies = policies,
                     .log = log,
                     .memory = memory,
                     .disk = disk.get(),
                     .blocking = blocking,
                     .clock = clock,
                     .store = store,
                     .feed = feed,
                     .edge = std::move(edge)};
    parts.forget_sources = [this](std::string site, std::string prefix) -> Task<std::uint64_t> {
      forgotten.push_back(site + ":" + prefix);
      co_return 1;
    };
    parts.on_done = [this](const PurgeReport& report) { done.push_back(report); };
    PurgeSettings settings;
    settings.propagation_margin_ms = Milliseconds(20);
    settings.max_edge_paths = 3;
    purger = std::make_unique<Purger>(std::move(parts), settings);
  }
  ~ServiceTask() {
    disk.reset();
    std::filesystem::remove_all(folder);
  }

  PurgeReport purge(PurgeOrder order) {
    auto progress = purger->prepare(std::move(order), {.by = "token:1", .client = "192.0.2.1"});
    EXPECT_TRUE(progress) << progress.error().detail;
    asio::io_context loop;
    asio::co_spawn(loop, purger->run(*progress), asio::detached);
    loop.run();
    return (*progress)->report();
  }
  void keep(const std::string& key, const std::string& tags = "") {
    auto entry = std::make_shared<Entry>();
    entry->meta.key = key;
    entry->meta.site = key.substr(1, key.find('/', 1) - 1);
    entry->meta.tags = tags;
    entry->meta.fresh_until_unix_seconds = 4'000'000'000;
    entry->body = {1, 2, 3};
    memory.keep(entry);
    EXPECT_TRUE(disk->keep(*entry));
  }
  bool has(const std::string& key) { return memory.get(key) != nullptr && disk->get(key); }
  bool lacks(const std::string& key) { return memory.get(key) == nullptr && !disk->get(key); }

  std::string folder;
  PurgeLog log;
  MemoryTier memory{1'000'000, 1};
  std::unique_ptr<DiskTier> disk;
  asio::thread_pool blocking{1};
  std::vector<std::string> forgotten;
  std::vector<PurgeReport> done;
  std::unique_ptr<Purger> purger;
};

class PurgeTest : public testing::Test {
 protected:
  void SetUp() override { policies_ = std::make_unique<FixedPolicy>(*parse_policy(kPolicy, "/")); }
  std::unique_ptr<ServiceTask> task(bool with_store = true, PurgeFeed* feed = nullptr) {
    VariantStore* store = with_store ? &store_ : nullptr;
    auto edge = [this](std::vector<std::string> paths, std::string reference) -> Task<Result<>> {
      for (std::string& path : paths) edge_paths_.insert(std::move(path));
      references_.push_back(std::move(reference));
      store_size_at_edge_ = store_.size();
      co_return Result<>{};
    };
    return std::make_unique<ServiceTask>(*policies_, clock_, store, feed, edge);
  }
  void store(const std::string& key, const std::string& tags = "") {
    PurgeLog nothing(clock_);
    GuardedVariantStore guarded(store_, nothing);
    StoredVariant variant;
    variant.key = key;
    variant.bytes = share({1});
    variant.tags = tags;
    EXPECT_TRUE(run_to_end(guarded.keep(std::move(variant), true, Deadline{})));
  }
  std::vector<std::string> stored() { return *run_to_end(store_.list("/", "", Deadline{})); }

  ManualClock clock_;
  std::unique_ptr<FixedPolicy> policies_;
  MemoryVariantStore store_;
  std::set<std::string> edge_paths_;
  std::vector<std::string> references_;
  std::size_t store_size_at_edge_ = 99;
};

constexpr const char *kA = "/shop/a.jpg/_/w-4.webp", *kA2 = "/shop/a.jpg/_/w-8.webp",
                     *kB = "/shop/b.jpg/_/w-4.webp", *kOther = "/other/a.jpg/_/w-4.webp";

TEST_F(PurgeTest, ASourceGoesEverywhereAndTheEdgeIsLast) {
  auto one = task();
  for (const char* key : {kA, kA2, kB, kOther}) {
    one->keep(key);
    store(key);
  }
  std::uint64_t before = one->log.now();
  PurgeReport report = one->purge({.site = "shop", .what = What::Source, .value = "a.jpg"});
  EXPECT_EQ(report.state, PurgeReport::State::Done) << report.error;
  EXPECT_EQ(report.counts.memory, 2u);
  EXPECT_EQ(report.counts.disk, 2u);
  EXPECT_EQ(report.counts.store, 2u);
  EXPECT_EQ(report.counts.edge_paths, 1u);
  EXPECT_EQ(report.counts.sources, 2u);  // before the store, and behind it
  EXPECT_TRUE(one->lacks(kA) && one->lacks(kA2) && one->has(kB) && one->has(kOther));
  EXPECT_THAT(stored(), ElementsAre(kOther, kB));
  EXPECT_THAT(edge_paths_, ElementsAre("/shop/a.jpg/_/*"));
  EXPECT_EQ(store_size_at_edge_, 2u) << "the edge was asked before the store was clean";
  EXPECT_THAT(one->forgotten, Contains("shop:a.jpg"));
  EntryMeta meta;
  meta.key = kA;
  EXPECT_TRUE(one->log.was_purged_since(before, meta));
  ASSERT_EQ(one->done.size(), 1u);
  EXPECT_EQ(one->done[0].by, "token:1");
  EXPECT_TRUE(report.step.empty());
}

TEST_F(PurgeTest, ADryRunCountsTheSameAndRemovesNothing) {
  auto one = task();
  for (const char* key : {kA, kA2, kB}) {
    one->keep(key, "sale");
    store(key, "sale");
  }
  for (PurgeOrder order : {PurgeOrder{.site = "shop", .what = What::Source, .value = "a.jpg"},
                           PurgeOrder{.site = "shop", .what = What::Tag, .value = "sale"},
                           PurgeOrder{.site = "shop", .what = What::All},
                           PurgeOrder{.site = "shop", .what = What::Prefix, .value = "a"}}) {
    order.dry_run = true;
    std::uint64_t before = one->log.now();
    auto objects = stored();
    PurgeReport dry = one->purge(order);
    EXPECT_EQ(one->log.now(), before);
    EXPECT_TRUE(one->has(kA) && one->has(kB));
    EXPECT_EQ(stored(), objects);
    EXPECT_THAT(edge_paths_, IsEmpty());
    EXPECT_THAT(one->forgotten, IsEmpty());
    order.dry_run = false;
    PurgeReport real = one->purge(order);
    EXPECT_EQ(dry.counts.memory, real.counts.memory) << describe(order);
    EXPECT_EQ(dry.counts.disk, real.counts.disk) << describe(order);
    EXPECT_EQ(dry.counts.store, real.counts.store) << describe(order);
    EXPECT_EQ(dry.counts.edge_paths, real.counts.edge_paths) << describe(order);
    EXPECT_GT(real.counts.store, 0u);
    // As it was, for the next.
    edge_paths_.clear();
    one->forgotten.clear();
    for (const char* key : {kA, kA2, kB}) {
      one->keep(key, "sale");
      store(key, "sale");
    }
  }
}

TEST_F(PurgeTest, ATagGoesByItsMarkersWhichStay) {
  auto one = task();
  one->keep(kA, "sale");
  one->keep(kB, "new");
  store(kA, "new sale");
  store(kA2, "sale");
  store(kB, "new");
  store(kOther, "sale");
  PurgeReport report = one->purge({.site = "shop", .what = What::Tag, .value = "sale"});
  EXPECT_EQ(report.state, PurgeReport::State::Done) << report.error;
  EXPECT_EQ(report.counts.store, 2u);
  EXPECT_EQ(report.counts.disk, 1u);
  EXPECT_TRUE(one->lacks(kA) && one->has(kB));
  EXPECT_THAT(stored(), ElementsAre("/_tags/other/sale/a.jpg", "/_tags/shop/new/a.jpg",
                                    "/_tags/shop/new/b.jpg", "/_tags/shop/sale/a.jpg", kOther, kB));
  EXPECT_THAT(edge_paths_, ElementsAre("/shop/a.jpg/_/*"));
  // A marker whose variants are gone does no harm, and a repeated purge finds the edge's paths.
  report = one->purge({.site = "shop", .what = What::Tag, .value = "sale"});
  EXPECT_EQ(report.counts.store, 0u);
  EXPECT_THAT(edge_paths_, testing::Contains("/shop/a.jpg/_/*"));
  report = one->purge({.site = "shop", .what = What::Tag, .value = "new"});
  EXPECT_EQ(report.counts.store, 1u);
}

TEST_F(PurgeTest, ATagOfManySourcesIsOneWildcardAtTheEdge) {
  auto one = task();
  for (int i = 0; i < 5; ++i) {
    store("/shop/p/47" + std::to_string(i) + "/a.jpg/_/w-4.webp", "sale");
  }
  one->purge({.site = "shop", .what = What::Tag, .value = "sale"});
  EXPECT_THAT(edge_paths_, ElementsAre("/shop/p/*"));
}

// Nobody knows which sources carry it where there is no store to tell.
TEST_F(PurgeTest, ATagWithoutAStoreIsTheWholeSiteAtTheEdge) {
  auto one = task(false);
  one->keep(kA, "sale");
  PurgeReport report = one->purge({.site = "shop", .what = What::Tag, .value = "sale"});
  EXPECT_EQ(report.counts.memory, 1u);
  EXPECT_THAT(edge_paths_, ElementsAre("/shop/*"));
}

TEST_F(PurgeTest, APresetGoesByItsShape) {
  auto one = task();
  std::string card = "/shop/a.jpg/_/fit-cover_h-500_w-400.webp";
  for (const std::string& key : {card, std::string(kB)}) {
    one->keep(key);
    store(key);
  }
  PurgeReport report = one->purge({.site = "shop", .what = What::Preset, .value = "card"});
  EXPECT_EQ(report.counts.disk, 1u);
  EXPECT_EQ(report.counts.store, 1u);
  EXPECT_TRUE(one->lacks(card) && one->has(kB));
  EXPECT_THAT(stored(), ElementsAre(kB));
  EXPECT_THAT(one->forgotten, IsEmpty());
}

TEST_F(PurgeTest, ASiteGoesWithMoreThanOnePageOfVariants) {
  auto one = task();
  for (int i = 0; i < 2'100; ++i) {
    store("/shop/" + std::to_string(i) + ".jpg/_/w-4.webp", "");
  }
  store(kOther);
  PurgeReport report = one->purge({.site = "shop", .what = What::All});
  EXPECT_EQ(report.counts.store, 2'100u);
  EXPECT_THAT(stored(), ElementsAre(kOther));
}

TEST_F(PurgeTest, WhenTheStoreFailsTheEdgeIsLeftAloneAndARepetitionGoesOn) {
  auto one = task();
  one->keep(kA);
  store(kA);
  store_.fail_with(ErrorCode::Timeout);
  PurgeOrder order{.site = "shop", .what = What::Source, .value = "a.jpg", .id = "same"};
  PurgeReport report = one->purge(order);
  EXPECT_EQ(report.state, PurgeReport::State::Failed);
  EXPECT_THAT(report.error, HasSubstr("store: timeout"));
  EXPECT_THAT(report.error, HasSubstr("Send the same order again"));
  EXPECT_THAT(references_, IsEmpty());
  EXPECT_TRUE(one->lacks(kA));
  store_.fail_with(std::nullopt);
  report = one->purge(order);
  EXPECT_EQ(report.state, PurgeReport::State::Done);
  EXPECT_EQ(report.counts.store, 1u);
  EXPECT_THAT(references_, ElementsAre("same"));
}

TEST_F(PurgeTest, OtherTasksClearTheirTiersByTheFeedBeforeTheStoreGoes) {
  MemoryPurgeFeed feed(Milliseconds(5));
  auto one = task(true, &feed), two = task(true, &feed);
  EXPECT_TRUE(run_to_end(two->purger->read_feed()));  // the present end
  for (ServiceTask* each : {one.get(), two.get()}) {
    each->keep(kA);
    each->keep(kB);
  }
  store(kA);
  std::uint64_t before = two->log.now();
  PurgeReport report = one->purge({.site = "shop", .what = What::Source, .value = "a.jpg"});
  EXPECT_EQ(report.state, PurgeReport::State::Done) << report.error;
  EXPECT_EQ(*run_to_end(two->purger->read_feed()), 1u);
  EXPECT_TRUE(two->lacks(kA) && two->has(kB));
  EntryMeta meta;
  meta.key = kA;
  EXPECT_TRUE(two->log.was_purged_since(before, meta));
  EXPECT_EQ(*run_to_end(two->purger->read_feed()), 0u);
  EXPECT_EQ(references_.size(), 1u) << "the edge is for the task that took the order";
  EXPECT_THAT(two->done, IsEmpty());
  // Its own order does not come back to it.
  EXPECT_EQ(feed.size(), 1u);
}

TEST_F(PurgeTest, AnOwnOrderFromTheFeedIsNotCarriedOutAgain) {
  MemoryPurgeFeed feed(Milliseconds(5));
  auto one = task(true, &feed);
  EXPECT_TRUE(run_to_end(one->purger->read_feed()));
  one->purge({.site = "shop", .what = What::Source, .value = "a.jpg"});
  EXPECT_EQ(*run_to_end(one->purger->read_feed()), 0u);
}

TEST_F(PurgeTest, WhenTheFeedFailsNothingSharedIsTouched) {
  MemoryPurgeFeed feed(Milliseconds(5));
  auto one = task(true, &feed);
  store(kA);
  feed.fail(true);
  PurgeReport report = one->purge({.site = "shop", .what = What::Source, .value = "a.jpg"});
  EXPECT_EQ(report.state, PurgeReport::State::Failed);
  EXPECT_THAT(report.error, HasSubstr("other tasks"));
  EXPECT_THAT(stored(), ElementsAre(kA));
  EXPECT_FALSE(run_to_end(one->purger->read_feed()));
}

// The policy that the order was made for has not come here yet, or has gone.
TEST_F(PurgeTest, AnOrderThatThisTaskDoesNotUnderstandTakesTheSite) {
  MemoryPurgeFeed feed(Milliseconds(5));
  auto one = task(true, &feed);
  EXPECT_TRUE(run_to_end(one->purger->read_feed()));
  one->keep(kA);
  one->keep(kOther);
  PurgeOrder order{.site = "shop", .what = What::Preset, .value = "unheard-of", .id = "x"};
  EXPECT_TRUE(run_to_end(feed.append(order, Deadline{})));
  EXPECT_EQ(*run_to_end(one->purger->read_feed()), 1u);
  EXPECT_TRUE(one->lacks(kA) && one->has(kOther));
}

TEST(EdgePaths, AreTidiedAndGivenUpForOneWildcard) {
  EXPECT_THAT(tidy_edge_paths({"/b/x/*", "/a/*", "/a/c/*", "/a/*", "/b/x/y"}, 9),
              ElementsAre("/a/*", "/b/x/*"));
  EXPECT_THAT(tidy_edge_paths({"/s/p/1/*", "/s/p/2/*", "/_/ask/*", "/s/p/3/*"}, 3),
              ElementsAre("/_/ask/*", "/s/p/*"));
  EXPECT_THAT(tidy_edge_paths({}, 3), IsEmpty());
}

}  // namespace
}  // namespace tintype
