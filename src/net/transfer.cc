// SPDX-License-Identifier: Apache-2.0
#include "net/transfer.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

namespace tintype {
namespace {

// A redirect's body is for people without a browser; nobody reads it here.
constexpr std::int64_t kMaxRedirectBodyBytes = 64'000;
// libcurl's default of 16 kB costs four times the calls for a picture of a few megabytes.
constexpr long kReceiveBufferBytes = 64 * 1024;

// RFC 9110 section 9.2.2, of the methods known here.
bool is_idempotent(std::string_view method) {
  return method != "POST";
}

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

Failure origin_failed(std::string message) {
  return fail_private(ErrorCode::OriginFailed, std::move(message));
}

// A query may be a signature (presigned URLs), so it stands in no message.
std::string without_query(const std::string& url) {
  return url.substr(0, url.find('?'));
}

}  // namespace

Transfer::Transfer(OutgoingRequest request, const HttpClientSettings& settings, const Clock& clock,
                   Done done)
    : request_(std::move(request)), settings_(settings), clock_(clock), done_(std::move(done)) {
  if (request_.timeout_ms.count() > 0) {
    request_.deadline.at = std::min(request_.deadline.at, clock_.now() + request_.timeout_ms);
  }
  url_rules_ = {request_.allow_private_addresses, settings_.public_ports};
}

Transfer::~Transfer() {
  if (easy_ != nullptr) curl_easy_cleanup(easy_);
  curl_slist_free_all(header_list_);
}

Result<> Transfer::begin(CURLSH* share) {
  easy_ = curl_easy_init();
  if (easy_ == nullptr) return fail_private(ErrorCode::Internal, "curl_easy_init failed");
  TRY(set_fixed_options(share));
  TRY(set_method());
  TRY(Url url, check_url(request_.url, url_rules_));
  first_origin_ = url.origin;
  return start_hop(std::move(url));
}

Result<> Transfer::set_fixed_options(CURLSH* share) {
  CURLcode worst = CURLE_OK;
  auto set = [&](CURLoption option, auto value) {
    if (CURLcode code = curl_easy_setopt(easy_, option, value); code != CURLE_OK) worst = code;
  };
  set(CURLOPT_NOSIGNAL, 1L);
  // Ending a transfer must not wait for a resolver thread: one dead name server would stop all.
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_PRIVATE, static_cast<void*>(this));
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(curl_message_));
  set(CURLOPT_SHARE, share);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);  // each hop is checked here, see end_hop
  set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  set(CURLOPT_PROXY, "");  // also keeps libcurl from the proxy variables of the environment
  set(CURLOPT_NOPROXY, "*");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_HTTP09_ALLOWED, 0L);
  set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  set(CURLOPT_TCP_NODELAY, 1L);
  set(CURLOPT_USERAGENT, "tintype");
  set(CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings_.connect_timeout_ms.count()));
  set(CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
  set(CURLOPT_PREREQFUNCTION, &Transfer::before_request);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &Transfer::take_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  if (worst == CURLE_OK) return {};
  // A libcurl without one of these would fetch with fewer guards than promised.
  return fail_private(ErrorCode::Internal,
                      std::string("libcurl lacks an option: ") + curl_easy_strerror(worst));
}

// Bodies go out as uploads of a known length whatever the method is called: that way libcurl adds
// no Content-Type of its own, and asks for the body part by part, which does not hold the thread.
Result<> Transfer::set_method() {
  const std::string& method = request_.method;
  bool is_fetch = method == "GET" || method == "HEAD";
  bool is_upload = method == "PUT" || method == "POST" || request_.body != nullptr;
  bool is_known = is_fetch || method == "PUT" || method == "POST" || method == "DELETE";
  if (!is_known || (is_fetch && is_upload)) {
    return fail_private(ErrorCode::Internal,
                        "no such request: " + method + (is_upload ? " with a body" : ""));
  }
  if (method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  if (is_upload) {
    auto size = request_.body == nullptr ? 0 : request_.body->size();
    curl_easy_setopt(easy_, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy_, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(size));
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &Transfer::give_body);
    curl_easy_setopt(easy_, CURLOPT_READDATA, static_cast<void*>(this));
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, &Transfer::seek_body);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, static_cast<void*>(this));
  }
  if (is_fetch) return {};
  if (curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, method.c_str()) == CURLE_OK) return {};
  return fail_private(ErrorCode::Internal, "libcurl refuses the method " + method);
}

