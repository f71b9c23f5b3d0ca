// SPDX-License-Identifier: Apache-2.0
// Descriptor: an owned file descriptor, closed when it goes out of scope. Move-only, not
// thread-safe. Sockets, memory files and process handles are passed around in it, so that none may
// leak into a process that must not hold it, nor stay open on an error path.
#pragma once

#include <utility>

#include <unistd.h>

namespace tintype {

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = other.release();
    }
    return *this;
  }
  ~Descriptor() { close(); }

  int number() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  // Gives the number away; the caller closes it.
  int release() { return std::exchange(number_, -1); }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

}  // namespace tintype
