// SPDX-License-Identifier: Apache-2.0
#include "server/session.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>

#include <asio/buffer.hpp>
#include <asio/redirect_error.hpp>
#include <asio/write.hpp>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/signing.h"
#include "server/conditional.h"
#include "server/head.h"
#include "server/problem.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

using asio::ip::tcp;

// A browser's head with a CDN's fields is about 750 bytes (measured); this holds it and several
// pipelined ones, and ten thousand idle connections hold 40 MB.
constexpr std::size_t kBufferBytes = 4096;
// With less room than this, bytes are moved to the front (or the buffer grows) before reading on.
constexpr std::size_t kSmallRoomBytes = 1024;
// After our last word a client's leftovers are read and thrown away, up to this much: closing over
// unread bytes resets the connection and may take our answer with it (RFC 9112 section 9.6).
constexpr std::size_t kLingerBytes = 262'144;

// Bodies being received on one port: 32 of the largest at once, 503 above it.
constexpr std::size_t kMaxHeldBodyBytes = 32'000'000;
constexpr std::size_t kBodyStepBytes = 65'536;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

std::string address_text(const tcp::socket& socket) {
  std::error_code error;
  auto endpoint = socket.remote_endpoint(error);
  return error ? std::string() : endpoint.address().to_string();
}

HeadLimits limits_of(const ServerSettings& s) {
  return {s.max_target_bytes, s.max_head_bytes, s.max_fields};
}

iovec piece(std::string_view text) {
  return {const_cast<char*>(text.data()), text.size()};
}

}  // namespace

Session::Session(Loop& loop, Service& service, tcp::socket socket)
    : loop_(loop),
      service_(service),
      socket_(std::move(socket)),
      client_(address_text(socket_)),
      parser_(limits_of(loop.settings()), service.takes_body ? &service.takes_body : nullptr),
      buffer_(kBufferBytes) {
  if (service_.metrics != nullptr) service_.metrics->connection_opened();
}

Session::~Session() {
  std::error_code ignored;
  socket_.close(ignored);
  service_.held_body_bytes.fetch_sub(held_body_bytes_);
  service_.connections.fetch_sub(1);
  if (service_.metrics != nullptr) service_.metrics->connection_closed();
}

Task<> Session::run() {
  while (true) {
    std::optional<Answer> answer;
    HeadParser::Parsed parsed = parser_.parse(unread());
    if (parsed == HeadParser::Parsed::NeedMore) {
      if (!await_bytes()) break;
      auto [data, size] = room();
      std::error_code error;
      std::size_t count = co_await socket_.async_read_some(
          asio::buffer(data, size), asio::redirect_error(asio::use_awaitable, error));
      Received result = received(count, error);
      if (result == Received::Ended) break;
      if (result == Received::Some) continue;
      started_at_ = loop_.clock().now();
      trace_.begin(parser_.head(), loop_.trace_rules());
      answer = refuse(408, "The request's head did not arrive in time.");
      closing_ = true;
    } else {
      answer = begin(parsed);
    }
    if (!answer && route_ != nullptr) {
      Answer routed = co_await ask_route();
      answer = std::move(routed);
    } else if (!answer) {
      Answer walked = co_await ask_walk();
      answer = std::move(walked);
    }
    prepare(*answer);
    Sent sent = send_some();
    if (sent == Sent::Blocked) sent = co_await send_rest();
    finish(*answer);
    if (sent == Sent::Failed) break;
    if (closing_) {
      answer.reset();
      co_await linger();
      break;
    }
  }
  leave();
}

// The sweep calls this; the suspended operation then ends with operation_aborted.
void Session::expire(Wait wait) {
  if (wait == Wait::Write) {
    auto window_s = loop_.settings().write_window_ms.count() / 1000.0;
    std::int64_t acknowledged = acknowledged_bytes();
    auto expected = static_cast<std::int64_t>(
        static_cast<double>(loop_.settings().min_write_rate_bytes_per_s) * window_s);
    if (acknowledged - acknowledged_at_arm_ >= expected) {
      acknowledged_at_arm_ = acknowledged;
      loop_.deadlines().arm(*this, Wait::Write, loop_.clock().now());
      return;
    }
  }
  expired_ = true;
  std::error_code ignored;
  socket_.cancel(ignored);
}

