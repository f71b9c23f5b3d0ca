// SPDX-License-Identifier: Apache-2.0
// LineSource: a file's lines, plain or gzip, or standard input's. Bounded: of a line longer than
// kMaxLogLineBytes just more than that is handed out, the rest is passed over. Owns the descriptor.
// The only user of zlib. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace tintype {

// Of the file as it lies on the disk; 0 of standard input and of what is no plain file. Opens
// nothing, as a pipe can be opened once only. Fails as LineSource::open does, but for lack of
// memory or descriptors.
Result<std::int64_t> log_size_bytes(const std::string& path);

class LineSource {
 public:
  // "-" is standard input. Fails with NotFound when it cannot be opened, or is a folder.
  static Result<LineSource> open(const std::string& path);
  LineSource(LineSource&&) noexcept;
  ~LineSource();

  // The next line without its end; false behind the last. Blocks on the disk. Fails with Corrupt
  // when the gzip stream is damaged or ends early; what came before has been handed out.
  Result<bool> next(std::string& line);
  // How much of the file has been read, and its size, both as it lies on the disk; 0 for standard
  // input.
  std::int64_t done_bytes() const;
  std::int64_t size_bytes() const { return size_bytes_; }

 private:
  struct Stream;
  LineSource(std::string path, std::unique_ptr<Stream> stream);
  Result<bool> refill();

  std::string path_;
  std::unique_ptr<Stream> stream_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  std::int64_t size_bytes_ = 0;
};

}  // namespace tintype
