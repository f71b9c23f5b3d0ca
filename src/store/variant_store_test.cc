// SPDX-License-Identifier: Apache-2.0
#include "store/variant_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace tintype {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Kept = VariantStore::Kept;

StoredVariant variant(const std::string& key, std::uint8_t content = 1) {
  StoredVariant made;
  made.key = key;
  made.bytes = share(Bytes{content});
  return made;
}

TEST(MemoryVariantStore, KeepsTheFirstUnlessToldToReplace) {
  MemoryVariantStore store;
  EXPECT_EQ(run(store.keep(variant("/a", 1), false, {})), Kept::New);
  EXPECT_EQ(run(store.keep(variant("/a", 2), false, {})), Kept::AlreadyThere);
  EXPECT_THAT(*run(store.get("/a", {})).value()->bytes, ElementsAre(1));
  EXPECT_EQ(run(store.keep(variant("/a", 3), true, {})), Kept::New);
  EXPECT_THAT(*run(store.get("/a", {})).value()->bytes, ElementsAre(3));
  EXPECT_EQ(run(store.get("/b", {})).value(), nullptr);
}

TEST(MemoryVariantStore, ListsByPrefixInOrderAndInPages) {
  MemoryVariantStore store;
  for (int i = 0; i < 1'500; ++i) {
    run(store.keep(variant("/a/" + std::to_string(10'000 + i)), false, {})).value();
  }
  run(store.keep(variant("/b"), false, {})).value();
  auto first = run(store.list("/a/", "", {})).value();
  ASSERT_EQ(first.size(), 1'000u);
  EXPECT_EQ(first.front(), "/a/10000");
  auto second = run(store.list("/a/", first.back(), {})).value();
  ASSERT_EQ(second.size(), 500u);
  EXPECT_EQ(second.front(), "/a/11000");
  EXPECT_THAT(run(store.list("/b", "", {})).value(), ElementsAre("/b"));
  EXPECT_THAT(run(store.list("/b", "/b", {})).value(), IsEmpty());
}

TEST(MemoryVariantStore, RemovesAndFailsWhenTold) {
  MemoryVariantStore store;
  run(store.keep(variant("/a"), false, {})).value();
  store.fail_with(ErrorCode::OriginFailed);
  EXPECT_EQ(run(store.get("/a", {})).error().code, ErrorCode::OriginFailed);
  EXPECT_FALSE(run(store.keep(variant("/b"), false, {})));
  EXPECT_FALSE(run(store.remove({"/a"}, {})));
  EXPECT_FALSE(run(store.list("", "", {})));
  store.fail_with(std::nullopt);
  EXPECT_TRUE(run(store.remove({"/a", "/absent"}, {})));
  EXPECT_EQ(store.size(), 0u);
}

}  // namespace
}  // namespace tintype
