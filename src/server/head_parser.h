// SPDX-License-Identifier: Apache-2.0
// HeadParser: bytes of a connection -> one request's head, or the reason why there will be none. No
// I/O, no time, no allocation for an ordinary request; not thread-safe, one per connection.
//
// The grammar is llhttp's (Node's parser), strict flags. On top stand the rules that close request
// smuggling: every line ends in CR LF, no folded lines, exactly one Host, no Transfer-Encoding, no
// body but where the port's BodyRule allows one, and then of one stated length; and our limits. A
// rejected head ends the connection: what follows it cannot be trusted to begin where we think it
// does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "transform/client_hints.h"

namespace tintype {

struct HeadLimits {
  std::size_t max_target_bytes = 8192;
  std::size_t max_head_bytes = 16384;
  int max_fields = 100;
};

// Which requests beside GET and HEAD are taken, and how large their body may be in bytes; nothing:
// not taken.
using BodyRule =
    std::function<std::optional<std::size_t>(std::string_view method, std::string_view target)>;

// A field that may come in several lines, which mean the same as one line joined by ", "
// (RFC 9110 section 5.3). Owns memory only when there is more than one line.
class ListField {
 public:
  void add(std::string_view line);
  void clear();
  std::string_view text() const { return lines_ > 1 ? std::string_view(joined_) : first_; }
  int lines() const { return lines_; }

 private:
  std::string_view first_;
  std::string joined_;
  int lines_ = 0;
};

// What the server reads of a head. Views point into the bytes given to parse().
struct RequestHead {
  std::string_view method;
  std::string_view target;  // origin-form: an absolute-form target lost its scheme and authority
  bool is_head = false;     // HEAD, else GET
  bool is_http10 = false;
  bool keep_alive = false;  // what the client asked for
  ListField accept, if_none_match;
  std::string_view if_modified_since, if_range, range, user_agent, request_id, origin_verify;
  std::string_view traceparent, amzn_trace;  // telemetry/trace_context.h
  ListField tracestate;
  Hints client_hints;  // all but accept and user_agent
  // Of a request that BodyRule allows: what follows the head, and that the client waits for a word
  // before it sends that.
  std::size_t body_bytes = 0;
  bool expects_continue = false;

  // As new, but for the memory of its lists: nothing of a request may stand in the next one.
  void clear();

  Hints hints() const {
    Hints all = client_hints;
    all.accept = accept.text();
    all.user_agent = user_agent;
    return all;
  }
};

struct Rejection {
  int status = 0;
  std::string_view detail;  // public
};

class HeadParser {
 public:
  enum class Parsed : std::uint8_t { NeedMore, Complete, Rejected };

  // `bodies` outlives the parser; null: only GET and HEAD, without a body.
  explicit HeadParser(const HeadLimits& limits, const BodyRule* bodies = nullptr)
      : limits_(limits), bodies_(bodies) {}

  // `bytes`: everything received since the last head ended; the same bytes again with more behind
  // them after NeedMore (they may have moved). After Complete or Rejected call next().
  Parsed parse(std::string_view bytes);
  // Of the last parse(): Complete fills head() and consumed_bytes(); Rejected fills rejection() and
  // as much of head() as was understood.
  const RequestHead& head() const { return head_; }
  std::size_t consumed_bytes() const { return end_; }
  const Rejection& rejection() const { return rejection_; }
  // Forgets the last head.
  void next();

 private:
  friend struct HeadCallbacks;

  Parsed reject(int status, std::string_view detail);
  Parsed scan_lines(std::string_view bytes);
  Parsed take_line(std::string_view bytes, std::size_t feed_at);
  Parsed run_grammar(std::string_view head);
  Parsed judge();
  Parsed judge_body(std::size_t max_bytes);
  bool take_target(std::string_view raw);
  void take_field(std::string_view name, std::string_view value);
  void take_trace_field(std::string_view name, std::string_view value);

  HeadLimits limits_;
  const BodyRule* bodies_;
  RequestHead head_;
  Rejection rejection_;
  std::size_t line_at_ = 0;  // where the line being received begins
  std::size_t scanned_ = 0;  // no line feed before this
  std::size_t end_ = 0;      // behind the empty line
  int lines_ = 0;            // complete lines with something in them
  int host_lines_ = 0, length_lines_ = 0, coding_lines_ = 0;
  bool has_body_ = false, has_bad_host_ = false;
  int version_major_ = 0, version_minor_ = 0, method_code_ = 0;
  std::string_view raw_target_, field_name_, field_value_, length_, expectation_;
};

}  // namespace tintype
