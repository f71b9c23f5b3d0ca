// SPDX-License-Identifier: Apache-2.0
// The messages between server and zygote and how they are sent with file descriptors attached. Both
// ends are trusted: the zygote never sees a byte of a source.
// Keeps no state; received descriptors belong to the caller. One thread per socket at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <sys/types.h>

#include "base/descriptor.h"

namespace tintype {

// The zygote, once: the engine is loaded (problem empty), or why not.
struct ZygoteReady {
  char problem[240] = {};
};
// The server: fork a worker. Attached: the arena, the worker's end of its doorbell.
struct SpawnRequest {
  std::uint64_t number = 0;  // of this request; its reply repeats it
};
// The zygote: attached is the worker's pidfd, unless error (an errno) is set.
struct SpawnReply {
  std::uint64_t number = 0;
  std::int32_t error = 0;
  pid_t pid = -1;
};

// Both retry when interrupted. send_message returns false when the peer is gone or out of buffers.
bool send_message(int socket, std::span<const std::byte> message, std::span<const int> fds = {});

struct ReceivedMessage {
  std::ptrdiff_t size_bytes = -1;  // 0: the peer has closed; -1: error or time-out
  std::vector<Descriptor> fds;     // close-on-exec
};
ReceivedMessage receive_message(int socket, std::span<std::byte> buffer);

template <class T>
std::span<const std::byte> octets_of(const T& message) {
  return std::as_bytes(std::span<const T, 1>(&message, 1));
}
template <class T>
std::span<std::byte> writable_octets_of(T& message) {
  return std::as_writable_bytes(std::span<T, 1>(&message, 1));
}

}  // namespace tintype
