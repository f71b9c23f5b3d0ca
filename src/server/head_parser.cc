// SPDX-License-Identifier: Apache-2.0
#include "server/head_parser.h"

#include <cstring>

#include <llhttp.h>

#include "base/text.h"

namespace tintype {
namespace {

// The longest method llhttp knows and " HTTP/1.1", with room: beyond max_target_bytes + this an
// unfinished request line can only be a target that is too long.
constexpr std::size_t kRequestLineSlackBytes = 64;

bool is_token_char(char c) {
  // RFC 9110 section 5.6.2.
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// "FOO /x HTTP/1.1": a request in every respect but a method that nobody registered.
bool has_unknown_method(std::string_view head) {
  std::string_view line = head.substr(0, head.find("\r\n"));
  std::size_t space = line.find(' ');
  if (space == std::string_view::npos || space == 0) return false;
  for (char c : line.substr(0, space)) {
    if (!is_token_char(c)) return false;
  }
  return line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0");
}

// The request line ends in a version of HTTP, be it one that does not exist.
bool names_version(std::string_view head) {
  std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.size() < 9 || !line.substr(line.size() - 9).starts_with(" HTTP/")) return false;
  auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return is_digit(line[line.size() - 3]) && line[line.size() - 2] == '.' && is_digit(line.back());
}

// The characters a host and port may have (RFC 3986 section 3.2.2: reg-name, IPv6 literal, port).
bool is_host_text(std::string_view host) {
  for (char c : host) {
    if (!is_token_char(c) && c != ':' && c != '[' && c != ']' && c != '(' && c != ')' && c != ',' &&
        c != ';' && c != '=') {
      return false;
    }
    if (c == '#' || c == '^' || c == '`' || c == '|') return false;
  }
  return true;
}

bool is_visible(std::string_view text) {
  for (char c : text) {
    // Bytes above 0x7F are let through: raw UTF-8 in a path is common, and the dialect decides.
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return false;
  }
  return true;
}

}  // namespace

// llhttp's callbacks. All bytes of a head are given in one call, so the spans of a name or a value
// arrive whole or in adjacent pieces.
struct HeadCallbacks {
  static HeadParser& self(llhttp_t* p) { return *static_cast<HeadParser*>(p->data); }

