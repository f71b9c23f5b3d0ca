// SPDX-License-Identifier: Apache-2.0
// ScriptedOrigin: for tests only. A TCP server on a loopback address that answers each request with
// whatever bytes its script sends, so that an origin can be slow, lying or broken in exactly one
// way, and that keeps what it was asked (method, target, headers, body of a known length). One
// thread a connection; the destructor closes everything and joins. Thread-safe.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"

namespace tintype {

class ScriptedOrigin {
 public:
  class Connection {
   public:
    Connection(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}
    // False once the peer or the test has gone.
    bool send(std::string_view text) {
      while (!text.empty()) {
        ssize_t n = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
        if (n <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(n));
      }
      return !stopping_;
    }
    bool wait(std::chrono::milliseconds duration) {
      auto end = std::chrono::steady_clock::now() + duration;
      while (!stopping_ && std::chrono::steady_clock::now() < end) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
      return !stopping_;
    }

    // Ends the connection with a TCP reset, as a peer does that has crashed. Return false after it.
    void reset() {
      sockaddr nobody{};
      nobody.sa_family = AF_UNSPEC;  // connect(2): dissolves the association
      CHECK(connect(fd_, &nobody, sizeof nobody) == 0);
    }

   private:
    int fd_;
    const std::atomic<bool>& stopping_;
  };

  struct Request {
    std::string head;                                          // "GET /a HTTP/1.1\r\n…\r\n\r\n"
    std::string method;                                        // "GET"
    std::string target;                                        // "/a?b=c", as it was sent
    std::vector<std::pair<std::string, std::string>> headers;  // names in lower case
    std::string body;

    // The first value of a header, or empty.
    std::string header(std::string_view lower_case_name) const {
      for (const auto& [name, value] : headers) {
        if (name == lower_case_name) return value;
      }
      return {};
    }
    // Scripts may ask for the head only.
    operator const std::string&() const { return head; }
  };

  // Gets each request, whole. True keeps the connection open for the next one.
  using Script = std::function<bool(Connection& connection, const Request& request)>;

  explicit ScriptedOrigin(Script script, const char* address = "127.0.0.1")
      : address_(address), script_(std::move(script)) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    CHECK(inet_pton(AF_INET, address, &at.sin_addr) == 1);
    CHECK(bind(listener_, reinterpret_cast<sockaddr*>(&at), sizeof at) == 0);
    CHECK(listen(listener_, 64) == 0);
    socklen_t length = sizeof at;
    CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &length) == 0);
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedOrigin() {
    stopping_ = true;
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    close(listener_);
    for (Served& served : served_) {
      shutdown(served.fd, SHUT_RDWR);
      served.thread.join();
      close(served.fd);
    }
  }
  ScriptedOrigin(const ScriptedOrigin&) = delete;
  ScriptedOrigin& operator=(const ScriptedOrigin&) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:4711" + path
  std::string url(std::string_view path) const {
    return "http://" + address_ + ":" + std::to_string(port_) + std::string(path);
  }
  int connections() const { return connections_; }
  std::vector<std::string> heads() const {
    std::vector<std::string> heads;
    for (const Request& request : requests()) heads.push_back(request.head);
    return heads;
  }
  std::vector<Request> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  // From now on scripts run as soon as a head is there; the body stays in the socket.
  void leave_bodies_unread() { reads_bodies_ = false; }

  // A complete answer with its Content-Length.
  static std::string answer(int status, std::string_view body, std::string_view headers = {}) {
    return "HTTP/1.1 " + std::to_string(status) +
           " Scripted\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
           std::string(headers) + "\r\n" + std::string(body);
  }

 private:
  struct Served {
    int fd;
    std::thread thread;
  };

  void accept_all() {
    for (;;) {
      int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections_;
      served_.push_back({fd, std::thread([this, fd] { serve(fd); })});
    }
  }

  static Request parse(std::string head) {
    Request request;
    std::size_t line_end = head.find("\r\n");
    auto first = split(std::string_view(head).substr(0, line_end), ' ');
    request.method = first[0];
    if (first.size() > 1) request.target = first[1];
    for (std::string_view line : split(std::string_view(head).substr(line_end + 2), '\n')) {
      auto colon = line.find(':');
      if (colon == std::string_view::npos) continue;
      if (line.ends_with('\r')) line.remove_suffix(1);
      request.headers.emplace_back(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
    }
    request.head = std::move(head);
    return request;
  }

  // Reads on until `pending` holds `size` bytes. False once the peer has gone.
  static bool fill(int fd, std::string& pending, std::size_t size) {
    char buffer[65536];
    while (pending.size() < size) {
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n <= 0) return false;
      pending.append(buffer, static_cast<std::size_t>(n));
    }
    return true;
  }

  void serve(int fd) {
    Connection connection(fd, stopping_);
    std::string pending;
    while (!stopping_) {
      auto end = pending.find("\r\n\r\n");
      if (end == std::string::npos) {
        if (!fill(fd, pending, pending.size() + 1)) break;
        continue;
      }
      Request request = parse(pending.substr(0, end + 4));
      pending.erase(0, end + 4);
      if (reads_bodies_) {
        auto length = static_cast<std::size_t>(
            std::max<std::int64_t>(0, parse_int(request.header("content-length")).value_or(0)));
        if (!fill(fd, pending, length)) break;
        request.body = pending.substr(0, length);
        pending.erase(0, length);
      }
      {
        std::lock_guard lock(mutex_);
        requests_.push_back(request);
      }
      if (!script_(connection, request)) break;
    }
    shutdown(fd, SHUT_RDWR);
  }

  std::string address_;
  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> connections_{0};
  mutable std::mutex mutex_;
  std::atomic<bool> reads_bodies_{true};
  std::vector<Request> requests_;  // guarded by mutex_
  std::list<Served> served_;       // the acceptor's own until it has been joined
  std::thread acceptor_;
};

}  // namespace tintype
