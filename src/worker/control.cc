// SPDX-License-Identifier: Apache-2.0
#include "worker/control.h"

#include <cerrno>
#include <cstring>

#include <sys/socket.h>

#include "base/check.h"

namespace tintype {
namespace {

// The most descriptors any message carries.
constexpr std::size_t kMaxDescriptors = 2;

struct Ancillary {
  alignas(cmsghdr) char bytes[CMSG_SPACE(kMaxDescriptors * sizeof(int))] = {};
};

void take_descriptors(msghdr& header, std::vector<Descriptor>& fds) {
  for (cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
      fds.emplace_back(fd);
    }
  }
}

}  // namespace

bool send_message(int socket, std::span<const std::byte> message, std::span<const int> fds) {
  CHECK(fds.size() <= kMaxDescriptors);
  iovec part{.iov_base = const_cast<std::byte*>(message.data()), .iov_len = message.size()};
  Ancillary ancillary;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!fds.empty()) {
    header.msg_control = ancillary.bytes;
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    cmsghdr* c = CMSG_FIRSTHDR(&header);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(c), fds.data(), fds.size_bytes());
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent == static_cast<ssize_t>(message.size());
}

ReceivedMessage receive_message(int socket, std::span<std::byte> buffer) {
  iovec part{.iov_base = buffer.data(), .iov_len = buffer.size()};
  Ancillary ancillary;
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = ancillary.bytes;
  header.msg_controllen = sizeof(ancillary.bytes);
  ReceivedMessage received;
  do {
    received.size_bytes = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (received.size_bytes < 0 && errno == EINTR);
  if (received.size_bytes > 0) take_descriptors(header, received.fds);
  return received;
}

}  // namespace tintype
