// SPDX-License-Identifier: Apache-2.0
#include "store/snapshot_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace tintype {
namespace {

constexpr std::size_t kMaxBytes = 64'000'000;  // far above the 4 MB that parse_policy takes

Failure fault(const std::string& path, const char* what, int error) {
  char buffer[128];
  ErrorCode code = error == ENOENT ? ErrorCode::NotFound : ErrorCode::Internal;
  return fail_private(code, path + ": " + what + ": " + strerror_r(error, buffer, sizeof buffer));
}

struct Opened {
  explicit Opened(int descriptor) : fd(descriptor) {}
  ~Opened() {
    if (fd >= 0) close(fd);
  }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;
  int fd;
};

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return fsync(fd) == 0;
}

}  // namespace

Result<> replace_file(const std::string& path, std::string_view text) {
  std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!folder.empty()) std::filesystem::create_directories(folder, error);
  if (error) return fault(path, "its folder cannot be made", error.value());
  // Of this process: two tasks on one machine may share the path.
  std::string temporary = path + "." + std::to_string(getpid()) + ".new";
  {
    Opened file(open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (file.fd < 0) return fault(temporary, "cannot be written", errno);
    if (!write_all(file.fd, text)) {
      int reason = errno;
      unlink(temporary.c_str());
      return fault(temporary, "cannot be written", reason);
    }
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    int reason = errno;
    unlink(temporary.c_str());
    return fault(path, "cannot be replaced", reason);
  }
  Opened directory(open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_CLOEXEC));
  if (directory.fd >= 0) fsync(directory.fd);
  return {};
}

Result<std::string> read_whole_file(const std::string& path) {
  Opened file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) return fault(path, "cannot be opened", errno);
  std::string text;
  char buffer[16384];
  for (;;) {
    ssize_t n = read(file.fd, buffer, sizeof buffer);
    if (n == 0) return text;
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fault(path, "cannot be read", errno);
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > kMaxBytes) return fault(path, "is larger than 64 MB", EFBIG);
  }
}

}  // namespace tintype
