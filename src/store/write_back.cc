// SPDX-License-Identifier: Apache-2.0
#include "store/write_back.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <pthread.h>
#include <signal.h>

#include "telemetry/log.h"

namespace tintype {
namespace {

// Only the process' own end waits here, and no orchestrator grants an hour.
constexpr Milliseconds kLongestDrain = std::chrono::hours(1);

std::int64_t size_of(const StoredVariant& variant) {
  return variant.bytes ? static_cast<std::int64_t>(variant.bytes->size()) : 0;
}

// Another try would end the same way.
bool is_final(ErrorCode code) {
  return code == ErrorCode::TooLarge || code == ErrorCode::BadRequest;
}

// Signals are the main thread's.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

struct Job {
  enum class Phase : std::uint8_t { Waiting, UnderWay, Resting };
  StoredVariant variant;
  bool replace = false;
  Phase phase = Phase::Waiting;
  int failures = 0;
  // A replacement that came while the write was under way.
  std::optional<StoredVariant> next;
};

}  // namespace

struct WriteBack::Queue {
  Queue(VariantStore& s, const WriteBackSettings& w, const Clock& c)
      : store(s), settings(w), clock(c) {}

  bool add(StoredVariant variant, bool replace);
  bool has_room_for(const StoredVariant& variant) const;
  bool update(Job& job, StoredVariant variant, bool replace);
  void begin_some();
  Task<> write(std::string key, StoredVariant variant, bool replace);
  void settle(const std::string& key, const Result<VariantStore::Kept>& kept);
  bool retry(const std::string& key, Job& job, const Error& error);
  void forget(const std::string& key);
  Task<> rest(std::string key);
  void wake(const std::string& key, Job& job);

  VariantStore& store;
  const WriteBackSettings settings;
  const Clock& clock;
  asio::io_context loop{1};
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> guard{
      loop.get_executor()};

  mutable std::mutex mutex;  // of all below
  std::condition_variable progress;
  std::map<std::string, Job> jobs;  // by key
  std::deque<std::string> ready;    // keys of those that wait, oldest first
  int under_way = 0;
  bool is_closed = false;
  State counts;  // `queued` is jobs.size()