  static void extend(std::string_view& view, const char* at, std::size_t length) {
    view = view.empty()
               ? std::string_view(at, length)
               : std::string_view(view.data(), static_cast<std::size_t>(at + length - view.data()));
  }
  static int on_method(llhttp_t* p, const char* at, std::size_t length) {
    extend(self(p).head_.method, at, length);
    return 0;
  }
  static int on_url(llhttp_t* p, const char* at, std::size_t length) {
    extend(self(p).raw_target_, at, length);
    return 0;
  }
  static int on_field(llhttp_t* p, const char* at, std::size_t length) {
    extend(self(p).field_name_, at, length);
    return 0;
  }
  static int on_value(llhttp_t* p, const char* at, std::size_t length) {
    extend(self(p).field_value_, at, length);
    return 0;
  }
  static int on_value_complete(llhttp_t* p) {
    HeadParser& parser = self(p);
    parser.take_field(parser.field_name_, trim(parser.field_value_));
    parser.field_name_ = parser.field_value_ = {};
    return 0;
  }
  static int on_headers_complete(llhttp_t* p) {
    HeadParser& parser = self(p);
    parser.version_major_ = llhttp_get_http_major(p);
    parser.version_minor_ = llhttp_get_http_minor(p);
    parser.method_code_ = llhttp_get_method(p);
    parser.head_.keep_alive = llhttp_should_keep_alive(p) != 0;
    return 1;  // no body is read, whatever the head says: judge() refuses one
  }
  static const llhttp_settings_t& settings() {
    static const llhttp_settings_t kSettings = [] {
      llhttp_settings_t s;
      llhttp_settings_init(&s);
      s.on_method = on_method;
      s.on_url = on_url;
      s.on_header_field = on_field;
      s.on_header_value = on_value;
      s.on_header_value_complete = on_value_complete;
      s.on_headers_complete = on_headers_complete;
      return s;
    }();
    return kSettings;
  }
};

void ListField::add(std::string_view line) {
  if (++lines_ == 1) {
    first_ = line;
    return;
  }
  if (lines_ == 2) joined_ = first_;
  joined_ += ", ";
  joined_ += line;
}

void ListField::clear() {
  first_ = {};
  joined_.clear();
  lines_ = 0;
}

void RequestHead::clear() {
  ListField accepted = std::move(accept), tags = std::move(if_none_match);
  ListField states = std::move(tracestate);
  accepted.clear();
  tags.clear();
  states.clear();
  *this = {};
  accept = std::move(accepted);
  if_none_match = std::move(tags);
  tracestate = std::move(states);
}

void HeadParser::next() {
  head_.clear();
  rejection_ = {};
  line_at_ = scanned_ = end_ = 0;
  lines_ = host_lines_ = length_lines_ = coding_lines_ = 0;
  has_body_ = has_bad_host_ = false;
  version_major_ = version_minor_ = method_code_ = 0;
  raw_target_ = field_name_ = field_value_ = length_ = expectation_ = {};
}

HeadParser::Parsed HeadParser::reject(int status, std::string_view detail) {
  rejection_ = {status, detail};
  return Parsed::Rejected;
}

HeadParser::Parsed HeadParser::parse(std::string_view bytes) {
  Parsed lines = scan_lines(bytes);
  if (lines != Parsed::Complete) return lines;
  return run_grammar(bytes.substr(0, end_));
}

// Finds the end of the head, holding the limits and the shape of lines on the way, so that hostile
// bytes are turned away before they are all here. llhttp alone would take bare line feeds as line
// ends and would join folded lines.
HeadParser::Parsed HeadParser::scan_lines(std::string_view bytes) {
  while (scanned_ < bytes.size()) {
    const void* found = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (found == nullptr) break;
    auto feed_at = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (feed_at >= limits_.max_head_bytes) {
      return lines_ == 0 ? reject(414, "The request target is too long.")
                         : reject(431, "The request's header fields are too large.");
    }
    Parsed line = take_line(bytes, feed_at);
    if (line != Parsed::NeedMore) return line;
  }
  scanned_ = bytes.size();
  if (!bytes.empty() && lines_ == 0 && line_at_ == 0) {
    char first = bytes.front();
    // A TLS handshake or another protocol: say so now instead of waiting for a line that never
    // ends.
    if (!is_token_char(first) && first != '\r') return reject(400, "This is not HTTP.");
    if (bytes.size() > limits_.max_target_bytes + kRequestLineSlackBytes) {
      return reject(414, "The request target is too long.");
    }
  }
  if (bytes.size() >= limits_.max_head_bytes) {
    return reject(431, "The request's header fields are too large.");
  }
  return Parsed::NeedMore;
}

// One line, bytes[line_at_, feed_at]. Complete: it was the empty line.
HeadParser::Parsed HeadParser::take_line(std::string_view bytes, std::size_t feed_at) {
  std::size_t begin = line_at_;
  line_at_ = scanned_ = feed_at + 1;
  if (feed_at == begin || bytes[feed_at - 1] != '\r') {
    return reject(400, "A line of the request does not end in CR LF.");
  }
  if (feed_at == begin + 1) {
    end_ = feed_at + 1;
    if (lines_ > 0) return Parsed::Complete;
    // RFC 9112 section 2.2: one empty line before a request is forgiven.
    return begin == 0 ? Parsed::NeedMore : reject(400, "The request begins with empty lines.");
  }
  if (lines_ > 0 && (bytes[begin] == ' ' || bytes[begin] == '\t')) {
    return reject(400, "A header field is folded over several lines.");
  }
  // llhttp 8.1 takes a field without a name.
  if (bytes[begin] == ':') return reject(400, "A header field has no name.");
  // The request line is not a field.
  if (++lines_ > limits_.max_fields + 1)
    return reject(431, "The request has too many header fields.");
  return Parsed::NeedMore;
}

HeadParser::Parsed HeadParser::run_grammar(std::string_view head) {
  llhttp_t grammar;
  llhttp_init(&grammar, HTTP_REQUEST, &HeadCallbacks::settings());
  grammar.data = this;
  llhttp_errno_t error = llhttp_execute(&grammar, head.data(), head.size());
  // "Upgrade:" asks for another protocol; RFC 9110 section 7.8 lets a server ignore it.
  if (error != HPE_OK && error != HPE_PAUSED_UPGRADE) {
    if (coding_lines_ > 0 && length_lines_ == 0 && error != HPE_INVALID_HEADER_TOKEN) {
      return reject(501, "Transfer-Encoding is not accepted here.");
    }
    if (error == HPE_INVALID_METHOD && has_unknown_method(head)) {
      return reject(501, "The request method is not known.");
    }
    if (error == HPE_INVALID_VERSION && names_version(head))
      return reject(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
    return reject(400, "The request is not well-formed HTTP.");
  }
  return judge();
}

HeadParser::Parsed HeadParser::judge() {
  if (version_major_ != 1 || version_minor_ > 1) {
    return reject(505, "Only HTTP/1.1 and HTTP/1.0 are spoken here.");
  }
  head_.is_http10 = version_minor_ == 0;
  bool known_target = take_target(raw_target_);
  if (raw_target_.size() > limits_.max_target_bytes) {
    return reject(414, "The request target is too long.");
  }
  if (coding_lines_ > 0 && length_lines_ > 0) {
    return reject(400, "The request has both Content-Length and Transfer-Encoding.");
  }
  if (length_lines_ > 1) return reject(400, "The request has more than one Content-Length.");
  if (host_lines_ > 1) return reject(400, "The request has more than one Host.");
  if (host_lines_ == 0 && !head_.is_http10) return reject(400, "The request has no Host.");
  if (has_bad_host_) return reject(400, "The request's Host is not a host.");
  if (method_code_ != HTTP_GET && method_code_ != HTTP_HEAD) {
    std::optional<std::size_t> max_bytes;
    if (bodies_ != nullptr && known_target) max_bytes = (*bodies_)(head_.method, head_.target);
    return max_bytes ? judge_body(*max_bytes) : reject(405, "Only GET and HEAD are allowed.");
  }
  head_.is_head = method_code_ == HTTP_HEAD;
  if (coding_lines_ > 0) return reject(501, "Transfer-Encoding is not accepted here.");
  if (has_body_) return reject(400, "A request for a picture has no body.");
  if (!known_target) return reject(400, "The request target is not a path.");
  return Parsed::Complete;
}

// A body of one stated length, or none of it is read: where it ends must be beyond doubt.
HeadParser::Parsed HeadParser::judge_body(std::size_t max_bytes) {
  if (coding_lines_ > 0) {
    return reject(411, "Transfer-Encoding is not accepted here; say Content-Length.");
  }
  if (length_lines_ == 0) return reject(411, "The request has no Content-Length.");
  auto length = parse_int(length_);
  if (!length || length_.starts_with('-'))
    return reject(400, "The request's Content-Length is not a number.");
  if (static_cast<std::uint64_t>(*length) > max_bytes) {
    return reject(413, "The request's body is too large.");
  }
  head_.body_bytes = static_cast<std::size_t>(*length);
  if (expectation_.empty() || head_.is_http10) return Parsed::Complete;
  if (!equals_ignoring_case(expectation_, "100-continue")) {
    return reject(417, "No expectation but 100-continue is understood.");
  }
  head_.expects_continue = true;
  return Parsed::Complete;
}

// Origin-form is taken as it is; "http://host/path" loses what stands before the path.
bool HeadParser::take_target(std::string_view raw) {
  if (!raw.starts_with('/')) {
    std::size_t scheme = raw.find("://");
    std::string_view name = raw.substr(0, scheme == std::string_view::npos ? 0 : scheme);
    if (!equals_ignoring_case(name, "http") && !equals_ignoring_case(name, "https")) return false;
    std::size_t path = raw.find_first_of("/?", scheme + 3);
    if (path == scheme + 3) return false;  // no authority
    raw = path == std::string_view::npos ? "/" : raw.substr(path);
    if (raw.front() != '/') return false;
  }
  head_.target = raw;
  return raw.find('#') == std::string_view::npos && is_visible(raw);
}

void HeadParser::take_trace_field(std::string_view name, std::string_view value) {
  if (name.size() == 10 && equals_ignoring_case(name, "tracestate")) head_.tracestate.add(value);
  if (name.size() == 15 && equals_ignoring_case(name, "x-amzn-trace-id")) head_.amzn_trace = value;
  if (name.size() != 11 || !equals_ignoring_case(name, "traceparent")) return;
  // More than one is as good as none (Trace Context section 3.2): no such text is a parent.
  head_.traceparent = head_.traceparent.empty() ? value : "several";
}

void HeadParser::take_field(std::string_view name, std::string_view value) {
  auto is = [name](std::string_view known) { return equals_ignoring_case(name, known); };
  // A hint under its older name counts only beside no newer one.
  auto older = [value](std::string_view& hint) {
    if (hint.empty()) hint = value;
  };
  // By length first: most fields of a browser are none of ours.
  switch (name.size()) {
    case 3:
      if (is("ect")) head_.client_hints.ect = value;
      if (is("rtt")) head_.client_hints.rtt = value;
      if (is("dpr")) older(head_.client_hints.dpr);
      break;
    case 4:
      if (is("host")) {
        ++host_lines_;
        if (!is_host_text(value)) has_bad_host_ = true;
      }
      break;
    case 5:
      if (is("range")) head_.range = value;
      if (is("width")) older(head_.client_hints.width);
      break;
    case 6:
      if (is("accept")) head_.accept.add(value);
      if (is("expect")) expectation_ = value;
      break;
    case 8:
      if (is("if-range")) head_.if_range = value;
      if (is("downlink")) head_.client_hints.downlink = value;
      break;
    case 9:
      if (is("save-data")) head_.client_hints.save_data = value;
      break;
    case 10:
      if (is("user-agent")) head_.user_agent = value;
      if (is("sec-ch-dpr")) head_.client_hints.dpr = value;
      break;
    case 12:
      if (is("x-request-id")) head_.request_id = value;
      if (is("sec-ch-width")) head_.client_hints.width = value;
      break;
    case 13:
      if (is("if-none-match")) head_.if_none_match.add(value);
      break;
    case 14:
      if (is("content-length")) {
        ++length_lines_;
        length_ = value;
        if (value.find_first_not_of('0') != std::string_view::npos || value.empty())
          has_body_ = true;
      }
      if (is("viewport-width")) older(head_.client_hints.viewport_width);
      break;
    case 15:
      if (is("x-origin-verify")) head_.origin_verify = value;
      break;
    case 17:
      if (is("if-modified-since")) head_.if_modified_since = value;
      if (is("transfer-encoding")) ++coding_lines_;
      break;
    case 21:
      if (is("sec-ch-viewport-width")) head_.client_hints.viewport_width = value;
      break;
    default:
      break;
  }
  take_trace_field(name, value);
}

}  // namespace tintype
