// SPDX-License-Identifier: Apache-2.0
#include "cache/entry_file.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <string_view>

#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"

namespace tintype {
namespace {

constexpr std::string_view kMagic = "TTV1";
constexpr std::size_t kFixedBytes = 32;
constexpr std::size_t kHashBytes = 16;
// A canonical path is some 8 KB at most (the request line's limit), and stands here once; the rest
// is small.
constexpr std::size_t kMaxMetaBytes = 256 * 1024;
// The first read takes the head of almost every file and the whole of small ones.
constexpr std::size_t kFirstReadBytes = 4096;

template <class N>
void put_number(std::string& out, N value) {
  for (std::size_t i = 0; i < sizeof(N); ++i) {
    out += static_cast<char>(value >> (8 * i) & 0xff);
  }
}
void put_text(std::string& out, std::string_view text) {
  put_number(out, static_cast<std::uint32_t>(text.size()));
  out += text;
}
void put_hash(std::string& out, const Hash128& hash) {
  put_number(out, hash.high);
  put_number(out, hash.low);
}

// Takes fields from the front; after the first that does not fit, `good` is false and all are
// empty.
struct Reader {
  ByteView rest;
  bool good = true;

  ByteView take(std::size_t size) {
    if (size > rest.size()) {
      good = false;
      rest = {};
      return {};
    }
    ByteView taken = rest.first(size);
    rest = rest.subspan(size);
    return taken;
  }
  template <class N>
  N number() {
    N value = 0;
    ByteView bytes = take(sizeof(N));
    for (std::size_t i = 0; i < bytes.size(); ++i) value |= static_cast<N>(bytes[i]) << (8 * i);
    return value;
  }
  std::int64_t signed_number() { return static_cast<std::int64_t>(number<std::uint64_t>()); }
  std::string text() { return std::string(text_of(take(number<std::uint32_t>()))); }
  Hash128 hash() {
    auto high = number<std::uint64_t>();
    return {high, number<std::uint64_t>()};
  }
};

std::string encode_meta(const EntryMeta& meta) {
  std::string out;
  put_text(out, meta.key);
  put_number(out, static_cast<std::uint32_t>(meta.status));
  for (const std::string* text :
       {&meta.media_type, &meta.etag, &meta.site, &meta.source, &meta.error_code}) {
    put_text(out, *text);
  }
  for (std::int64_t number :
       {meta.modified_unix_seconds, meta.stored_unix_seconds, meta.fresh_until_unix_seconds,
        meta.max_age_seconds, meta.retry_after_seconds}) {
    put_number(out, static_cast<std::uint64_t>(number));
  }
  put_number(out, std::bit_cast<std::uint64_t>(meta.render_weight));
  if (!meta.tags.empty()) put_text(out, meta.tags);
  return out;
}

Failure damaged(const char* what) {
  return fail_private(ErrorCode::Corrupt, std::string("entry file: ") + what);
}

Result<EntryMeta> decode_meta(ByteView bytes) {
  Reader reader{bytes};
  EntryMeta meta;
  meta.key = reader.text();
  meta.status = static_cast<int>(reader.number<std::uint32_t>());
  for (std::string* text :
       {&meta.media_type, &meta.etag, &meta.site, &meta.source, &meta.error_code}) {
    *text = reader.text();
  }
  for (std::int64_t* number :
       {&meta.modified_unix_seconds, &meta.stored_unix_seconds, &meta.fresh_until_unix_seconds,
        &meta.max_age_seconds, &meta.retry_after_seconds}) {
    *number = reader.signed_number();
  }
  meta.render_weight = std::bit_cast<double>(reader.number<std::uint64_t>());
  if (reader.good && !reader.rest.empty()) meta.tags = reader.text();
  if (!reader.good || !reader.rest.empty()) return damaged("metadata");
  return meta;
}

Result<> read_at(int fd, std::uint8_t* into, std::size_t size, std::size_t offset) {
  while (size > 0) {
    ssize_t got = ::pread(fd, into, size, static_cast<off_t>(offset));
    if (got == 0) return damaged("shorter than it says");
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EIO) return damaged("the device cannot read it");
    if (got < 0) return fail_private(ErrorCode::Internal, std::strerror(errno));
    into += got;
    size -= static_cast<std::size_t>(got);
    offset += static_cast<std::size_t>(got);
  }
  return {};
}

struct Head {
  EntryMeta meta;
  Hash128 body_hash;
  std::size_t head_bytes = 0, body_bytes = 0;
  Bytes begin;  // the first bytes of the file: the head and what of the body came along
};

Result<Head> read_head(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return fail_private(ErrorCode::Internal, std::strerror(errno));
  auto file_bytes = static_cast<std::size_t>(status.st_size);
  Head head;
  head.begin.resize(std::min(file_bytes, kFirstReadBytes));
  TRY(read_at(fd, head.begin.data(), head.begin.size(), 0));
  Reader fixed{head.begin};
  if (text_of(fixed.take(kMagic.size())) != kMagic) return damaged("magic");
  std::size_t meta_bytes = fixed.number<std::uint32_t>();
  head.body_bytes = fixed.number<std::uint64_t>();
  head.body_hash = fixed.hash();
  head.head_bytes = kFixedBytes + meta_bytes + kHashBytes;
  if (!fixed.good || meta_bytes > kMaxMetaBytes || head.head_bytes > file_bytes ||
      head.body_bytes != file_bytes - head.head_bytes) {
    return damaged("lengths");
  }
  if (std::size_t have = head.begin.size(); have < head.head_bytes) {
    head.begin.resize(head.head_bytes);
    TRY(read_at(fd, head.begin.data() + have, head.head_bytes - have, have));
  }
  ByteView hashed = ByteView(head.begin).first(kFixedBytes + meta_bytes);
  Reader trailer{ByteView(head.begin).subspan(hashed.size(), kHashBytes)};
  if (trailer.hash() != xxh3_128(hashed)) return damaged("head checksum");
  TRY(head.meta, decode_meta(hashed.subspan(kFixedBytes)));
  return head;
}

}  // namespace

std::string encode_entry_head(const EntryMeta& meta, ByteView body) {
  std::string fields = encode_meta(meta);
  CHECK(fields.size() <= kMaxMetaBytes);
  std::string out(kMagic);
  put_number(out, static_cast<std::uint32_t>(fields.size()));
  put_number(out, static_cast<std::uint64_t>(body.size()));
  put_hash(out, xxh3_128(body));
  out += fields;
  put_hash(out, xxh3_128(view_of(out)));
  return out;
}

Result<Entry> read_entry(int fd) {
  TRY(Head head, read_head(fd));
  Entry entry;
  entry.body.resize(head.body_bytes);
  ByteView come_along = ByteView(head.begin).subspan(head.head_bytes);
  std::copy(come_along.begin(), come_along.end(), entry.body.begin());
  TRY(read_at(fd, entry.body.data() + come_along.size(), head.body_bytes - come_along.size(),
              head.head_bytes + come_along.size()));
  if (xxh3_128(entry.body) != head.body_hash) return damaged("body checksum");
  entry.meta = std::move(head.meta);
  return entry;
}

Result<EntryHead> read_entry_head(int fd) {
  TRY(Head head, read_head(fd));
  return EntryHead{std::move(head.meta), head.head_bytes + head.body_bytes};
}

}  // namespace tintype
