// SPDX-License-Identifier: Apache-2.0
#include "cache/entry_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cache/disk_folder.h"
#include "cache/disk_testing.h"

namespace tintype {
namespace {

Descriptor file_with(const std::string& content) {
  Descriptor file(::memfd_create("entry", MFD_CLOEXEC));
  if (::write(file.number(), content.data(), content.size()) !=
      static_cast<ssize_t>(content.size())) {
    return Descriptor();
  }
  return file;
}

std::string encode(const Entry& entry) {
  return encode_entry_head(entry.meta, entry.body) + std::string(text_of(entry.body));
}

Entry full_entry() {
  Entry entry = make_entry("/shop/a b.jpg/_/w-600.webp", 5000, 7);
  entry.meta.status = 200;
  entry.meta.modified_unix_seconds = -5;
  entry.meta.max_age_seconds = 31'536'000;
  entry.meta.retry_after_seconds = 3;
  entry.meta.error_code = "busy";
  entry.meta.tags = "sale sku-4711";
  entry.meta.render_weight = 1.25;
  return entry;
}

void expect_equal(const EntryMeta& a, const EntryMeta& b) {
  EXPECT_EQ(a.key, b.key);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.media_type, b.media_type);
  EXPECT_EQ(a.etag, b.etag);
  EXPECT_EQ(a.site, b.site);
  EXPECT_EQ(a.source, b.source);
  EXPECT_EQ(a.modified_unix_seconds, b.modified_unix_seconds);
  EXPECT_EQ(a.stored_unix_seconds, b.stored_unix_seconds);
  EXPECT_EQ(a.fresh_until_unix_seconds, b.fresh_until_unix_seconds);
  EXPECT_EQ(a.max_age_seconds, b.max_age_seconds);
  EXPECT_EQ(a.retry_after_seconds, b.retry_after_seconds);
  EXPECT_EQ(a.error_code, b.error_code);
  EXPECT_EQ(a.render_weight, b.render_weight);
  EXPECT_EQ(a.tags, b.tags);
}

TEST(EntryFile, ReadsWhatWasWritten) {
  Entry entry = full_entry();
  Descriptor file = file_with(encode(entry));
  auto read = read_entry(file.number());
  ASSERT_TRUE(read) << read.error().message;
  expect_equal(read->meta, entry.meta);
  EXPECT_EQ(read->body, entry.body);
  auto head = read_entry_head(file.number());
  ASSERT_TRUE(head);
  expect_equal(head->meta, entry.meta);
  EXPECT_EQ(head->file_bytes, encode(entry).size());
}

// Files without tags are what they were before there were tags, so those from then can be read.
TEST(EntryFile, TagsTakeNoRoomWhereThereAreNone) {
  Entry entry = full_entry();
  std::size_t with_tags = encode(entry).size();
  std::size_t tags_bytes = entry.meta.tags.size();
  entry.meta.tags.clear();
  EXPECT_EQ(encode(entry).size() + 4 + tags_bytes, with_tags);
  auto read = read_entry(file_with(encode(entry)).number());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->meta.tags, "");
}

TEST(EntryFile, AnySizeOfHeadAndBodyComesBack) {
  EXPECT_TRUE(rc::check("round trip", [](std::string media_type) {
    std::string key(*rc::gen::inRange<std::size_t>(1, 9000), 'k');
    Entry entry = make_entry(key, *rc::gen::inRange<std::size_t>(0, 10'000));
    entry.meta.media_type = media_type;
    Descriptor file = file_with(encode(entry));
    auto read = read_entry(file.number());
    RC_ASSERT(read.has_value());
    RC_ASSERT(read->meta.key == key && read->meta.media_type == media_type);
    RC_ASSERT(read->body == entry.body);
  }));
}

TEST(EntryFile, EveryFlippedByteIsFoundOut) {
  Entry entry = full_entry();
  const std::string good = encode(entry);
  std::size_t head_bytes = good.size() - entry.body.size();
  for (std::size_t at = 0; at < good.size(); at += at < head_bytes ? 1 : 97) {
    for (int bit : {0, 7}) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ (1 << bit));
      auto read = read_entry(file_with(bad).number());
      ASSERT_FALSE(read) << "byte " << at;
      ASSERT_EQ(read.error().code, ErrorCode::Corrupt) << "byte " << at;
    }
  }
}

TEST(EntryFile, EveryLengthButTheRightOneIsFoundOut) {
  Entry entry = full_entry();
  const std::string good = encode(entry);
  for (std::size_t size = 0; size < good.size(); size += size < 400 ? 1 : 101) {
    auto read = read_entry(file_with(good.substr(0, size)).number());
    ASSERT_FALSE(read) << size;
    ASSERT_EQ(read.error().code, ErrorCode::Corrupt);
  }
  EXPECT_FALSE(read_entry(file_with(good + "x").number()));
  EXPECT_FALSE(read_entry_head(file_with(good + "x").number()));
}

TEST(EntryFile, ZeroedPagesAreFoundOut) {
  Entry entry = full_entry();
  std::string bad = encode(entry);
  std::fill(bad.begin() + 4096, bad.end(), '\0');  // what a power cut leaves of an unsynced file
  EXPECT_FALSE(read_entry(file_with(bad).number()));
  EXPECT_FALSE(read_entry(file_with(std::string(bad.size(), '\0')).number()));
}

TEST(EntryFile, HostileLengthsDoNotAllocate) {
  std::string bad = encode(full_entry());
  for (std::size_t at : {4, 5, 6, 7, 8, 12, 15}) {
    std::string worse = bad;
    worse[at] = '\xff';
    auto read = read_entry(file_with(worse).number());
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, ErrorCode::Corrupt);
  }
}

TEST(EntryFile, AFailedReadIsNotDamage) {
  auto read = read_entry(-1);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::Internal);
}

}  // namespace
}  // namespace tintype
