// SPDX-License-Identifier: Apache-2.0
// Transfer: one request over all of its hops. It owns the libcurl easy handle, holds every limit of
// the request (address guard, body and header size, first byte, deadline), sends the body and
// builds the response. Used by the HttpClient's thread only; not thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "net/http_client.h"
#include "net/url.h"

namespace tintype {

class Transfer {
 public:
  using Done = std::function<void(Result<IncomingResponse>)>;

  // `settings` and `clock` must outlive the transfer.
  Transfer(OutgoingRequest request, const HttpClientSettings& settings, const Clock& clock,
           Done done);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Readies the easy handle for the first hop. `share` keeps TLS sessions.
  Result<> begin(CURLSH* share);
  CURL* handle() const { return easy_; }
  // "https://dam.example:443", of the first hop. Known after begin().
  const std::string& origin() const { return first_origin_; }

  enum class Next : std::uint8_t { Finished, AnotherHop };
  // What follows after libcurl has ended a hop with `code`. AnotherHop: a redirect is to be
  // followed and the handle is ready to be added again.
  Result<Next> end_hop(CURLcode code);
  // Fails with Timeout once the deadline or the wait for the first byte has passed.
  Result<> check_time(Steady now) const;
  // Gives the result to whoever waits. Exactly once.
  void finish(Result<> verdict);

 private:
  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int before_request(void* self, char* remote_ip, char* local_ip, int remote_port,
                            int local_port);
  static std::size_t take_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t take_body(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t give_body(char* buffer, std::size_t size, std::size_t count, void* self);
  static int seek_body(void* self, curl_off_t offset, int whence);

  Result<> set_fixed_options(CURLSH* share);
  Result<> set_method();
  Result<> start_hop(Url url);
  Result<> set_headers();
  bool may_connect(const sockaddr& address) const;
  Result<> read_header_line(std::string_view line);
  Result<> read_body(ByteView part);
  bool is_redirect() const;
  Error fault_of(CURLcode code) const;
  // "PUT https://bucket.example/a.jpg" for messages: without the query, which may be a signature.
  std::string name() const;

  OutgoingRequest request_;
  const HttpClientSettings& settings_;
  const Clock& clock_;
  Done done_;
  UrlRules url_rules_;

  CURL* easy_ = nullptr;
  curl_slist* header_list_ = nullptr;
  char curl_message_[CURL_ERROR_SIZE] = {};
  Url url_;                   // of this hop
  std::string first_origin_;  // of the first hop: only it sees the request's own headers
  int redirects_ = 0;
  IncomingResponse response_;
  std::int64_t header_bytes_ = 0;
  std::int64_t body_bytes_ = 0;     // of this hop
  std::size_t body_sent_ = 0;       // bytes of the request's body that libcurl has taken
  std::optional<Steady> sent_at_;   // when the last part so far of this hop's request left
  bool is_heard_ = false;           // something of this hop's answer has arrived
  bool is_head_complete_ = false;   // what follows in the header callback are trailers
  bool is_guarded_off_ = false;     // the address guard refused an address of this hop
  std::optional<Error> own_fault_;  // why a callback stopped libcurl
};

}  // namespace tintype
