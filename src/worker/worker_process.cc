// SPDX-License-Identifier: Apache-2.0
#include "worker/worker_process.h"

#include <cerrno>
#include <csignal>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/check.h"
#include "base/text.h"

namespace tintype {

Result<std::unique_ptr<WorkerProcess>> WorkerProcess::adopt(asio::io_context& loop,
                                                            Zygote::Worker worker,
                                                            const ArenaShape& shape) {
  TRY(Arena arena, Arena::map(worker.arena.number(), shape));
  worker.arena.close();  // the mapping is all we need
  return std::unique_ptr<WorkerProcess>(
      new WorkerProcess(loop, std::move(worker), std::move(arena), shape));
}

WorkerProcess::WorkerProcess(asio::io_context& loop, Zygote::Worker worker, Arena arena,
                             const ArenaShape& shape)
    : worker_(std::move(worker)),
      doorbell_(loop, worker_.doorbell.release()),
      shape_(shape),
      arena_(std::move(arena)) {
  // Opened at once, while the pid is certainly this worker's.
  const std::string path = "/proc/" + std::to_string(worker_.pid) + "/statm";
  statm_ = Descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

WorkerProcess::~WorkerProcess() {
  CHECK(!running_);
  ::syscall(SYS_pidfd_send_signal, worker_.pidfd.number(), SIGKILL, nullptr, 0);
}

void WorkerProcess::await_event(std::function<void()> on_event) {
  doorbell_.async_wait(asio::posix::descriptor_base::wait_read,
                       [on_event = std::move(on_event)](const std::error_code& error) {
                         if (error != asio::error::operation_aborted) on_event();
                       });
}

WorkerProcess::Event WorkerProcess::read_event(ReplyMessage& reply) {
  // MSG_TRUNC returns the true length of a datagram that is too long. Descriptors that a hostile
  // worker may have attached are dropped by the kernel, because recv has no room for them.
  const ssize_t received =
      ::recv(doorbell_.native_handle(), &reply, sizeof(reply), MSG_DONTWAIT | MSG_TRUNC);
  if (received < 0 && (errno == EAGAIN || errno == EINTR)) return Event::Nothing;
  if (received != static_cast<ssize_t>(sizeof(reply)) || !running_) return Event::Death;
  return Event::Reply;
}

std::optional<PendingJob> WorkerProcess::begin(PendingJob pending, const Start& start) {
  CHECK(is_idle());
  const ByteView source = *pending.job.source;
  arena_.put_source(source);
  running_.emplace(Running{.pending = std::move(pending),
                           .message = {.id = start.job_id, .source_bytes = source.size()},
                           .started_at = start.now,
                           .kill_at = start.kill_at});
  running_->message.plan = running_->pending.job.plan;
  running_->message.limits = running_->pending.job.limits;
  const ssize_t sent = ::send(doorbell_.native_handle(), &running_->message,
                              sizeof(running_->message), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(sizeof(running_->message))) return std::nullopt;
  return abandon();
}

WorkerProcess::Ended WorkerProcess::settle(const ReplyMessage& reply) {
  CHECK(running_);
  Running done = std::move(*running_);
  running_.reset();
  ++jobs_done_;
  return {.pending = std::move(done.pending),
          .started_at = done.started_at,
          .verdict = judge(reply, done.message, arena_, shape_)};
}

std::optional<PendingJob> WorkerProcess::abandon() {
  if (!running_) return std::nullopt;
  std::optional<PendingJob> pending(std::move(running_->pending));
  running_.reset();
  return pending;
}

std::int64_t WorkerProcess::rss_bytes() const {
  char text[128];
  const ssize_t size = statm_ ? ::pread(statm_.number(), text, sizeof(text), 0) : -1;
  if (size <= 0) return -1;
  // "size resident shared text lib data dt", in pages (proc(5)).
  const auto fields = split({text, static_cast<std::size_t>(size)}, ' ');
  if (fields.size() < 3) return -1;
  const auto resident = parse_int(fields[1]);
  const auto shared = parse_int(fields[2]);
  if (!resident || !shared) return -1;
  return (*resident - *shared) * ::sysconf(_SC_PAGESIZE);
}

}  // namespace tintype
