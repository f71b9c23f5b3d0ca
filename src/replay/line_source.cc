// SPDX-License-Identifier: Apache-2.0
#include "replay/line_source.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "replay/log_line.h"

namespace tintype {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

[[nodiscard]] Failure refuse(const std::string& path) {
  return fail_public(ErrorCode::NotFound, path + ": cannot be read: " + std::strerror(errno));
}

[[nodiscard]] Failure refuse_folder(const std::string& path) {
  return fail_public(ErrorCode::NotFound, path + ": is a folder; name its files: " + path + "/*");
}

}  // namespace

// zlib hands plain files through as they are.
struct LineSource::Stream {
  explicit Stream(gzFile opened) : file(opened) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() { gzclose(file); }
  gzFile file;
};

Result<std::int64_t> log_size_bytes(const std::string& path) {
  if (path == "-") return 0;
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), R_OK) != 0) return refuse(path);
  if (S_ISDIR(status.st_mode)) return refuse_folder(path);
  return S_ISREG(status.st_mode) ? std::int64_t{status.st_size} : 0;
}

LineSource::LineSource(std::string path, std::unique_ptr<Stream> stream)
    : path_(std::move(path)), stream_(std::move(stream)), buffer_(kBufferBytes) {}
LineSource::LineSource(LineSource&&) noexcept = default;
LineSource::~LineSource() = default;

Result<LineSource> LineSource::open(const std::string& path) {
  bool is_stdin = path == "-";
  int descriptor = is_stdin ? ::dup(STDIN_FILENO) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return refuse(path);
  struct stat status {};
  if (::fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    ::close(descriptor);
    return refuse_folder(path);
  }
  gzFile file = gzdopen(descriptor, "rb");
  if (file == nullptr) {
    ::close(descriptor);
    return fail_public(ErrorCode::Internal, path + ": no memory to read it");
  }
  LineSource source(is_stdin ? "standard input" : path, std::make_unique<Stream>(file));
  if (S_ISREG(status.st_mode)) source.size_bytes_ = status.st_size;
  return source;
}

Result<bool> LineSource::refill() {
  int got = gzread(stream_->file, buffer_.data(), static_cast<unsigned>(buffer_.size()));
  int code = Z_OK;
  const char* reason = gzerror(stream_->file, &code);
  // A stream that was cut off is no error to gzread: it says so in gzerror.
  if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END)) {
    std::string why = code == Z_ERRNO ? std::strerror(errno) : reason;
    return fail_public(ErrorCode::Corrupt, path_ + ": " + why);
  }
  begin_ = 0;
  end_ = static_cast<std::size_t>(got);
  return got > 0;
}

Result<bool> LineSource::next(std::string& line) {
  line.clear();
  bool has_any = false;
  while (true) {
    if (begin_ == end_) {
      TRY(bool has_more, refill());
      if (!has_more) return has_any;
    }
    has_any = true;
    std::string_view ahead(buffer_.data() + begin_, end_ - begin_);
    std::size_t end = std::min(ahead.find('\n'), ahead.size());
    // One byte more than is allowed, so that the reader sees that the line is too long.
    std::size_t room = kMaxLogLineBytes + 1 - std::min(line.size(), kMaxLogLineBytes + 1);
    line.append(ahead.substr(0, std::min(end, room)));
    begin_ += std::min(end + 1, ahead.size());
    if (end < ahead.size()) return true;
  }
}

std::int64_t LineSource::done_bytes() const {
  return size_bytes_ == 0 ? 0 : static_cast<std::int64_t>(gzoffset(stream_->file));
}

}  // namespace tintype
