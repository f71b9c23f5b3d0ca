// SPDX-License-Identifier: Apache-2.0
#include "worker/worker_main.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <linux/close_range.h>
#include <malloc.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "worker/arena.h"
#include "worker/message.h"
#include "worker/sandbox.h"
#include "worker/sanitizer.h"

namespace tintype {
namespace {

constexpr int kDoorbell = 3;

// CPU seconds allowed per second of the deadline: one rendering thread, and room for the
// short-lived threads some codecs start.
constexpr std::int64_t kCpuPerWall = 4;

// Freed memory stays in the process: unmapping and faulting it in again for every picture cost 10 %
// of a 2 MP job (docs/internals/figures.md F-malloc). 32 MB is the largest threshold glibc takes.
// Two malloc arenas bound the address space that codec threads reserve.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 32 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 128 << 20);
  ::mallopt(M_ARENA_MAX, 2);
}

// Leaves the doorbell on 3 and /dev/null on 0 to 2: a library's stray print must neither ring the
// doorbell nor write lines into the server's log. Sanitizer reports need standard error.
void arrange_descriptors(Descriptor doorbell) {
  if (doorbell.number() != kDoorbell) {
    ::dup2(doorbell.number(), kDoorbell);
    doorbell.close();
  } else {
    doorbell.release();
  }
  close_from(kDoorbell + 1);
  if (!kIsSanitized) ::dup2(1, 2);
}

Result<Arena> prepare(WorkerStart& start, HelloMessage& hello) {
  tie_to_parent("tintype-worker", start.zygote_pid);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  keep_freed_memory();
  TRY(Arena arena, Arena::map(start.arena.number(), ArenaShape::of(start.settings)));
  TRY(arena.forbid_source_writes());
  start.arena.close();
  arrange_descriptors(std::move(start.doorbell));
  TRY(const SandboxPosture posture, enter_sandbox({.memory_bytes = start.settings.memory_bytes}));
  hello.landlock_abi = posture.landlock_abi;
  return arena;
}

void answer_failure(ReplyMessage& reply, const Error& error) {
  reply.code = static_cast<std::int32_t>(error.code);
  put_text(reply.message, error.message);
  put_text(reply.detail, error.detail);
  put_text(reply.option, error.option);
}

void answer(ReplyMessage& reply, const Result<Rendered>& rendered, Arena& arena) {
  if (!rendered) return answer_failure(reply, rendered.error());
  const std::span<std::uint8_t> area = arena.variant_area();
  if (rendered->bytes.size() > area.size()) {
    return answer_failure(
        reply, Error::in_private(ErrorCode::TooLarge, "the variant is larger than the out-area"));
  }
  if (!rendered->bytes.empty()) {
    std::memcpy(area.data(), rendered->bytes.data(), rendered->bytes.size());
  }
  reply.code = kRenderedCode;
  reply.variant_bytes = rendered->bytes.size();
  reply.has_alpha = rendered->has_alpha ? 1 : 0;
  reply.decode_us = rendered->decode_us;
  reply.encode_us = rendered->encode_us;
}

// read and write instead of recv and send: the filter then needs no socket call at all.
[[noreturn]] void serve(const WorkerStart& start, Arena& arena) {
  const std::int64_t cpu_seconds =
      kCpuPerWall * (1 + start.settings.render_timeout_ms.count() / 1000);
  while (true) {
    JobMessage job;
    const ssize_t received = ::read(kDoorbell, static_cast<void*>(&job), sizeof(job));
    if (received < 0 && errno == EINTR) continue;
    if (received != static_cast<ssize_t>(sizeof(job))) ::_exit(received == 0 ? 0 : 1);
    limit_cpu(cpu_seconds);
    ReplyMessage reply;
    reply.id = job.id;
    answer(reply, start.entry.render(job.plan, arena.source(job.source_bytes), job.limits), arena);
    if (::write(kDoorbell, &reply, sizeof(reply)) != static_cast<ssize_t>(sizeof(reply))) {
      ::_exit(1);
    }
  }
}

}  // namespace

void tie_to_parent(const char* name, pid_t parent_pid) {
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
  if (::getppid() != parent_pid) ::_exit(1);
}

void close_from(int first) {
  if (::syscall(SYS_close_range, first, ~0U, 0) == 0) return;
  // Kernels before 5.9, and container profiles that do not know the call.
  const long last = ::sysconf(_SC_OPEN_MAX);
  for (int fd = first; fd < last; ++fd) ::close(fd);
}

void run_worker(WorkerStart start) {
  HelloMessage hello;
  const int doorbell = start.doorbell.number();
  Result<Arena> arena = prepare(start, hello);
  if (!arena) put_text(hello.problem, arena.error().message);
  const int socket = start.doorbell ? doorbell : kDoorbell;
  if (::write(socket, &hello, sizeof(hello)) != static_cast<ssize_t>(sizeof(hello))) ::_exit(1);
  if (!arena) ::_exit(1);
  serve(start, *arena);
}

}  // namespace tintype
