// SPDX-License-Identifier: Apache-2.0
// ScriptedOrigin: for tests only. A TCP server on a loopback address that answers each request with
// whatever bytes its script sends, so that an origin can be slow, lying or broken in exactly one
// way. One thread a connection; the destructor closes everything and joins. Thread-safe.
#pragma once

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

   private:
    int fd_;
    const std::atomic<bool>& stopping_;
  };

  // Gets the head of each request ("GET /a HTTP/1.1\r\n…\r\n\r\n"). True keeps the connection open
  // for the next one.
  using Script = std::function<bool(Connection& connection, const std::string& head)>;

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
    std::lock_guard lock(mutex_);
    return heads_;
  }

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

  void serve(int fd) {
    Connection connection(fd, stopping_);
    std::string pending;
    char buffer[4096];
    while (!stopping_) {
      auto end = pending.find("\r\n\r\n");
      if (end == std::string::npos) {
        ssize_t n = recv(fd, buffer, sizeof buffer, 0);
        if (n <= 0) break;
        pending.append(buffer, static_cast<std::size_t>(n));
        continue;
      }
      std::string head = pending.substr(0, end + 4);
      pending.erase(0, end + 4);
      {
        std::lock_guard lock(mutex_);
        heads_.push_back(head);
      }
      if (!script_(connection, head)) break;
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
  std::vector<std::string> heads_;  // guarded by mutex_
  std::list<Served> served_;        // the acceptor's own until it has been joined
  std::thread acceptor_;
};

}  // namespace tintype
