// SPDX-License-Identifier: Apache-2.0
#include "net/http_client.h"

#include <list>
#include <map>
#include <mutex>
#include <thread>

#include <curl/curl.h>
#include <pthread.h>
#include <signal.h>

#include "base/check.h"
#include "net/transfer.h"

namespace tintype {
namespace {

// How late a deadline may be noticed. libcurl wakes the thread for its own timers and for data.
constexpr int kTickMs = 50;
constexpr int kIdleTickMs = 60'000;

// libcurl asks for one initialisation a process, before any other call.
void initialise_curl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(code == CURLE_OK);
}

// Signals are the main thread's; and with CURLOPT_NOSIGNAL a write to a closed TLS connection
// raises SIGPIPE, which libcurl then leaves to us.
void block_signals() {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace

std::string_view IncomingResponse::header(std::string_view lower_case_name) const {
  for (const auto& [name, value] : headers) {
    if (name == lower_case_name) return value;
  }
  return {};
}

struct HttpClient::State {
  State(const HttpClientSettings& s, const Clock& c);
  ~State();

  void enqueue(std::unique_ptr<Transfer> transfer);
  void run();
  void take_arrived();
  void start_queued();
  void end_finished();
  void end_late();
  void end_all();
  void end(CURL* handle, Result<> verdict);
  bool is_stopping();

  const HttpClientSettings settings;
  const Clock& clock;
  CURLM* multi = nullptr;
  CURLSH* share = nullptr;

  // The thread's own. libcurl's own limit of connections a host is not used: one host's waiting
  // transfers would stand in the way of all other hosts' (7.88, process_pending_handles).
  std::list<std::unique_ptr<Transfer>> queue;         // in order of arrival
  std::map<CURL*, std::unique_ptr<Transfer>> active;  // handed to libcurl
  std::map<std::string, int> active_by_origin;
  bool is_queue_stuck = true;  // nothing arrived or ended since the last look at the queue

  std::mutex mutex;
  std::vector<std::unique_ptr<Transfer>> arrived;  // guarded by mutex
  bool stopping = false;                           // guarded by mutex
  std::thread thread;                              // last: runs on all of the above
};

HttpClient::State::State(const HttpClientSettings& s, const Clock& c) : settings(s), clock(c) {
  initialise_curl();
  multi = curl_multi_init();
  share = curl_share_init();
  CHECK(multi != nullptr && share != nullptr);
  // No lock functions: only the one thread uses the handles that share.
  curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(settings.max_connections));
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  thread = std::thread([this] { run(); });
}

HttpClient::State::~State() {
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  curl_multi_wakeup(multi);
  thread.join();
  curl_multi_cleanup(multi);
  curl_share_cleanup(share);
}

void HttpClient::State::enqueue(std::unique_ptr<Transfer> transfer) {
  {
    std::lock_guard lock(mutex);
    arrived.push_back(std::move(transfer));
  }
  curl_multi_wakeup(multi);
}

bool HttpClient::State::is_stopping() {
  std::lock_guard lock(mutex);
  return stopping;
}

void HttpClient::State::run() {
  block_signals();
  while (!is_stopping()) {
    take_arrived();
    start_queued();
    int running = 0;
    CHECK(curl_multi_perform(multi, &running) == CURLM_OK);
    end_finished();
    end_late();
    bool is_idle = active.empty() && queue.empty();
    int wait_ms = is_idle ? kIdleTickMs : is_queue_stuck ? kTickMs : 0;
    curl_multi_poll(multi, nullptr, 0, wait_ms, nullptr);
  }
  end_all();
}

void HttpClient::State::take_arrived() {
  std::vector<std::unique_ptr<Transfer>> batch;
  {
    std::lock_guard lock(mutex);
    batch.swap(arrived);
  }
  for (auto& transfer : batch) {
    auto ready = transfer->check_time(clock.now());
    if (ready) ready = transfer->begin(share);
    if (!ready) {
      transfer->finish(std::move(ready));
      continue;
    }
    queue.push_back(std::move(transfer));
    is_queue_stuck = false;
  }
}

void HttpClient::State::start_queued() {
  if (is_queue_stuck) return;
  is_queue_stuck = true;
  auto limit = static_cast<std::size_t>(settings.max_connections);
  for (auto it = queue.begin(); it != queue.end() && active.size() < limit;) {
    int& running = active_by_origin[(*it)->origin()];
    if (running >= settings.max_connections_per_host) {
      ++it;
      continue;
    }
    ++running;
    CURL* handle = (*it)->handle();
    CHECK(curl_multi_add_handle(multi, handle) == CURLM_OK);
    active.emplace(handle, std::move(*it));
    it = queue.erase(it);
  }
}

void HttpClient::State::end_finished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    // The message lives in the handle: copied before the handle leaves the multi.
    CURL* handle = message->easy_handle;
    CURLcode code = message->data.result;
    auto next = active.at(handle)->end_hop(code);
    if (next && *next == Transfer::Next::AnotherHop) {
      CHECK(curl_multi_remove_handle(multi, handle) == CURLM_OK);
      CHECK(curl_multi_add_handle(multi, handle) == CURLM_OK);
    } else {
      end(handle, next ? Result<>() : fail(std::move(next).error()));
    }
  }
}

void HttpClient::State::end_late() {
  Steady now = clock.now();
  for (auto it = queue.begin(); it != queue.end();) {
    auto in_time = (*it)->check_time(now);
    if (in_time) {
      ++it;
      continue;
    }
    (*it)->finish(std::move(in_time));
    it = queue.erase(it);
  }
  std::vector<std::pair<CURL*, Error>> late;
  for (const auto& [handle, transfer] : active) {
    if (auto in_time = transfer->check_time(now); !in_time) {
      late.emplace_back(handle, std::move(in_time).error());
    }
  }
  for (auto& [handle, error] : late) end(handle, fail(std::move(error)));
}

void HttpClient::State::end_all() {
  auto stopped = fail_private(ErrorCode::OriginFailed, "the HTTP client is shutting down");
  take_arrived();
  for (auto& transfer : queue) transfer->finish(stopped);
  queue.clear();
  while (!active.empty()) end(active.begin()->first, stopped);
}

void HttpClient::State::end(CURL* handle, Result<> verdict) {
  auto node = active.extract(handle);
  CHECK(!node.empty());
  curl_multi_remove_handle(multi, handle);
  auto running = active_by_origin.find(node.mapped()->origin());
  if (--running->second == 0) active_by_origin.erase(running);
  is_queue_stuck = false;
  node.mapped()->finish(std::move(verdict));
}

HttpClient::HttpClient(const HttpClientSettings& settings, const Clock& clock)
    : state_(std::make_unique<State>(settings, clock)) {}

HttpClient::~HttpClient() = default;

Task<Result<IncomingResponse>> HttpClient::send(OutgoingRequest request) {
  auto start = [state = state_.get(), request = std::move(request)](auto done) mutable {
    state->enqueue(std::make_unique<Transfer>(std::move(request), state->settings, state->clock,
                                              std::move(done)));
  };
  co_return co_await await_callback<Result<IncomingResponse>>(std::move(start));
}

}  // namespace tintype
