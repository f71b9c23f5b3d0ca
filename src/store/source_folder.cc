// SPDX-License-Identifier: Apache-2.0
#include "store/source_folder.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"

namespace tintype {
namespace {

constexpr mode_t kFolderMode = 0750, kFileMode = 0640;
constexpr std::string_view kMagic = "TTS1";
constexpr std::size_t kFixedBytes = 32, kHashBytes = 16;
constexpr std::size_t kMaxMetadataBytes = 64'000;  // a path is below 8 kB, tags below 1.1 kB

Failure failed(const char* what) {
  return fail_private(ErrorCode::Internal,
                      std::string("source cache: ") + what + ": " + std::strerror(errno));
}
Failure damaged() {
  return fail_private(ErrorCode::Corrupt, "source cache: a damaged file");
}

void put_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}
void put_text(std::string& out, std::string_view text) {
  put_number(out, text.size(), 4);
  out += text;
}
void put_hash(std::string& out, ByteView bytes) {
  Hash128 hash = xxh3_128(bytes);
  put_number(out, hash.high, 8);
  put_number(out, hash.low, 8);
}

// Takes fields off the front; after a short one everything is empty and `is_whole` false.
struct Fields {
  std::string_view rest;
  bool is_whole = true;

  std::string_view bytes(std::size_t count) {
    if (count > rest.size()) {
      is_whole = false;
      rest = {};
      return {};
    }
    auto taken = rest.substr(0, count);
    rest.remove_prefix(count);
    return taken;
  }
  std::uint64_t number(std::size_t count) {
    std::uint64_t value = 0;
    auto digits = bytes(count);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      value |= std::uint64_t(static_cast<unsigned char>(digits[i])) << (8 * i);
    }
    return value;
  }
  std::string text() { return std::string(bytes(number(4))); }
};

struct Head {
  SourceRecord record;
  std::uint64_t body_bytes = 0;
  std::string body_hash;
};

std::string encode_head(const SourceRecord& record, ByteView body) {
  std::string metadata;
  for (const std::string& text : {record.site, record.path, record.version.etag, record.tags}) {
    put_text(metadata, text);
  }
  put_number(metadata, static_cast<std::uint64_t>(record.version.modified_unix_seconds), 8);
  std::string head(kMagic);
  put_number(head, metadata.size(), 4);
  put_number(head, body.size(), 8);
  put_hash(head, body);
  head += metadata;
  put_hash(head, view_of(head));
  return head;
}

std::optional<Head> decode_head(std::string_view text) {
  if (text.size() < kFixedBytes + kHashBytes) return std::nullopt;
  std::string hash;
  put_hash(hash, view_of(text.substr(0, text.size() - kHashBytes)));
  if (hash != text.substr(text.size() - kHashBytes)) return std::nullopt;
  Fields fields{text.substr(kMagic.size(), text.size() - kMagic.size() - kHashBytes)};
  Head head;
  fields.number(4);
  head.body_bytes = fields.number(8);
  head.body_hash = fields.bytes(kHashBytes);
  head.record.site = fields.text();
  head.record.path = fields.text();
  head.record.version.etag = fields.text();
  head.record.tags = fields.text();
  head.record.version.modified_unix_seconds = static_cast<std::int64_t>(fields.number(8));
  if (!fields.is_whole || !fields.rest.empty()) return std::nullopt;
  return head;
}

// All of it, or false.
bool read_fully(int fd, void* into, std::size_t count) {
  auto* at = static_cast<char*>(into);
  while (count > 0) {
    ssize_t n = ::read(fd, at, count);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    at += n;
    count -= static_cast<std::size_t>(n);
  }
  return true;
}

