// SPDX-License-Identifier: Apache-2.0
// Purges of the disk tier that look at more than a key's beginning.
#include <filesystem>

#include <gtest/gtest.h>

#include "cache/disk_testing.h"

namespace tintype {
namespace {

class DiskPurgeTest : public testing::Test {
 protected:
  std::unique_ptr<DiskTier> open() {
    auto opened = DiskTier::open(settings_, clock_);
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }
  void keep(DiskTier& tier, const std::string& key, const std::string& tags) {
    Entry entry = make_entry(key, 100, 0, clock_.unix_seconds());
    entry.meta.tags = tags;
    ASSERT_TRUE(tier.keep(entry));
  }
  static bool is_sale(const EntryMeta& meta) { return meta.tags == "sale"; }

  ScratchFolder folder_;
  DiskTierSettings settings_{.folder = folder_.path() + "/cache"};
  ManualClock clock_;
};

TEST_F(DiskPurgeTest, ATagGoesOfItsSiteAlone) {
  auto tier = open();
  for (int i = 0; i < 400; ++i) {
    keep(*tier, "/shop/" + std::to_string(i) + "/_/w-1.webp", i % 4 == 0 ? "sale" : "");
  }
  keep(*tier, "/shop2/a/_/w-1.webp", "sale");
  EXPECT_EQ(tier->count_if("/shop/", is_sale), 100u);
  EXPECT_EQ(tier->remove_if("/shop/", is_sale), 100u);
  EXPECT_EQ(tier->remove_if("/shop/", is_sale), 0u);
  EXPECT_EQ(tier->get("/shop/4/_/w-1.webp"), nullptr);
  EXPECT_NE(tier->get("/shop/5/_/w-1.webp"), nullptr);
  EXPECT_NE(tier->get("/shop2/a/_/w-1.webp"), nullptr);
  EXPECT_EQ(tier->state().entries, 301);
  EXPECT_EQ(variant_files(settings_.folder).size(), 301u);
}

TEST_F(DiskPurgeTest, TagsSurviveARestartAndALostCatalogue) {
  auto tier = open();
  keep(*tier, "/shop/a/_/w-1.webp", "sale");
  keep(*tier, "/shop/b/_/w-1.webp", "");
  tier.reset();
  for (const char* suffix : {"", "-wal", "-shm"}) {
    std::filesystem::remove(settings_.folder + "/catalogue.sqlite" + suffix);
  }
  tier = open();
  ASSERT_TRUE(wait_until_reconciled(*tier));
  EXPECT_EQ(tier->get("/shop/a/_/w-1.webp")->meta.tags, "sale");
  EXPECT_EQ(tier->remove_if("/shop/", is_sale), 1u);
  EXPECT_NE(tier->get("/shop/b/_/w-1.webp"), nullptr);
}

// Rows that would tell are not there yet: rather all below the prefix than too few.
TEST_F(DiskPurgeTest, APurgeWhileReconcilingHolds) {
  auto tier = open();
  for (int i = 0; i < 600; ++i) keep(*tier, "/shop/" + std::to_string(i), i == 0 ? "sale" : "");
  keep(*tier, "/shop2/a", "sale");
  tier.reset();
  std::filesystem::remove(settings_.folder + "/catalogue.sqlite");
  tier = open();
  tier->remove_if("/shop/", is_sale);
  EXPECT_EQ(tier->get("/shop/0"), nullptr);
  ASSERT_TRUE(wait_until_reconciled(*tier));
  EXPECT_EQ(tier->get("/shop/0"), nullptr);
  EXPECT_NE(tier->get("/shop2/a"), nullptr);
}

TEST_F(DiskPurgeTest, ThePredicateSeesKeySiteAndSource) {
  auto tier = open();
  keep(*tier, "/shop/a/_/w-1.webp", "t");
  auto sees = [](const EntryMeta& meta) {
    return meta.key == "/shop/a/_/w-1.webp" && meta.site == "shop" && meta.source == "/shop/a" &&
           meta.tags == "t";
  };
  EXPECT_EQ(tier->count_if("", sees), 1u);
}

}  // namespace
}  // namespace tintype
