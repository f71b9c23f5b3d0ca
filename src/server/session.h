// SPDX-License-Identifier: Apache-2.0
// Session: one client's connection, from accept to close, as one coroutine: read a head, answer it,
// send, and again; pipelined requests are answered in order. A memory hit is parsed, answered and
// sent in one go without suspending; only what must wait (the walk, a slow client) suspends. Lives
// in its loop's thread.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <asio/ip/tcp.hpp>
#include <sys/uio.h>

#include "base/async.h"
#include "delivery/answer.h"
#include "server/deadlines.h"
#include "server/head_parser.h"
#include "server/loop.h"
#include "server/request_trace.h"

namespace tintype {

class Session final : private Waiter {
 public:
  Session(Loop& loop, Service& service, asio::ip::tcp::socket socket);
  ~Session() override;

  // Returns when the connection has ended. Never throws but for a lack of memory.
  Task<> run();

 private:
  enum class Sent : std::uint8_t { All, Blocked, Failed };
  enum class Received : std::uint8_t { Some, TimedOut, Ended };

  void expire(Wait wait) override;
  std::string_view unread() const { return {buffer_.data() + begin_, end_ - begin_}; }
  bool await_bytes();
  std::pair<char*, std::size_t> room();
  Received received(std::size_t count, const std::error_code& error);
  std::optional<Answer> begin(HeadParser::Parsed parsed);
  Answer refuse(int status, std::string_view detail) const;
  Viewing viewing_of(const RequestHead& head) const;
  Task<Answer> ask_walk();
  Task<Answer> ask_route();
  Task<Result<std::string>> read_body();
  std::string take_buffered_body();
  bool hold_body(std::size_t size_bytes);
  void prepare(const Answer& answer);
  void choose_head_and_body(const Answer& answer);
  Sent send_some();
  Task<Sent> send_rest();
  std::int64_t acknowledged_bytes() const;
  void finish(const Answer& answer);
  void report_spans(const Answer& answer, std::int64_t duration_us);
  Task<> linger();

  Loop& loop_;
  Service& service_;
  asio::ip::tcp::socket socket_;
  std::string client_;
  HeadParser parser_;

  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // unread bytes of buffer_

  // Of the request being answered.
  Steady started_at_{};
  RequestTrace trace_;
  bool closing_ = false;                 // the connection ends with this answer
  const AdminRoute* route_ = nullptr;    // null: a picture is asked for
  std::size_t buffered_body_bytes_ = 0;  // of the request's body, taken out of buffer_
  std::size_t held_body_bytes_ = 0;      // counted in the service's
  int status_ = 0;
  Outcome outcome_ = Outcome::ServerError;
  std::string own_head_;  // when the entry's head does not fit
  std::string request_fields_;
  std::array<iovec, 3> pieces_{};
  std::size_t next_piece_ = 0;
  std::uint64_t to_send_bytes_ = 0, answer_bytes_ = 0;

  int requests_ = 0;
  std::int64_t sent_bytes_ = 0;           // over the connection's life
  std::int64_t acknowledged_at_arm_ = 0;  // when the write window began
  bool is_head_started_ = false;          // its deadline runs
  bool expired_ = false;                  // the last wait ended by its deadline
};

}  // namespace tintype
