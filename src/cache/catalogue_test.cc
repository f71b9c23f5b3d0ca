// SPDX-License-Identifier: Apache-2.0
#include "cache/catalogue.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sqlite3.h>

#include "cache/disk_testing.h"

namespace tintype {
namespace {

CatalogueRow row_of(const std::string& key, std::int64_t size_bytes = 4096, std::int64_t used = 0) {
  CatalogueRow row;
  row.name = sha256(view_of(key));
  row.key = key;
  row.site = "shop";
  row.source = "/a.jpg";
  row.size_bytes = size_bytes;
  row.stored_unix_seconds = row.used_unix_seconds = used;
  row.fresh_until_unix_seconds = used + 100;
  return row;
}

class CatalogueTest : public testing::Test {
 protected:
  std::unique_ptr<Catalogue> open(bool is_suspect = false) {
    auto opened = Catalogue::open(file_, is_suspect);
    if (opened) return std::move(*opened);
    error_ = opened.error();
    return nullptr;
  }
  ScratchFolder folder_;
  std::string file_ = folder_.path() + "/catalogue.sqlite";
  Error error_;
};

TEST_F(CatalogueTest, TotalsFollowAddReplaceRemoveAndReopen) {
  auto catalogue = open();
  ASSERT_NE(catalogue, nullptr);
  EXPECT_TRUE(catalogue->was_missing());
  ASSERT_TRUE(catalogue->add(row_of("/a", 4096)));
  ASSERT_TRUE(catalogue->add(row_of("/b", 8192)));
  ASSERT_TRUE(catalogue->add(row_of("/a", 12288)));
  EXPECT_EQ(catalogue->entries(), 2);
  EXPECT_EQ(catalogue->bytes(), 20480);
  catalogue.reset();
  catalogue = open(true);
  ASSERT_NE(catalogue, nullptr);
  EXPECT_FALSE(catalogue->was_missing());
  EXPECT_EQ(catalogue->bytes(), 20480);
  std::vector<CatalogueItem> items = {{row_of("/a").name, 0}, {row_of("/not-there").name, 0}};
  ASSERT_TRUE(catalogue->remove(items));
  EXPECT_EQ(catalogue->entries(), 1);
  EXPECT_EQ(catalogue->bytes(), 8192);
  EXPECT_FALSE(*catalogue->holds(row_of("/a").name));
  EXPECT_TRUE(*catalogue->holds(row_of("/b").name));
}

TEST_F(CatalogueTest, LeastRecentlyUsedFollowsNotes) {
  auto catalogue = open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(catalogue->add(row_of("/" + std::to_string(i), 4096, i)));
  std::vector<CatalogueUse> uses = {{row_of("/0").name, 50, 3}, {row_of("/2").name, 1, 1}};
  ASSERT_TRUE(catalogue->note(uses));
  auto items = catalogue->least_recently_used(5);
  ASSERT_TRUE(items);
  std::vector<Sha256> order;
  for (const auto& item : *items) order.push_back(item.name);
  std::vector<Sha256> expected;
  for (const char* key : {"/1", "/2", "/3", "/4", "/0"}) expected.push_back(row_of(key).name);
  EXPECT_EQ(order, expected);  // an older use does not set "/2" back
}

TEST_F(CatalogueTest, FindsWhatIsNoLongerFresh) {
  auto catalogue = open();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(catalogue->add(row_of("/" + std::to_string(i), 4096, i)));
  EXPECT_EQ(catalogue->fresh_until_before(100, 10)->size(), 0u);
  EXPECT_EQ(catalogue->fresh_until_before(103, 10)->size(), 3u);
  EXPECT_EQ(catalogue->fresh_until_before(200, 2)->size(), 2u);
}

TEST_F(CatalogueTest, WalksInTheOrderOfNames) {
  auto catalogue = open();
  std::set<Sha256> names;
  for (int i = 0; i < 50; ++i) {
    CatalogueRow row = row_of("/" + std::to_string(i));
    names.insert(row.name);
    ASSERT_TRUE(catalogue->add(row));
  }
  std::vector<Sha256> seen;
  for (Sha256 last{}; true;) {
    auto items = catalogue->after(last, 7);
    ASSERT_TRUE(items);
    if (items->empty()) break;
    for (const auto& item : *items) seen.push_back(item.name);
    last = seen.back();
  }
  EXPECT_EQ(seen, std::vector<Sha256>(names.begin(), names.end()));
}

TEST_F(CatalogueTest, PrefixIsExactForAnyBytes) {
  auto catalogue = open();
  auto any_key = rc::gen::container<std::string>(
      rc::gen::element('a', 'b', '/', '_', '\x01', '\x7f', '\xc3', '\xff'));
  std::set<std::string> keys;
  for (const char* key : {"/shop/a.jpg/_/w-1.webp", "/shop/a.jpg2/_/w-1.webp", "/shop/a.jpg"}) {
    keys.insert(key);
    ASSERT_TRUE(catalogue->add(row_of(key)));
  }
  EXPECT_EQ(catalogue->with_prefix("/shop/a.jpg/_/", 10)->size(), 1u);
  EXPECT_EQ(catalogue->with_prefix("/shop/a.jpg", 10)->size(), 3u);
  EXPECT_EQ(catalogue->with_prefix("", 10)->size(), 3u);
  EXPECT_TRUE(rc::check("same as starts_with", [&] {
    std::string key = *any_key;
    if (!key.empty() && keys.insert(key).second) RC_ASSERT(catalogue->add(row_of(key)).has_value());
    std::string prefix = *any_key;
    auto expected = std::count_if(keys.begin(), keys.end(), [&](const std::string& held) {
      return held.starts_with(prefix);
    });
    auto found = catalogue->with_prefix(prefix, 1'000'000);
    RC_ASSERT(found.has_value());
    RC_ASSERT(static_cast<std::ptrdiff_t>(found->size()) == expected);
  }));
}

TEST_F(CatalogueTest, GarbageIsCorrupt) {
  spill(file_, std::string(20'000, 'x'));
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(error_.code, ErrorCode::Corrupt);
}

TEST_F(CatalogueTest, ADamagedPageIsFoundBySuspicion) {
  {
    auto catalogue = open();
    for (int i = 0; i < 2000; ++i) ASSERT_TRUE(catalogue->add(row_of("/" + std::to_string(i))));
  }
  std::string content = slurp(file_);
  ASSERT_GT(content.size(), 100'000u);
  for (std::size_t page = 2; page < 20; ++page) {
    std::fill_n(content.begin() + static_cast<std::ptrdiff_t>(page * 4096), 2000, '\x5a');
  }
  spill(file_, content);
  EXPECT_EQ(open(true), nullptr);
  EXPECT_EQ(error_.code, ErrorCode::Corrupt);
  Catalogue::destroy(file_);
  auto fresh = open(true);
  ASSERT_NE(fresh, nullptr);
  EXPECT_EQ(fresh->entries(), 0);
}

TEST_F(CatalogueTest, AFolderThatIsNotThereIsInternal) {
  file_ = folder_.path() + "/none/catalogue.sqlite";
  EXPECT_EQ(open(), nullptr);
  EXPECT_EQ(error_.code, ErrorCode::Internal);
}

TEST_F(CatalogueTest, RowsOfAPrefixComeInOrderWithTheirTags) {
  auto catalogue = open();
  ASSERT_NE(catalogue, nullptr);
  for (const char* key : {"/shop/b", "/shop/a", "/shop/c", "/other/a", "/shoq"}) {
    CatalogueRow row = row_of(key);
    row.tags = std::string("tag-of-") + key;
    ASSERT_TRUE(catalogue->add(row));
  }
  std::vector<std::string> seen;
  std::string after;
  while (true) {
    auto rows = catalogue->rows_with_prefix("/shop/", after, 2);
    ASSERT_TRUE(rows);
    if (rows->empty()) break;
    for (const CatalogueRow& row : *rows) {
      EXPECT_EQ(row.tags, "tag-of-" + row.key);
      EXPECT_EQ(row.site, "shop");
      EXPECT_EQ(row.name, row_of(row.key).name);
      seen.push_back(row.key);
    }
    after = rows->back().key;
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"/shop/a", "/shop/b", "/shop/c"}));
  EXPECT_EQ(catalogue->rows_with_prefix("", "", 100)->size(), 5u);
}

// As written before there were tags.
TEST_F(CatalogueTest, AnOlderFileIsMigratedAndKeepsItsRows) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(file_.c_str(), &database), SQLITE_OK);
  const char* old =
      "CREATE TABLE variant (name BLOB PRIMARY KEY, key TEXT NOT NULL, site TEXT NOT NULL, "
      "source TEXT NOT NULL, size_bytes INTEGER NOT NULL, stored INTEGER NOT NULL, "
      "fresh_until INTEGER NOT NULL, last_used INTEGER NOT NULL, "
      "hits INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;"
      "INSERT INTO variant VALUES (zeroblob(32), '/shop/old', 'shop', 'old', 4096, 1, 2, 3, 4)";
  ASSERT_EQ(sqlite3_exec(database, old, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  for (int time = 0; time < 2; ++time) {  // the second open finds it migrated
    auto catalogue = open();
    ASSERT_NE(catalogue, nullptr) << error_.message;
    EXPECT_FALSE(catalogue->was_missing());
    auto rows = catalogue->rows_with_prefix("/shop/", "", 10);
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->size(), 1u);
    EXPECT_EQ((*rows)[0].key, "/shop/old");
    EXPECT_EQ((*rows)[0].tags, "");
    EXPECT_EQ(catalogue->bytes(), 4096);
  }
  CatalogueRow row = row_of("/shop/new");
  row.tags = "sale";
  auto catalogue = open();
  ASSERT_TRUE(catalogue->add(row));
  EXPECT_EQ((*catalogue->rows_with_prefix("/shop/n", "", 10))[0].tags, "sale");
}

}  // namespace
}  // namespace tintype