  std::thread thread;  // last: runs on all of the above
};

bool WriteBack::Queue::has_room_for(const StoredVariant& variant) const {
  return jobs.size() < settings.max_entries &&
         counts.bytes + size_of(variant) <= settings.max_bytes;
}

// The key is queued already. What is queued is as good as what comes, unless that replaces or is
// another picture: then a purge lies between the two.
bool WriteBack::Queue::update(Job& job, StoredVariant variant, bool replace) {
  bool is_same = variant.etag == job.variant.etag;
  if (!replace && is_same) return true;
  bool is_late = job.phase == Job::Phase::UnderWay;
  std::int64_t before = is_late ? (job.next ? size_of(*job.next) : 0) : size_of(job.variant);
  if (counts.bytes - before + size_of(variant) > settings.max_bytes) return false;
  counts.bytes += size_of(variant) - before;
  if (is_late) {
    job.next = std::move(variant);
  } else {
    job.variant = std::move(variant);
    job.replace = true;
  }
  return true;
}

bool WriteBack::Queue::add(StoredVariant variant, bool replace) {
  const std::scoped_lock lock(mutex);
  auto queued = jobs.find(variant.key);
  bool is_taken = false;
  if (queued != jobs.end()) {
    is_taken = !is_closed && update(queued->second, std::move(variant), replace);
  } else if (!is_closed && has_room_for(variant)) {
    counts.bytes += size_of(variant);
    ready.push_back(variant.key);
    std::string key = variant.key;
    jobs.emplace(std::move(key),
                 Job{.variant = std::move(variant), .replace = replace, .next = {}});
    asio::post(loop, [this] { begin_some(); });
    is_taken = true;
  }
  if (!is_taken) ++counts.dropped;
  return is_taken;
}

// On the loop.
void WriteBack::Queue::begin_some() {
  const std::scoped_lock lock(mutex);
  while (under_way < settings.max_at_once && !ready.empty()) {
    std::string key = std::move(ready.front());
    ready.pop_front();
    Job& job = jobs.find(key)->second;
    job.phase = Job::Phase::UnderWay;
    ++under_way;
    // Posted, because a coroutine that is spawned here would begin at once, under the lock.
    asio::post(loop, [this, key = std::move(key), variant = job.variant, replace = job.replace] {
      asio::co_spawn(loop, write(key, variant, replace), asio::detached);
    });
  }
}

Task<> WriteBack::Queue::write(std::string key, StoredVariant variant, bool replace) {
  Deadline deadline = Deadline::after(clock, settings.timeout_ms);
  auto kept = co_await store.keep(std::move(variant), replace, deadline);
  settle(key, kept);
  begin_some();
}

void WriteBack::Queue::settle(const std::string& key, const Result<VariantStore::Kept>& kept) {
  const std::scoped_lock lock(mutex);
  Job& job = jobs.find(key)->second;
  --under_way;
  if (kept && *kept == VariantStore::Kept::New) ++counts.written;
  if (kept && *kept == VariantStore::Kept::AlreadyThere) ++counts.duplicates;
  if (job.next) {  // whatever became of the older one
    counts.bytes -= size_of(job.variant);
    job.variant = *std::exchange(job.next, std::nullopt);
    job.replace = true;
    job.failures = 0;
    wake(key, job);
  } else if (kept || !retry(key, job, kept.error())) {
    forget(key);
  }
  progress.notify_all();
}

bool WriteBack::Queue::retry(const std::string& key, Job& job, const Error& error) {
  bool is_last = ++job.failures > 1 || is_final(error.code);
  log(LogLevel::Warn, "write_back.failed",
      {{"key", key}, {"reason", error.message}, {"given_up", is_last}});
  if (is_last) {
    ++counts.failed;
    return false;
  }
  job.phase = Job::Phase::Resting;
  if (is_closed) {
    wake(key, job);
  } else {
    asio::post(loop, [this, key] { asio::co_spawn(loop, rest(key), asio::detached); });
  }
  return true;
}

void WriteBack::Queue::forget(const std::string& key) {
  auto job = jobs.find(key);
  counts.bytes -= size_of(job->second.variant);
  jobs.erase(job);
}

Task<> WriteBack::Queue::rest(std::string key) {
  co_await sleep_for(settings.retry_after_ms);
  {
    const std::scoped_lock lock(mutex);
    auto job = jobs.find(key);
    bool is_resting = job != jobs.end() && job->second.phase == Job::Phase::Resting;
    if (is_resting) wake(key, job->second);
  }
  begin_some();
}

void WriteBack::Queue::wake(const std::string& key, Job& job) {
  job.phase = Job::Phase::Waiting;
  ready.push_back(key);
}

WriteBack::WriteBack(VariantStore& store, const WriteBackSettings& settings, const Clock& clock)
    : queue_(std::make_unique<Queue>(store, settings, clock)) {
  queue_->thread = std::thread([queue = queue_.get()] {
    block_signals();
    queue->loop.run();
  });
}

WriteBack::~WriteBack() {
  stop();
}

void WriteBack::stop() {
  {
    const std::scoped_lock lock(queue_->mutex);
    queue_->is_closed = true;
  }
  queue_->guard.reset();
  queue_->loop.stop();
  if (queue_->thread.joinable()) queue_->thread.join();
}

bool WriteBack::add(StoredVariant variant, bool replace) {
  return queue_->add(std::move(variant), replace);
}

std::size_t WriteBack::drain(Deadline deadline) {
  std::unique_lock lock(queue_->mutex);
  queue_->is_closed = true;
  for (auto& [key, job] : queue_->jobs) {
    if (job.phase == Job::Phase::Resting) queue_->wake(key, job);
  }
  asio::post(queue_->loop, [queue = queue_.get()] { queue->begin_some(); });
  auto patience = std::min(deadline.remaining(queue_->clock), kLongestDrain);
  queue_->progress.wait_for(lock, patience, [&] { return queue_->jobs.empty(); });
  return queue_->jobs.size();
}

WriteBack::State WriteBack::state() const {
  const std::scoped_lock lock(queue_->mutex);
  State state = queue_->counts;
  state.queued = queue_->jobs.size();
  return state;
}

}  // namespace tintype
