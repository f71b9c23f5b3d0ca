// SPDX-License-Identifier: Apache-2.0
#include "store/folder.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/text.h"
#include "image/format.h"

namespace tintype {
namespace {

// Bounds of list_pictures: the studio's list is for people, and a folder may be a whole archive.
constexpr int kMaxListedDepth = 16;
constexpr std::size_t kMaxVisitedEntries = 100'000;
// RESOLVE_BENEATH may say EAGAIN when something is renamed during the walk (openat2(2)).
constexpr int kMaxTries = 8;

// A descriptor, or -1 with errno. O_NONBLOCK: opening a pipe must not wait for its writer.
int open_beneath(int folder_fd, const char* path, std::uint64_t flags) {
  open_how how{};
  how.flags = flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (int tries = 1;; ++tries) {
    auto fd = static_cast<int>(syscall(SYS_openat2, folder_fd, path, &how, sizeof how));
    if (fd >= 0 || tries == kMaxTries || (errno != EINTR && errno != EAGAIN)) return fd;
  }
}

std::string describe(int error) {
  char buffer[128];
  return strerror_r(error, buffer, sizeof buffer);
}

Failure fault_of_open(int error, const std::string& path) {
  std::string message = "cannot open source " + path + ": " + describe(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
    case EINVAL:  // not a name the file system knows
    case ENXIO:   // a socket, or a device without its driver
    case ENODEV:
      return fail_private(ErrorCode::NotFound, std::move(message));
    case EXDEV:  // leaves the folder
    case ELOOP:  // a symbolic link
    case EACCES:
    case EPERM:
      return fail_private(ErrorCode::Forbidden, std::move(message));
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return fail_private(ErrorCode::Internal, std::move(message));
    default:
      return fail_private(ErrorCode::OriginFailed, std::move(message));
  }
}

bool is_same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && a.st_mtim.tv_sec == b.st_mtim.tv_sec &&
         a.st_mtim.tv_nsec == b.st_mtim.tv_nsec;
}

std::string etag_of(const struct stat& state) {
  char text[80];
  std::snprintf(text, sizeof text, "\"%llx.%lx-%llx-%llx\"",
                static_cast<unsigned long long>(state.st_mtim.tv_sec),
                static_cast<unsigned long>(state.st_mtim.tv_nsec),
                static_cast<unsigned long long>(state.st_size),
                static_cast<unsigned long long>(state.st_ino));
  return text;
}

// Reads exactly `size` bytes and finds the end behind them; less, when the file ends early.
Result<Bytes> read_all(int fd, std::size_t size) {
  Bytes bytes(size + 1);
  std::size_t have = 0;
  while (have < bytes.size()) {
    ssize_t n = ::read(fd, bytes.data() + have, bytes.size() - have);
    if (n == 0) break;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_private(ErrorCode::OriginFailed, "read: " + describe(errno));
    have += static_cast<std::size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

bool is_picture_name(std::string_view name) {
  auto dot = name.rfind('.');
  return dot != std::string_view::npos && format_named(name.substr(dot + 1)).has_value() &&
         is_utf8(name);
}

// Walks one folder after the other; a picture's path is relative to the root.
class PictureWalk {
 public:
  explicit PictureWalk(int root_fd) : root_fd_(root_fd) {}

  std::vector<std::string> run() {
    visit(".", "", 0);
    std::sort(pictures_.begin(), pictures_.end());
    return std::move(pictures_);
  }

 private:
  void visit(const std::string& folder, const std::string& prefix, int depth) {
    Descriptor descriptor(open_beneath(root_fd_, folder.c_str(), O_DIRECTORY));
    DIR* entries = descriptor.number() < 0 ? nullptr : fdopendir(descriptor.number());
    if (entries == nullptr) return;  // went away, or is not ours to read
    descriptor.release();            // closedir closes it
    std::vector<std::string> folders;
    while (dirent* entry = readdir(entries)) {
      if (++visited_ > kMaxVisitedEntries) break;
      take(dirfd(entries), *entry, prefix, folders);
    }
    closedir(entries);
    if (depth == kMaxListedDepth) return;
    std::sort(folders.begin(), folders.end());
    for (const std::string& inner : folders) visit(inner, inner + "/", depth + 1);
  }

  void take(int folder_fd, const dirent& entry, const std::string& prefix,
            std::vector<std::string>& folders) {
    std::string_view name = entry.d_name;
    if (name.starts_with('.')) return;
    struct stat state {};
    if (fstatat(folder_fd, entry.d_name, &state, AT_SYMLINK_NOFOLLOW) != 0) return;
    if (S_ISDIR(state.st_mode)) folders.push_back(prefix + entry.d_name);
    if (S_ISREG(state.st_mode) && is_picture_name(name)) pictures_.push_back(prefix + entry.d_name);
  }

  int root_fd_;
  std::size_t visited_ = 0;
  std::vector<std::string> pictures_;
};

}  // namespace

Result<std::shared_ptr<const Folder>> Folder::open(const std::string& path) {
  // The folder itself is the operator's word: it may be a link.
  Descriptor root(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (root.number() < 0) {
    return fail_public(ErrorCode::BadRequest,
                       "folder " + path + " cannot be opened: " + describe(errno));
  }
  Descriptor probe(open_beneath(root.number(), ".", O_DIRECTORY));
  if (probe.number() < 0 && errno == ENOSYS) {
    return fail_private(ErrorCode::Internal, "this kernel has no openat2 (Linux 5.6 or later)");
  }
  if (probe.number() < 0) {
    return fail_public(ErrorCode::BadRequest,
                       "folder " + path + " cannot be read: " + describe(errno));
  }
  return std::shared_ptr<const Folder>(new Folder(root.release()));
}

Folder::~Folder() {
  close(fd_);
}

Result<Folder::File> Folder::read(const std::string& path, std::int64_t max_bytes) const {
  // The kernel would stop at a NUL and open another file than the one that was named.
  if (path.empty() || path.find('\0') != std::string::npos) {
    return fail_private(ErrorCode::NotFound, "not a source path");
  }
  Descriptor file(open_beneath(fd_, path.c_str(), 0));
  if (file.number() < 0) return fault_of_open(errno, path);
  struct stat before {};
  if (fstat(file.number(), &before) != 0) return fault_of_open(errno, path);
  if (!S_ISREG(before.st_mode)) {
    return fail_private(ErrorCode::NotFound, "not a regular file: " + path);
  }
  if (before.st_size > max_bytes) {
    return fail_private(ErrorCode::TooLarge, path + " is larger than the site's max_source");
  }
  auto size = static_cast<std::size_t>(before.st_size);
  TRY(Bytes bytes, read_all(file.number(), size));
  struct stat after {};
  if (bytes.size() != size || fstat(file.number(), &after) != 0 || !is_same_state(before, after)) {
    return fail_private(ErrorCode::OriginFailed, path + " changed while it was read");
  }
  return File{std::move(bytes), before.st_mtim.tv_sec, etag_of(before)};
}

std::vector<std::string> Folder::list_pictures(std::size_t limit) const {
  auto pictures = PictureWalk(fd_).run();
  if (pictures.size() > limit) pictures.resize(limit);
  return pictures;
}

}  // namespace tintype