Result<> Transfer::start_hop(Url url) {
  url_ = std::move(url);
  response_ = {};
  header_bytes_ = body_bytes_ = 0;
  body_sent_ = 0;
  sent_at_.reset();
  is_heard_ = is_head_complete_ = is_guarded_off_ = false;
  curl_message_[0] = '\0';
  // The low-speed rule begins with the answer (read_header_line); until then the wait for the first
  // byte is what counts.
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 0L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, 0L);
  if (curl_easy_setopt(easy_, CURLOPT_URL, url_.text.c_str()) != CURLE_OK) {
    return fail_private(ErrorCode::Internal, "libcurl refuses the URL " + url_.text);
  }
  return set_headers();
}

Result<> Transfer::set_headers() {
  curl_slist_free_all(std::exchange(header_list_, nullptr));
  auto append = [this](const std::string& line) -> Result<> {
    curl_slist* longer = curl_slist_append(header_list_, line.c_str());
    if (longer == nullptr) return fail_private(ErrorCode::Internal, "curl_slist_append failed");
    header_list_ = longer;
    return {};
  };
  TRY(append("Accept-Encoding: identity"));
  // Waiting for "100 Continue" costs a round trip, or a second where nobody sends it.
  TRY(append("Expect:"));
  if (url_.origin == first_origin_) {
    for (const auto& [name, value] : request_.headers) {
      if (!is_printable(name) || !is_printable(value)) {
        return fail_private(ErrorCode::Internal, "a request header holds a control character");
      }
      // libcurl's spelling of an empty value is "Name;"; "Name:" would remove the header.
      TRY(append(value.empty() ? name + ";" : name + ": " + value));
    }
  }
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, header_list_);
  return {};
}

// ---- the guard

bool Transfer::may_connect(const sockaddr& address) const {
  if (request_.allow_private_addresses) {
    return address.sa_family == AF_INET || address.sa_family == AF_INET6;
  }
  return settings_.may_connect(address);
}

curl_socket_t Transfer::open_socket(void* self, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.may_connect(address->addr)) {
    transfer.is_guarded_off_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// Also asked on a pooled connection, which another request with another rule may have opened.
int Transfer::before_request(void* self, char* remote_ip, char* /*local_ip*/, int /*remote_port*/,
                             int /*local_port*/) {
  auto& transfer = *static_cast<Transfer*>(self);
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  bool is_allowed = false;
  if (inet_pton(AF_INET, remote_ip, &v4.sin_addr) == 1) {
    is_allowed = transfer.may_connect(reinterpret_cast<const sockaddr&>(v4));
  } else if (inet_pton(AF_INET6, remote_ip, &v6.sin6_addr) == 1) {
    is_allowed = transfer.may_connect(reinterpret_cast<const sockaddr&>(v6));
  }
  if (!is_allowed) {
    transfer.own_fault_ = Error::in_private(
        ErrorCode::Forbidden, "address " + std::string(remote_ip) + " of " + transfer.name());
    return CURL_PREREQFUNC_ABORT;
  }
  // libcurl sends again by itself when a pooled connection ends before a byte of the answer. What
  // has been done by then nobody knows, so only idempotent requests may go a second time.
  if (transfer.sent_at_ && !is_idempotent(transfer.request_.method)) {
    transfer.own_fault_ = Error::in_private(
        ErrorCode::OriginFailed, transfer.name() + ": connection closed before an answer");
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.sent_at_ = transfer.clock_.now();
  if (transfer.request_.may_have_arrived) *transfer.request_.may_have_arrived = true;
  return CURL_PREREQFUNC_OK;
}

// ---- the body

std::size_t Transfer::give_body(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.request_.body == nullptr) return 0;
  const Bytes& body = *transfer.request_.body;
  std::size_t part = std::min(size * count, body.size() - transfer.body_sent_);
  std::copy_n(body.begin() + static_cast<std::ptrdiff_t>(transfer.body_sent_), part, buffer);
  transfer.body_sent_ += part;
  // An upload that moves is alive: the wait for the first byte begins anew with each part.
  transfer.sent_at_ = transfer.clock_.now();
  return part;
}

// libcurl goes back to the start before it sends a second time.
int Transfer::seek_body(void* self, curl_off_t offset, int whence) {
  auto& transfer = *static_cast<Transfer*>(self);
  std::size_t size = transfer.request_.body == nullptr ? 0 : transfer.request_.body->size();
  if (whence != SEEK_SET || offset < 0 || static_cast<std::size_t>(offset) > size) {
    return CURL_SEEKFUNC_FAIL;
  }
  transfer.body_sent_ = static_cast<std::size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

// ---- the answer

std::size_t Transfer::take_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    auto read = transfer.read_header_line({data, size * count});
    if (read) return size * count;
    transfer.own_fault_ = std::move(read).error();
  } catch (const std::exception& e) {
    transfer.own_fault_ = Error::in_private(ErrorCode::Internal, e.what());
  }
  return 0;
}