// Chooses the deadline under which to read on; false when there is nothing more to wait for.
bool Session::await_bytes() {
  if (begin_ == end_) {
    if (service_.phase.load(std::memory_order_relaxed) == LifePhase::Closing) {
      // Who was let in as the doors closed has sent a request by then, or is about to: closing over
      // it would reset the connection. A moment is enough.
      if (requests_ > 0) return false;
      if (!is_waiting()) loop_.deadlines().arm(*this, Wait::Linger, loop_.clock().now());
      return true;
    }
    // finish() armed it already, with the time it had at hand.
    if (!is_waiting()) loop_.deadlines().arm(*this, Wait::Idle, loop_.clock().now());
    return true;
  }
  // The head's deadline runs from its first byte; reading on does not renew it.
  if (!is_head_started_) {
    is_head_started_ = true;
    loop_.deadlines().arm(*this, Wait::Head, loop_.clock().now());
  }
  return true;
}

std::pair<char*, std::size_t> Session::room() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (buffer_.size() > kBufferBytes) std::vector<char>(kBufferBytes).swap(buffer_);
  }
  if (buffer_.size() - end_ < kSmallRoomBytes && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // The parser refuses heads before the buffer could grow beyond twice their limit.
  if (buffer_.size() - end_ < kSmallRoomBytes) buffer_.resize(buffer_.size() * 2);
  return {buffer_.data() + end_, buffer_.size() - end_};
}

Session::Received Session::received(std::size_t count, const std::error_code& error) {
  bool timed_out = expired_ && error == asio::error::operation_aborted;
  expired_ = false;
  if (!error) {
    end_ += count;
    return Received::Some;
  }
  return timed_out && begin_ != end_ ? Received::TimedOut : Received::Ended;
}

Answer Session::refuse(int status, std::string_view detail) const {
  Answer answer;
  answer.entry = problem_entry(status, detail);
  answer.outcome =
      status >= 500 && status != 501 && status != 505 ? Outcome::ServerError : Outcome::ClientError;
  return answer;
}

// An answer if it can be given at once.
std::optional<Answer> Session::begin(HeadParser::Parsed parsed) {
  leave();
  is_head_started_ = false;
  route_ = nullptr;
  started_at_ = loop_.clock().now();
  trace_.begin(parser_.head(), loop_.trace_rules());
  ++requests_;
  if (parsed == HeadParser::Parsed::Rejected) {
    closing_ = true;
    return refuse(parser_.rejection().status, parser_.rejection().detail);
  }
  const RequestHead& head = parser_.head();
  closing_ = !head.keep_alive || requests_ >= loop_.settings().max_requests_per_connection;
  if (service_.route && head.target.starts_with("/_/")) {
    route_ = service_.route(head.method, head.target);
    if (route_ != nullptr) return std::nullopt;
  }
  return service_.answer_from_memory(viewing_of(head));
}

Viewing Session::viewing_of(const RequestHead& head) const {
  const ServerSettings& settings = loop_.settings();
  auto is_secret = [&](const std::string& secret) {
    return !secret.empty() && equal_in_constant_time(secret, head.origin_verify);
  };
  Viewing viewing{head.target, head.hints()};
  viewing.is_edge = !head.origin_verify.empty() &&
                    (is_secret(settings.edge_secret) || is_secret(settings.old_edge_secret));
  viewing.trace = trace_.context();
  return viewing;
}

Task<Answer> Session::ask_walk() {
  const RequestHead& head = parser_.head();
  trace_.lead(loop_.trace_rules());
  Viewing viewing = viewing_of(head);
  std::string what;
  try {
    co_return co_await service_.answer(viewing);
  } catch (const std::exception& e) {
    what = e.what();
  }
  log(LogLevel::Error, "answer-failed", {{"what", what}, {"target", head.target}});
  co_return refuse(500, "Something went wrong on our side.");
}

Task<Answer> Session::ask_route() {
  auto body = co_await read_body();
  service_.held_body_bytes.fetch_sub(std::exchange(held_body_bytes_, 0));
  const RequestHead& head = parser_.head();
  if (!body) {
    // Where the next request begins is not known: the connection ends.
    closing_ = true;
    bool is_full = body.error().code == ErrorCode::Busy;
    co_return refuse(is_full ? 503 : 408, body.error().detail);
  }
  AdminRequest request{.method = std::string(head.method),
                       .target = std::string(head.target),
                       .headers = fields_of(unread().substr(0, parser_.consumed_bytes())),
                       .body = std::move(*body),
                       .client = client_};
  std::string what;
  try {
    co_return co_await route_->answer(std::move(request));
  } catch (const std::exception& e) {
    what = e.what();
  }
  log(LogLevel::Error, "answer-failed", {{"what", what}, {"target", head.target}});
  co_return refuse(500, "Something went wrong on our side.");
}

bool Session::hold_body(std::size_t size_bytes) {
  held_body_bytes_ += size_bytes;
  return service_.held_body_bytes.fetch_add(size_bytes) + size_bytes <= kMaxHeldBodyBytes;
}

