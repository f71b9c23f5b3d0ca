// SPDX-License-Identifier: Apache-2.0
// SourceFolder: the files of the source cache. A source lies at <folder>/<name>, where the name is
// a SHA-256 in hexadecimal; it is written whole under <folder>/tmp and appears by rename. Its time
// of modification is when the origin last vouched for it, its time of access when it was last used.
// One process at a time owns a folder. Blocking; thread-safe.
//
//    0  4   "TTS1"
//    4  4   M, length of the metadata                       all numbers little-endian
//    8  8   B, length of the body
//   16 16   XXH3-128 of the body (high, low)
//   32 M    metadata: site, path, ETag, tags, each with a 32-bit length before it; 64-bit time
//   32+M 16 XXH3-128 of everything before
//   48+M B  the body, to the end of the file
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/descriptor.h"
#include "base/result.h"
#include "store/origin.h"

namespace tintype {

struct SourceRecord {
  std::string site, path;
  SourceVersion version;
  std::string tags;
};

class SourceFolder {
 public:
  // Creates the folder, locks it and removes temporary files. Fails with Internal.
  static Result<std::unique_ptr<SourceFolder>> open(const std::string& path);

  struct Found {
    std::string name;
    SourceRecord record;
    std::int64_t checked_unix_seconds = 0, used_unix_seconds = 0, file_bytes = 0;
  };
  // Every source, by its head; what is damaged is removed.
  std::vector<Found> scan() const;

  // A complete temporary file, its name and size. On failure nothing is left behind.
  struct Written {
    std::string temporary;
    std::int64_t file_bytes = 0;
  };
  Result<Written> write(const SourceRecord& record, ByteView body, std::int64_t now_unix_seconds);
  // Gives it its name; replaces what is there.
  Result<> publish(const std::string& temporary, const std::string& name) const;
  void discard(const std::string& temporary) const;

  // Verified whole. Fails with NotFound, Corrupt or Internal.
  Result<Source> read(const std::string& name, std::int64_t now_unix_seconds) const;
  // The origin vouched for it at this moment.
  void touch(const std::string& name, std::int64_t now_unix_seconds) const;
  void remove(const std::string& name) const;

 private:
  SourceFolder() = default;
  Result<Found> look_at(const std::string& name) const;

  Descriptor folder_, temporary_, lock_;
  std::atomic<std::uint64_t> written_{0};
};

}  // namespace tintype
