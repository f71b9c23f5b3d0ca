// SPDX-License-Identifier: Apache-2.0
// A client for tests of the server: a raw loopback socket that sends exactly the bytes it is told
// to, and reads exactly one answer at a time. Blocking, with a deadline on every read so that a
// server that hangs fails the test. For tests only.
#pragma once

#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/text.h"

namespace tintype {

struct Reply {
  int status = 0;                             // 0: the connection ended before a whole head
  std::map<std::string, std::string> fields;  // names in lower case
  std::string head, body;
  bool is_whole = false;

  std::string field(const std::string& name) const {
    auto it = fields.find(name);
    return it == fields.end() ? std::string() : it->second;
  }
};

class Client {
 public:
  explicit Client(int port, int receive_buffer_bytes = 0) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    timeval patience{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (receive_buffer_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_port = htons(static_cast<std::uint16_t>(port));
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0;
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool is_connected() const { return connected_; }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // One answer; `to_head` answers have no body whatever their Content-Length says.
  Reply read(bool to_head = false) {
    Reply reply;
    std::size_t end = 0;
    while ((end = unread_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return reply;
    }
    reply.head = unread_.substr(0, end + 2);
    unread_.erase(0, end + 4);
    parse_head(reply);
    std::size_t size = to_head || reply.status == 304
                           ? 0
                           : std::strtoul(reply.field("content-length").c_str(), nullptr, 10);
    while (unread_.size() < size && fill()) {
    }
    reply.is_whole = unread_.size() >= size;
    reply.body = unread_.substr(0, size);
    unread_.erase(0, size);
    return reply;
  }
  Reply ask(std::string_view bytes) {
    send(bytes);
    return read(bytes.starts_with("HEAD "));
  }
  Reply get(const std::string& target, const std::string& fields = {}) {
    return ask("GET " + target + " HTTP/1.1\r\nHost: t\r\n" + fields + "\r\n");
  }
  // True when the server closed and nothing is left to read.
  bool is_closed() { return unread_.empty() && !fill(); }

 private:
  bool fill() {
    char buffer[65536];
    ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
    if (count <= 0) return false;
    unread_.append(buffer, static_cast<std::size_t>(count));
    return true;
  }
  static void parse_head(Reply& reply) {
    auto lines = split(reply.head, '\n');
    if (lines[0].starts_with("HTTP/1.1 ")) {
      reply.status = static_cast<int>(parse_int(lines[0].substr(9, 3)).value_or(0));
    }
    for (std::size_t i = 1; i < lines.size(); ++i) {
      std::size_t colon = lines[i].find(": ");
      if (colon == std::string_view::npos) continue;
      std::string_view value = lines[i].substr(colon + 2);
      if (value.ends_with('\r')) value.remove_suffix(1);
      reply.fields[lower(lines[i].substr(0, colon))] = value;
    }
  }

  int fd_;
  bool connected_ = false;
  std::string unread_;
};

}  // namespace tintype
