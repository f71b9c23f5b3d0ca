// SPDX-License-Identifier: Apache-2.0
// The access log: one JSON object a line per answered request. Each event loop owns an AccessLog
// and formats into its own buffer; the buffer is written with one write(2) when it holds 64 KB or
// when the loop's sweep, four times a second, calls flush(), so that a hit pays for formatting
// only. Lines reach a file or pipe whole; several loops may share one descriptor opened with
// O_APPEND. A pipe is written in pieces of at most PIPE_BUF bytes that end with a line, which the
// kernel never mixes with what others write, as metrics (emf.h). Not thread-safe: one per loop.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tintype {

struct AccessRecord {
  std::string_view client, method, target, key;  // key: the canonical path, empty if there is none
  int status = 0;
  std::uint64_t sent_bytes = 0;
  std::int64_t duration_us = 0;
  std::string_view outcome;  // metrics.h name_of(Outcome)
  std::string_view error;    // ErrorCode's name, empty if none
  std::string_view user_agent, request_id;
  std::string_view trace_id;    // 32 hexadecimal digits, empty if the request has no trace
  std::string_view amzn_trace;  // the Root that a balancer gave: what stands in its own log
};

class AccessLog {
 public:
  // Writes to `fd` (not owned); -1: keeps nothing.
  explicit AccessLog(int fd);
  ~AccessLog();  // flushes
  // `unix_seconds` is the loop's cached clock.
  void write(const AccessRecord& record, std::int64_t unix_seconds);
  // A descriptor that cannot take more now (non-blocking) keeps its lines for the next flush, up to
  // kMaxBacklogBytes; then, and on any other failure, lines are dropped and counted.
  void flush();
  std::uint64_t dropped() const { return dropped_; }

  static constexpr std::size_t kBufferBytes = 64 * 1024;        // a pipe's capacity on Linux
  static constexpr std::size_t kMaxBacklogBytes = 1024 * 1024;  // some 3,000 lines

 private:
  std::size_t piece_end(std::size_t begin) const;

  int fd_;
  bool is_pipe_;
  std::uint64_t dropped_ = 0;
  std::string buffer_;
  std::int64_t time_seconds_ = 0;
  std::string time_text_;
};

}  // namespace tintype
