// SPDX-License-Identifier: Apache-2.0
// WorkerProcess: the server's end of one render worker: its doorbell, its arena, its life and
// death. It has at most one job, and what its worker writes is judged before it is believed
// (reply.h). Not thread-safe: lives on the pool thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <asio/posix/stream_descriptor.hpp>

#include "base/async.h"
#include "base/clock.h"
#include "worker/queue.h"
#include "worker/reply.h"
#include "worker/zygote.h"

namespace tintype {

class WorkerProcess {
 public:
  // What the doorbell said.
  enum class Event : std::uint8_t {
    Nothing,  // woken for no reason
    Reply,    // a whole reply to the running job is in `reply`
    Death,    // the process has ended, or speaks when it was not spoken to
  };

  // Maps the arena. Fails with Internal.
  static Result<std::unique_ptr<WorkerProcess>> adopt(asio::io_context& loop, Zygote::Worker worker,
                                                      const ArenaShape& shape);
  ~WorkerProcess();  // kills it

  // Calls `on_event` once, on the loop, when the doorbell can be read. It may still be called just
  // after this object is gone, when the event was already queued.
  void await_event(std::function<void()> on_event);
  Event read_event(ReplyMessage& reply);

  struct Start {
    std::uint64_t job_id = 0;
    Steady now, kill_at;
  };
  // Copies the source into the arena and rings. Returns the job if the worker turns out to be dead.
  // Requires: is_idle().
  std::optional<PendingJob> begin(PendingJob pending, const Start& start);
  // The running job with the verdict over `reply`; the worker is idle afterwards.
  struct Ended {
    PendingJob pending;
    Steady started_at;
    ReplyVerdict verdict;
  };
  Ended settle(const ReplyMessage& reply);
  // Empties the arena for the next tenant; `variant_bytes` of the out-area are known to be written.
  void clean(std::size_t variant_bytes) { arena_.clean(variant_bytes); }
  // The running job of a worker that will not answer any more, if it has one.
  std::optional<PendingJob> abandon();

  bool is_idle() const { return !running_; }
  bool is_overdue(Steady now) const { return running_ && now >= running_->kill_at; }
  int jobs_done() const { return jobs_done_; }
  pid_t pid() const { return worker_.pid; }
  // Memory of its own, without the arena and shared libraries; -1 where /proc does not tell.
  std::int64_t rss_bytes() const;

 private:
  WorkerProcess(asio::io_context& loop, Zygote::Worker worker, Arena arena,
                const ArenaShape& shape);

  struct Running {
    PendingJob pending;
    JobMessage message;
    Steady started_at, kill_at;
  };
  Zygote::Worker worker_;
  asio::posix::stream_descriptor doorbell_;
  ArenaShape shape_;
  Arena arena_;
  Descriptor statm_;
  std::optional<Running> running_;
  int jobs_done_ = 0;
};

}  // namespace tintype