// What of the body came along with the head. The buffer keeps it: the head's views point there.
std::string Session::take_buffered_body() {
  std::string_view behind = unread().substr(parser_.consumed_bytes());
  std::string body(behind.substr(0, parser_.head().body_bytes));
  buffered_body_bytes_ = body.size();
  return body;
}

// Exactly the body, past the buffer, so that no byte of a next request is taken. Fails with Timeout
// (or when the client has gone, who then reads no answer anyway) and with Busy. Memory is taken as
// bytes arrive, not as they are announced.
Task<Result<std::string>> Session::read_body() {
  const std::size_t size = parser_.head().body_bytes;
  std::string body = take_buffered_body();
  auto busy = [] { return fail_public(ErrorCode::Busy, "Too many requests with a body."); };
  if (!hold_body(body.size())) co_return busy();
  if (body.size() == size) co_return body;
  loop_.deadlines().arm(*this, Wait::Head, loop_.clock().now());
  std::error_code error;
  if (parser_.head().expects_continue && body.empty()) {
    co_await asio::async_write(socket_, asio::buffer(kContinue),
                               asio::redirect_error(asio::use_awaitable, error));
  }
  while (!error && body.size() < size) {
    std::size_t done = body.size();
    // As much again as has come: who only announces a body holds next to nothing.
    std::size_t step = std::min({size - done, kBodyStepBytes, std::max(done, kSmallRoomBytes)});
    if (!hold_body(step)) co_return busy();
    body.resize(done + step);
    std::size_t count = co_await socket_.async_read_some(
        asio::buffer(body.data() + done, step), asio::redirect_error(asio::use_awaitable, error));
    body.resize(done + count);
    held_body_bytes_ -= step - count;
    service_.held_body_bytes.fetch_sub(step - count);
  }
  leave();
  expired_ = false;
  if (error)
    co_return fail_public(ErrorCode::Timeout, "The request's body did not arrive in time.");
  co_return body;
}

void Session::choose_head_and_body(const Answer& answer) {
  const Entry& entry = *answer.entry;
  const RequestHead& head = parser_.head();
  status_ = entry.meta.status;
  outcome_ = answer.outcome;
  std::string_view head_text = entry.head;
  std::string_view body = text_of(entry.body);
  if (head_text.empty()) head_text = own_head_ = full_head(entry.meta, entry.body.size());
  Conditions conditions{head.if_none_match.text(), head.if_modified_since, head.if_range,
                        head.range};
  if (status_ == 200 && !entry.meta.etag.empty() && conditions.any()) {
    Decision decision =
        decide(conditions, {entry.meta.etag, entry.meta.modified_unix_seconds, entry.body.size()},
               !head.is_head);
    if (decision.verdict == Verdict::NotModified) {
      status_ = 304;
      outcome_ = Outcome::NotModified;
      head_text = entry.head_not_modified;
      if (head_text.empty()) head_text = own_head_ = not_modified_head(entry.meta);
      body = {};
    } else if (decision.verdict == Verdict::Partial) {
      status_ = 206;
      head_text = own_head_ = partial_head(entry, decision);
      body = body.substr(decision.first, decision.last - decision.first + 1);
    } else if (decision.verdict == Verdict::Unsatisfiable) {
      status_ = 416;
      outcome_ = Outcome::ClientError;
      head_text = own_head_ = unsatisfiable_head(entry);
      body = {};
    }
  }
  if (answer.outcome == Outcome::Stale && status_ != 416)
    head_text = own_head_ = stale_head(head_text);
  if (head.method == "HEAD") body = {};
  pieces_[0] = piece(head_text);
  pieces_[2] = piece(body);
}

void Session::prepare(const Answer& answer) {
  choose_head_and_body(answer);
  if (service_.phase.load(std::memory_order_relaxed) != LifePhase::Serving) closing_ = true;
  RequestFields fields{answer, loop_.date_and_server(), loop_.unix_seconds()};
  if (answer.timings.render_us >= 0 || answer.timings.fetch_us >= 0 ||
      answer.timings.disk_us >= 0) {
    fields.total_us =
        std::chrono::duration_cast<std::chrono::microseconds>(loop_.clock().now() - started_at_)
            .count();
  }
  fields.close = closing_;
  fields.say_keep_alive = parser_.head().is_http10;
  fields.trace_field = trace_.answer_field();
  request_fields_.clear();
  append_request_fields(request_fields_, fields);
  pieces_[1] = piece(request_fields_);
  next_piece_ = 0;
  answer_bytes_ = to_send_bytes_ = pieces_[0].iov_len + pieces_[1].iov_len + pieces_[2].iov_len;
}

