// SPDX-License-Identifier: Apache-2.0
#include "telemetry/access_log.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>

#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace tintype {
namespace {

// What a JSON string carries unchanged: printable ASCII but quote and backslash.
bool is_clean(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

void append_text(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  if (is_clean(value)) [[likely]] {
    out += '"';
    out += value;
    out += '"';
  } else {
    append_json_string(out, value);
  }
}

template <class N>
void append_number(std::string& out, std::string_view name, N value) {
  char digits[24];  // the longest 64-bit number has 20 characters
  char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out += name;
  out.append(digits, end);
}

// Our own signatures' name and imgix's, as it stands behind another parameter, and as it does in a
// target that the edge has passed on whole, escaped (/_/ask/…).
constexpr std::string_view kSignatures[] = {"?s=", "&s=", "%3Fs%3D", "%26s%3D"};

struct Signature {
  std::size_t begin = std::string_view::npos;  // of its value; npos: there is none
  std::size_t end = std::string_view::npos;
};

Signature find_signature(std::string_view target) {
  Signature first;
  for (std::string_view name : kSignatures) {
    std::size_t at = target.find(name);
    if (at == std::string_view::npos || at + name.size() >= first.begin) continue;
    first.begin = at + name.size();
    first.end = std::min(target.find(name.size() == 3 ? "&" : "%26", first.begin), target.size());
  }
  return first;
}

// Whoever reads the log could otherwise ask for what is signed.
void append_target(std::string& out, std::string_view target) {
  constexpr std::string_view kName = ",\"target\":";
  Signature signature = find_signature(target);
  if (signature.begin == std::string_view::npos) [[likely]] {
    return append_text(out, kName, target);
  }
  std::string masked(target.substr(0, signature.begin));
  append_text(out, kName, masked.append("***").append(target.substr(signature.end)));
}

bool is_pipe(int fd) {
  struct stat what {};
  return fd >= 0 && ::fstat(fd, &what) == 0 && S_ISFIFO(what.st_mode);
}

}  // namespace

AccessLog::AccessLog(int fd) : fd_(fd), is_pipe_(is_pipe(fd)) {
  if (fd_ >= 0) buffer_.reserve(kBufferBytes + kBufferBytes / 2);
}

AccessLog::~AccessLog() {
  flush();
}

void AccessLog::write(const AccessRecord& record, std::int64_t unix_seconds) {
  if (fd_ < 0) return;
  if (buffer_.size() >= kMaxBacklogBytes) {
    ++dropped_;
    return;
  }
  if (unix_seconds != time_seconds_ || time_text_.empty()) {
    time_seconds_ = unix_seconds;
    time_text_ = "{\"time\":\"" + iso_date(unix_seconds) + "\"";
  }
  buffer_ += time_text_;
  append_text(buffer_, ",\"client\":", record.client);
  append_text(buffer_, ",\"method\":", record.method);
  append_target(buffer_, record.target);
  if (!record.key.empty()) append_text(buffer_, ",\"key\":", record.key);
  append_number(buffer_, ",\"status\":", record.status);
  append_number(buffer_, ",\"sent_bytes\":", record.sent_bytes);
  append_number(buffer_, ",\"duration_us\":", record.duration_us);
  append_text(buffer_, ",\"outcome\":", record.outcome);
  if (!record.error.empty()) append_text(buffer_, ",\"error\":", record.error);
  if (!record.user_agent.empty()) append_text(buffer_, ",\"user_agent\":", record.user_agent);
  if (!record.request_id.empty()) append_text(buffer_, ",\"request_id\":", record.request_id);
  if (!record.trace_id.empty()) append_text(buffer_, ",\"trace_id\":", record.trace_id);
  if (!record.amzn_trace.empty()) append_text(buffer_, ",\"amzn_trace\":", record.amzn_trace);
  buffer_ += "}\n";
  if (buffer_.size() >= kBufferBytes) flush();
}

// Of what is written at once: to a pipe as many whole lines as it takes undivided (pipe(7)). A line
// longer than that goes alone and may be divided.
std::size_t AccessLog::piece_end(std::size_t begin) const {
  if (!is_pipe_ || buffer_.size() - begin <= PIPE_BUF) return buffer_.size();
  std::size_t last = buffer_.rfind('\n', begin + PIPE_BUF - 1);
  if (last == std::string::npos || last < begin) last = buffer_.find('\n', begin);
  return last + 1;
}

void AccessLog::flush() {
  std::size_t done = 0;
  while (done < buffer_.size()) {
    ssize_t wrote = ::write(fd_, buffer_.data() + done, piece_end(done) - done);
    if (wrote >= 0) {
      done += static_cast<std::size_t>(wrote);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;  // The reader is slow: what is left goes with the next flush.
    } else if (errno != EINTR) {
      auto rest = buffer_.begin() + static_cast<std::ptrdiff_t>(done);
      dropped_ += static_cast<std::uint64_t>(std::count(rest, buffer_.end(), '\n'));
      done = buffer_.size();
    }
  }
  buffer_.erase(0, done);
}

}  // namespace tintype
