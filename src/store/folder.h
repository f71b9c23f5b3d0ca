// SPDX-License-Identifier: Apache-2.0
// Folder: a held directory descriptor and the only way FileOrigin reaches files. The kernel
// resolves each path beneath it (openat2, Linux 5.6), so that no "..", absolute path, symbolic link
// or magic link leads out, also when the tree changes at the same time. Blocking; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace tintype {

class Folder {
 public:
  // Fails with BadRequest when `path` is no folder that can be opened, and with Internal when the
  // kernel has no openat2.
  static Result<std::shared_ptr<const Folder>> open(const std::string& path);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  struct File {
    Bytes bytes;
    std::int64_t modified_unix_seconds = 0;
    std::string etag;  // quoted; from modification time, size and inode
  };
  // A whole regular file. Fails with NotFound (also for folders, pipes and devices), Forbidden (no
  // permission, or a symbolic link), TooLarge, and OriginFailed (read error, or the file changed
  // while it was read: half an upload is never a source).
  Result<File> read(const std::string& path, std::int64_t max_bytes) const;

  // Relative paths of files with a picture's extension, sorted, at most `limit`. Hidden names and
  // symbolic links are left out.
  std::vector<std::string> list_pictures(std::size_t limit) const;

 private:
  explicit Folder(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace tintype
