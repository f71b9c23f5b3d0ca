// SPDX-License-Identifier: Apache-2.0
#include "cache/disk_folder.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

namespace tintype {
namespace {

constexpr mode_t kFolderMode = 0750;
constexpr mode_t kFileMode = 0640;

Failure failed(const char* what) {
  return fail_private(ErrorCode::Internal, std::string(what) + ": " + std::strerror(errno));
}

// "ab/cd/abcd…": 65,536 folders hold 20 GB of 20 KB variants at 16 files each.
struct FilePath {
  std::string text;
  explicit FilePath(const Sha256& name) {
    std::string digits = hex(name);
    text = digits.substr(0, 2) + '/' + digits.substr(2, 2) + '/' + digits;
  }
  std::string outer() const { return text.substr(0, 2); }
  std::string inner() const { return text.substr(0, 5); }
};

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<Sha256> parse_name(std::string_view digits) {
  Sha256 name;
  if (digits.size() != name.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < name.size(); ++i) {
    int high = digit_value(digits[2 * i]), low = digit_value(digits[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    name[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return name;
}

// What the folder holds, "." and ".." left out; empty when it cannot be read.
std::vector<std::string> list(int folder_fd, const char* path) {
  std::vector<std::string> names;
  int fd = ::openat(folder_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return names;
  std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(fd), ::closedir);
  if (!folder) {
    ::close(fd);
    return names;
  }
  while (const dirent* item = ::readdir(folder.get())) {
    std::string_view name = item->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

Result<> write_all(int fd, std::string_view head, ByteView body) {
  std::array<iovec, 2> parts = {
      iovec{const_cast<char*>(head.data()), head.size()},
      iovec{const_cast<std::uint8_t*>(body.data()), body.size()},
  };
  for (std::size_t at = 0; at < parts.size();) {
    if (parts[at].iov_len == 0) {
      ++at;
      continue;
    }
    ssize_t wrote = ::writev(fd, &parts[at], static_cast<int>(parts.size() - at));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return failed("write");
    for (auto left = static_cast<std::size_t>(wrote); left > 0 && at < parts.size();) {
      std::size_t taken = std::min(left, parts[at].iov_len);
      parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + taken;
      parts[at].iov_len -= taken;
      left -= taken;
      if (parts[at].iov_len == 0) ++at;
    }
  }
  return {};
}

// A record lock belongs to this process alone: forked workers do not inherit it, a crash frees it.
Result<Descriptor> lock(int folder_fd) {
  Descriptor file(::openat(folder_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, kFileMode));
  if (!file) return Descriptor();  // Read-only: nothing to guard.
  struct flock whole {};
  whole.l_type = F_WRLCK;
  if (::fcntl(file.number(), F_SETLK, &whole) != 0 && (errno == EAGAIN || errno == EACCES)) {
    return fail_private(ErrorCode::Internal, "cache folder belongs to another process");
  }
  return file;
}

}  // namespace

Result<DiskFolder> DiskFolder::open(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  DiskFolder folder;
  folder.path_ = path;
  folder.folder_ = Descriptor(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder.folder_) return failed("cache folder");
  TRY(folder.lock_, lock(folder.folder_.number()));
  ::mkdirat(folder.folder_.number(), "tmp", kFolderMode);
  folder.temporary_ =
      Descriptor(::openat(folder.folder_.number(), "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (const std::string& name : list(folder.folder_.number(), "tmp")) folder.discard(name);
  return folder;
}

Result<Descriptor> DiskFolder::open_file(const Sha256& name) const {
  Descriptor file(
      ::openat(folder_.number(), FilePath(name).text.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (file) return file;
  if (errno == ENOENT) return fail_private(ErrorCode::NotFound, "no such entry");
  return failed("open");
}

Result<Entry> DiskFolder::read(const Sha256& name) const {
  TRY(Descriptor file, open_file(name));
  return read_entry(file.number());
}

Result<EntryHead> DiskFolder::read_head(const Sha256& name) const {
  TRY(Descriptor file, open_file(name));
  return read_entry_head(file.number());
}

bool DiskFolder::holds(const Sha256& name) const {
  return ::faccessat(folder_.number(), FilePath(name).text.c_str(), F_OK, 0) == 0;
}

Result<> DiskFolder::write(const std::string& temporary, std::string_view head,
                           ByteView body) const {
  Descriptor file(::openat(temporary_.number(), temporary.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode));
  if (!file) return failed("create");
  Result<> written = write_all(file.number(), head, body);
  if (!written) discard(temporary);
  return written;
}

Result<> DiskFolder::publish(const std::string& temporary, const Sha256& name) const {
  FilePath path(name);
  auto rename = [&] {
    return ::renameat(temporary_.number(), temporary.c_str(), folder_.number(),
                      path.text.c_str()) == 0;
  };
  if (rename()) return {};
  if (errno == ENOENT) {
    ::mkdirat(folder_.number(), path.outer().c_str(), kFolderMode);
    ::mkdirat(folder_.number(), path.inner().c_str(), kFolderMode);
    if (rename()) return {};
  }
  Failure failure = failed("rename");
  discard(temporary);
  return failure;
}

void DiskFolder::discard(const std::string& temporary) const {
  ::unlinkat(temporary_.number(), temporary.c_str(), 0);
}

Result<bool> DiskFolder::remove(const Sha256& name) const {
  if (::unlinkat(folder_.number(), FilePath(name).text.c_str(), 0) == 0) return true;
  if (errno == ENOENT) return false;
  return failed("unlink");
}

bool DiskFolder::each(const std::function<bool(const Sha256&)>& visit) const {
  auto is_pair = [](const std::string& name) {
    return name.size() == 2 && digit_value(name[0]) >= 0 && digit_value(name[1]) >= 0;
  };
  for (const std::string& outer : list(folder_.number(), ".")) {
    if (!is_pair(outer)) continue;
    for (const std::string& inner : list(folder_.number(), outer.c_str())) {
      if (!is_pair(inner)) continue;
      for (const std::string& file : list(folder_.number(), (outer + '/' + inner).c_str())) {
        std::optional<Sha256> name = parse_name(file);
        if (name && file.starts_with(outer + inner) && !visit(*name)) return false;
      }
    }
  }
  return true;
}

bool DiskFolder::take_clean_mark() const {
  return ::unlinkat(folder_.number(), "clean", 0) == 0;
}

void DiskFolder::leave_clean_mark() const {
  Descriptor mark(::openat(folder_.number(), "clean", O_WRONLY | O_CREAT | O_CLOEXEC, kFileMode));
}

}  // namespace tintype