bool write_fully(int fd, ByteView bytes) {
  while (!bytes.empty()) {
    ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<Head> read_head(int fd) {
  std::string text(kFixedBytes, '\0');
  if (!read_fully(fd, text.data(), kFixedBytes) || !text.starts_with(kMagic)) return std::nullopt;
  Fields fields{std::string_view(text).substr(kMagic.size())};
  std::size_t metadata_bytes = fields.number(4);
  if (metadata_bytes > kMaxMetadataBytes) return std::nullopt;
  text.resize(kFixedBytes + metadata_bytes + kHashBytes);
  if (!read_fully(fd, text.data() + kFixedBytes, metadata_bytes + kHashBytes)) return std::nullopt;
  auto head = decode_head(text);
  struct stat state {};
  bool is_whole = head && ::fstat(fd, &state) == 0 &&
                  static_cast<std::uint64_t>(state.st_size) == text.size() + head->body_bytes;
  return is_whole ? std::move(head) : std::nullopt;
}

// Files are the process' own; where they are not, the time of access is not worth a failure.
Descriptor open_quietly(int folder, const std::string& name) {
  constexpr int kFlags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW;
  Descriptor file(::openat(folder, name.c_str(), kFlags | O_NOATIME));
  if (!file && errno == EPERM) file = Descriptor(::openat(folder, name.c_str(), kFlags));
  return file;
}

bool is_name(std::string_view name) {
  return name.size() == 64 && name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// What the folder holds, "." and ".." left out.
std::vector<std::string> names_in(int folder) {
  std::vector<std::string> names;
  int fd = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  std::unique_ptr<DIR, int (*)(DIR*)> entries(fd < 0 ? nullptr : ::fdopendir(fd), ::closedir);
  if (!entries) return names;
  while (const dirent* entry = ::readdir(entries.get())) {
    std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

constexpr timespec at_second(std::int64_t unix_seconds) {
  return {.tv_sec = unix_seconds, .tv_nsec = 0};
}
constexpr timespec kAsItIs{.tv_sec = 0, .tv_nsec = UTIME_OMIT};

// A record lock: a crash frees it.
Result<Descriptor> lock(int folder) {
  Descriptor file(::openat(folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!file) return failed("lock");
  struct flock whole {};
  whole.l_type = F_WRLCK;
  if (::fcntl(file.number(), F_SETLK, &whole) == 0) return file;
  return fail_private(ErrorCode::Internal, "source cache: the folder belongs to another process");
}

}  // namespace

Result<std::unique_ptr<SourceFolder>> SourceFolder::open(const std::string& path) {
  std::error_code ignored;  // the next call says it better
  std::filesystem::create_directories(path, ignored);
  auto folder = std::unique_ptr<SourceFolder>(new SourceFolder);
  folder->folder_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder->folder_) return failed(path.c_str());
  TRY(folder->lock_, lock(folder->folder_.number()));
  ::mkdirat(folder->folder_.number(), "tmp", kFolderMode);
  folder->temporary_ =
      Descriptor(::openat(folder->folder_.number(), "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder->temporary_) return failed("tmp");
  for (const std::string& name : names_in(folder->temporary_.number())) folder->discard(name);
  return folder;
}

Result<SourceFolder::Found> SourceFolder::look_at(const std::string& name) const {
  Descriptor file = open_quietly(folder_.number(), name);
  if (!file) return failed("open");
  auto head = read_head(file.number());
  struct stat state {};
  if (!head || ::fstat(file.number(), &state) != 0) return damaged();
  return Found{name, std::move(head->record), state.st_mtim.tv_sec, state.st_atim.tv_sec,
               state.st_size};
}

std::vector<SourceFolder::Found> SourceFolder::scan() const {
  std::vector<Found> all;
  for (const std::string& name : names_in(folder_.number())) {
    if (!is_name(name)) continue;
    auto found = look_at(name);
    if (found) {
      all.push_back(std::move(*found));
    } else if (found.error().code == ErrorCode::Corrupt) {
      remove(name);
    }
  }
  return all;
}

Result<SourceFolder::Written> SourceFolder::write(const SourceRecord& record, ByteView body,
                                                  std::int64_t now_unix_seconds) {
  std::string head = encode_head(record, body);
  Written written{std::to_string(written_++), static_cast<std::int64_t>(head.size() + body.size())};
  if (head.size() > kMaxMetadataBytes) {
    return fail_private(ErrorCode::Internal, "source cache: a path too long to keep");
  }
  Descriptor file(::openat(temporary_.number(), written.temporary.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file) return failed("create");
  const std::array<timespec, 2> times{at_second(now_unix_seconds), at_second(now_unix_seconds)};
  bool is_written = write_fully(file.number(), view_of(head)) && write_fully(file.number(), body) &&
                    ::futimens(file.number(), times.data()) == 0;
  if (is_written) return written;
  Failure failure = failed("write");
  discard(written.temporary);
  return failure;
}

Result<> SourceFolder::publish(const std::string& temporary, const std::string& name) const {
  if (::renameat(temporary_.number(), temporary.c_str(), folder_.number(), name.c_str()) == 0) {
    return {};
  }
  Failure failure = failed("rename");
  discard(temporary);
  return failure;
}

void SourceFolder::discard(const std::string& temporary) const {
  ::unlinkat(temporary_.number(), temporary.c_str(), 0);
}

Result<Source> SourceFolder::read(const std::string& name, std::int64_t now_unix_seconds) const {
  Descriptor file = open_quietly(folder_.number(), name);
  if (!file && errno == ENOENT) return fail_private(ErrorCode::NotFound, "no such source");
  if (!file) return failed("open");
  auto head = read_head(file.number());
  if (!head) return damaged();
  Bytes body(head->body_bytes);
  std::string hash;
  bool is_read = read_fully(file.number(), body.data(), body.size());
  put_hash(hash, body);
  if (!is_read || hash != head->body_hash) return damaged();
  const std::array<timespec, 2> times{at_second(now_unix_seconds), kAsItIs};
  ::futimens(file.number(), times.data());
  Source source;
  source.bytes = share(std::move(body));
  source.modified_unix_seconds = head->record.version.modified_unix_seconds;
  source.etag = std::move(head->record.version.etag);
  source.tags = std::move(head->record.tags);
  return source;
}

void SourceFolder::touch(const std::string& name, std::int64_t now_unix_seconds) const {
  const std::array<timespec, 2> times{kAsItIs, at_second(now_unix_seconds)};
  ::utimensat(folder_.number(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW);
}

void SourceFolder::remove(const std::string& name) const {
  ::unlinkat(folder_.number(), name.c_str(), 0);
}

}  // namespace tintype