// One sendmsg for head and body, straight to the kernel: Asio's composed write would cap each send
// at 64 KiB and cost a coroutine frame.
Session::Sent Session::send_some() {
  while (to_send_bytes_ > 0) {
    msghdr message{};
    message.msg_iov = &pieces_[next_piece_];
    message.msg_iovlen = pieces_.size() - next_piece_;
    ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0) {
      if (errno == EINTR) continue;
      return errno == EAGAIN || errno == EWOULDBLOCK ? Sent::Blocked : Sent::Failed;
    }
    auto left = static_cast<std::size_t>(sent);
    to_send_bytes_ -= left;
    sent_bytes_ += sent;
    while (next_piece_ < pieces_.size() && left >= pieces_[next_piece_].iov_len) {
      left -= pieces_[next_piece_++].iov_len;
    }
    if (left > 0) {
      iovec& rest = pieces_[next_piece_];
      rest = {static_cast<char*>(rest.iov_base) + left, rest.iov_len - left};
    }
  }
  return Sent::All;
}

Task<Session::Sent> Session::send_rest() {
  acknowledged_at_arm_ = acknowledged_bytes();
  loop_.deadlines().arm(*this, Wait::Write, loop_.clock().now());
  Sent sent = Sent::Blocked;
  while (sent == Sent::Blocked) {
    std::error_code error;
    co_await socket_.async_wait(tcp::socket::wait_write,
                                asio::redirect_error(asio::use_awaitable, error));
    sent = error ? Sent::Failed : send_some();
  }
  leave();
  co_return sent;
}

// What the client has taken: given to the kernel less what still waits there. Counting what the
// kernel took would call a client slow while megabytes of socket buffer drain at a modest but
// honest rate.
std::int64_t Session::acknowledged_bytes() const {
  int waiting = 0;
  // The descriptor is a private copy of an int; ioctl does not change the socket.
  if (::ioctl(const_cast<tcp::socket&>(socket_).native_handle(), SIOCOUTQ, &waiting) != 0)
    waiting = 0;
  return sent_bytes_ - waiting;
}

void Session::finish(const Answer& answer) {
  Steady now = loop_.clock().now();
  auto duration = std::chrono::duration_cast<std::chrono::microseconds>(now - started_at_);
  std::uint64_t sent = answer_bytes_ - to_send_bytes_;
  const RequestHead& head = parser_.head();
  if (service_.metrics != nullptr) {
    // Routes are no pictures: they would spoil the hit ratio and the latency.
    if (route_ == nullptr) {
      service_.metrics->count(outcome_);
      service_.metrics->observe(Phase::Total, duration);
    }
    service_.metrics->count_sent_bytes(sent);
    AccessRecord record;
    record.client = client_;
    record.method = head.method;
    record.target = head.target;
    record.key = answer.entry->meta.key;
    record.status = status_;
    record.sent_bytes = sent;
    record.duration_us = duration.count();
    record.outcome = name_of(outcome_);
    record.error = answer.entry->meta.error_code;
    record.user_agent = head.user_agent;
    record.request_id = head.request_id;
    record.trace_id = trace_.id_text();
    record.amzn_trace = trace_.amzn_root();
    loop_.access_log().write(record, loop_.unix_seconds());
    if (trace_.is_recorded(loop_.trace_rules())) report_spans(answer, duration.count());
  }
  if (closing_) return;
  begin_ += parser_.consumed_bytes() + std::exchange(buffered_body_bytes_, 0);
  parser_.next();
  if (begin_ == end_) loop_.deadlines().arm(*this, Wait::Idle, now);
}

void Session::report_spans(const Answer& answer, std::int64_t duration_us) {
  const RequestHead& head = parser_.head();
  RequestTrace::Done done{.method = head.method,
                          .target = head.target,
                          .user_agent = head.user_agent,
                          .status = status_,
                          .sent_bytes = answer_bytes_ - to_send_bytes_,
                          .begin_unix_us = loop_.clock().unix_us() - duration_us,
                          .duration_us = duration_us,
                          .outcome = outcome_,
                          .answer = answer};
  trace_.report(done, loop_.trace_rules());
}

// Says that nothing more will come, then waits a moment for the client to have read it and to
// close.
Task<> Session::linger() {
  std::error_code error;
  socket_.shutdown(tcp::socket::shutdown_send, error);
  if (error) co_return;
  loop_.deadlines().arm(*this, Wait::Linger, loop_.clock().now());
  std::size_t thrown_away = 0;
  while (!error && thrown_away < kLingerBytes) {
    thrown_away += co_await socket_.async_read_some(
        asio::buffer(buffer_), asio::redirect_error(asio::use_awaitable, error));
  }
}

}  // namespace tintype