std::size_t Transfer::take_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    auto read = transfer.read_body(view_of({data, size * count}));
    if (read) return size * count;
    transfer.own_fault_ = std::move(read).error();
  } catch (const std::exception& e) {
    transfer.own_fault_ = Error::in_private(ErrorCode::Internal, e.what());
  }
  return 0;
}

Result<> Transfer::read_header_line(std::string_view line) {
  if (!is_heard_) {
    is_heard_ = true;
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT,
                     static_cast<long>(settings_.low_speed_bytes_per_second));
    curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME,
                     static_cast<long>(settings_.low_speed_time.count()));
  }
  header_bytes_ += static_cast<std::int64_t>(line.size());
  if (header_bytes_ > settings_.max_header_bytes) {
    return origin_failed("more than " + std::to_string(settings_.max_header_bytes) +
                         " bytes of headers from " + without_query(url_.text));
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // also after a 1xx
    response_.headers.clear();
    is_head_complete_ = false;
    return {};
  }
  if (line.empty()) {
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    is_head_complete_ = true;
    return {};
  }
  auto colon = line.find(':');
  if (is_head_complete_ || colon == std::string_view::npos) return {};
  response_.headers.emplace_back(lower(trim(line.substr(0, colon))), trim(line.substr(colon + 1)));
  return {};
}

Result<> Transfer::read_body(ByteView part) {
  auto too_large = [this](std::int64_t limit) {
    return fail_private(ErrorCode::TooLarge, "more than " + std::to_string(limit) +
                                                 " bytes of body from " + without_query(url_.text));
  };
  if (is_redirect()) {
    body_bytes_ += static_cast<std::int64_t>(part.size());
    if (body_bytes_ > kMaxRedirectBodyBytes) return origin_failed("endless redirect " + name());
    return {};
  }
  if (body_bytes_ == 0) {
    auto announced = parse_int(response_.header("content-length")).value_or(0);
    if (announced > request_.max_body_bytes) return too_large(request_.max_body_bytes);
    if (announced > 0) response_.body.reserve(static_cast<std::size_t>(announced));
  }
  body_bytes_ += static_cast<std::int64_t>(part.size());
  if (body_bytes_ > request_.max_body_bytes) return too_large(request_.max_body_bytes);
  response_.body.insert(response_.body.end(), part.begin(), part.end());
  return {};
}

bool Transfer::is_redirect() const {
  bool is_fetch = request_.method == "GET" || request_.method == "HEAD";
  if (!is_fetch || !request_.follow_redirects) return false;
  int s = response_.status;
  bool is_moved = s == 301 || s == 302 || s == 303 || s == 307 || s == 308;
  return is_moved && !response_.header("location").empty();
}

// ---- the end

Result<Transfer::Next> Transfer::end_hop(CURLcode code) {
  if (own_fault_) return fail(*own_fault_);
  if (code != CURLE_OK) return fail(fault_of(code));
  if (!is_redirect()) return Next::Finished;
  if (++redirects_ > settings_.max_redirects) {
    return origin_failed("more than " + std::to_string(settings_.max_redirects) +
                         " redirects from " + without_query(request_.url));
  }
  TRY(Url next, follow(url_, std::string(response_.header("location")), url_rules_));
  TRY(start_hop(std::move(next)));
  return Next::AnotherHop;
}

Error Transfer::fault_of(CURLcode code) const {
  std::string reason = curl_message_[0] != '\0' ? curl_message_ : curl_easy_strerror(code);
  std::string message = name() + ": " + reason;
  if (is_guarded_off_ && !sent_at_) {
    return Error::in_private(ErrorCode::Forbidden, message + " (address guard)");
  }
  auto kind = code == CURLE_OPERATION_TIMEDOUT ? ErrorCode::Timeout : ErrorCode::OriginFailed;
  return Error::in_private(kind, std::move(message));
}

std::string Transfer::name() const {
  return request_.method + " " + without_query(url_.text);
}

Result<> Transfer::check_time(Steady now) const {
  if (now >= request_.deadline.at) {
    return fail_private(ErrorCode::Timeout, "deadline passed: " + name());
  }
  if (sent_at_ && !is_heard_ && now >= *sent_at_ + settings_.first_byte_timeout_ms) {
    return fail_private(ErrorCode::Timeout, "no first byte in time: " + name());
  }
  return {};
}

void Transfer::finish(Result<> verdict) {
  CHECK(done_ != nullptr);
  Done done = std::exchange(done_, nullptr);
  if (verdict) {
    done(std::move(response_));
  } else {
    done(fail(std::move(verdict).error()));
  }
}

}  // namespace tintype
