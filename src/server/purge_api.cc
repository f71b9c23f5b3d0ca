// SPDX-License-Identifier: Apache-2.0
#include "server/purge_api.h"

#include <algorithm>
#include <deque>
#include <mutex>
#include <utility>

#include "delivery/purge_order.h"

namespace tintype {
namespace {

constexpr std::string_view kPath = "/_/purge", kOnePath = "/_/purge/";
// How often a client that waits is looked after.
constexpr Milliseconds kLook{10};

using Progress = std::shared_ptr<PurgeProgress>;

bool is_running(const Progress& progress) {
  return progress->report().state == PurgeReport::State::Running;
}

Answer answer_with(const PurgeReport& report) {
  if (report.state == PurgeReport::State::Running) {
    SharedEntry plain = json_answer(202, as_json(report)).entry;
    auto entry = std::make_shared<Entry>(*plain);
    entry->meta.location = std::string(kOnePath) + report.id;
    entry->meta.retry_after_seconds = 1;
    entry->head.clear();  // the server renders it anew
    Answer answer;
    answer.entry = std::move(entry);
    answer.outcome = Outcome::ClientError;
    return answer;
  }
  return json_answer(report.state == PurgeReport::State::Done ? 200 : 502, as_json(report));
}

}  // namespace

struct PurgeApi::State {
  Purger& purger;
  const AdminTokens& tokens;
  PurgeApiSettings settings;
  std::mutex mutex;
  std::deque<Progress> known;  // the oldest first; guarded by mutex

  Progress find(std::string_view id);
  // The order's purge, and whether it is to be started; or why it is not taken.
  struct Taken {
    Progress progress;
    bool is_new = false;
  };
  tl::expected<Taken, Answer> take(PurgeOrder order, Purger::Who who);
  Task<Answer> order(AdminRequest request);
  Task<Answer> ask(AdminRequest request);
};

Progress PurgeApi::State::find(std::string_view id) {
  std::lock_guard lock(mutex);
  auto has_id = [id](const Progress& one) { return one->scope()->order.id == id; };
  auto it = std::find_if(known.rbegin(), known.rend(), has_id);
  return it == known.rend() ? nullptr : *it;
}

tl::expected<PurgeApi::State::Taken, Answer> PurgeApi::State::take(PurgeOrder order,
                                                                   Purger::Who who) {
  if (Progress same = order.id.empty() ? nullptr : find(order.id)) {
    if (!(same->scope()->order == order)) {
      return tl::unexpected(problem_answer(409, "This id is another purge's."));
    }
    if (same->report().state != PurgeReport::State::Failed) return Taken{.progress = same};
  }
  auto progress = purger.prepare(std::move(order), std::move(who));
  if (!progress) return tl::unexpected(problem_answer(400, progress.error().detail));
  std::lock_guard lock(mutex);
  // The same order may have come a second time at this very moment.
  auto is_same = [&](const Progress& one) {
    return is_running(one) && one->scope()->order == (*progress)->scope()->order;
  };
  if (auto it = std::ranges::find_if(known, is_same); it != known.end()) {
    return Taken{.progress = *it};
  }
  if (std::ranges::count_if(known, is_running) >= settings.max_running) {
    return tl::unexpected(problem_answer(503, "Other purges are under way; try again."));
  }
  known.push_back(*progress);
  auto is_over = [](const Progress& one) { return !is_running(one); };
  while (known.size() > settings.max_remembered) {
    auto oldest = std::ranges::find_if(known, is_over);
    if (oldest == known.end()) break;
    known.erase(oldest);
  }
  return Taken{.progress = *progress, .is_new = true};
}

Task<Answer> PurgeApi::State::order(AdminRequest request) {
  auto by = tokens.check(request);
  if (!by) co_return by.error();
  auto parsed = parse_purge_order(request.body);
  if (!parsed) co_return problem_answer(400, parsed.error().detail);
  auto taken = take(std::move(*parsed), {.by = std::move(*by), .client = request.client});
  if (!taken) co_return taken.error();
  Executor executor = co_await asio::this_coro::executor;
  // Apart from its client, who may go.
  if (taken->is_new) asio::co_spawn(executor, purger.run(taken->progress), asio::detached);
  for (auto waited = Milliseconds(0); waited < settings.patience_ms && is_running(taken->progress);
       waited += kLook) {
    co_await sleep_for(kLook);
  }
  co_return answer_with(taken->progress->report());
}

Task<Answer> PurgeApi::State::ask(AdminRequest request) {
  auto by = tokens.check(request);
  if (!by) co_return by.error();
  Progress progress = find(request.path().substr(kOnePath.size()));
  if (!progress) {
    co_return problem_answer(404,
                             "No purge of this task has this id; it may be another task's, or too "
                             "long ago. The audit log has it.");
  }
  PurgeReport report = progress->report();
  // Asking succeeded, whatever became of the purge.
  if (report.state == PurgeReport::State::Running) co_return answer_with(report);
  co_return json_answer(200, as_json(report));
}

PurgeApi::PurgeApi(Purger& purger, const AdminTokens& tokens, const PurgeApiSettings& settings)
    : state_(new State{.purger = purger, .tokens = tokens, .settings = settings}) {}
PurgeApi::~PurgeApi() = default;

void PurgeApi::add_routes(AdminApi& api) {
  api.add({.method = "POST",
           .path = std::string(kPath),
           .answer = [state = state_](AdminRequest request) {
             return state->order(std::move(request));
           }});
  api.add({.method = "GET",
           .path = std::string(kOnePath),
           .answer = [state = state_](AdminRequest request) {
             return state->ask(std::move(request));
           }});
}

}  // namespace tintype
