// SPDX-License-Identifier: Apache-2.0
#include "cli/warm.h"

#include <algorithm>
#include <deque>
#include <optional>

#include "delivery/standard_variants.h"
#include "dialect/dialect.h"
#include "policy/signature.h"

namespace tintype {
namespace {

// The slowest that a server which is always busy is asked.
constexpr double kMinRatePerSecond = 0.5;
// Of what is lost to a refusal, the part that each success gives back: a hundred for all of it.
constexpr double kRegain = 0.01;
constexpr std::int64_t kMaxRetryAfterSeconds = 60;
// So that a run that is stopped ends within this.
constexpr Milliseconds kSlice{100};

bool is_refusal(int status) {
  return status == 503 || status == 429;
}

// Failures that another try may not meet: of servers in between, of origins, of networks.
bool is_passing(int status) {
  return is_refusal(status) || status == 500 || status == 502 || status == 504;
}

}  // namespace

Steady WarmPace::take(Steady now) {
  Steady turn = std::max(now, next_);
  next_ =
      turn + std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(1 / rate_));
  return turn;
}

void WarmPace::went_well() {
  rate_ = std::min(goal_, rate_ + goal_ * kRegain);
}

void WarmPace::was_refused(Steady now, std::int64_t retry_after_seconds) {
  rate_ = std::max(std::min(goal_, kMinRatePerSecond), rate_ / 2);
  auto pause = std::clamp<std::int64_t>(retry_after_seconds, 1, kMaxRetryAfterSeconds);
  next_ = std::max(next_, now + Seconds(pause));
}

std::string warm_url(const SitePolicy& site, const std::string& server, const std::string& path) {
  if (site.signing_keys.empty()) return server + path;
  auto ask = parse_target(path);
  if (!ask) return server + path;
  return server + path + "?s=" + sign(*ask, site.signing_keys.front());
}

struct WarmRun::State {
  State(const WarmPlan& p, Parts given)
      : plan(p), parts(std::move(given)), pace(p.rate_per_second) {}

  struct Item {
    std::string server, path;
  };

  const WarmPlan& plan;
  const Parts parts;
  WarmPace pace;
  WarmReport report;
  std::deque<Item> items;  // of one source at a time: all of them would not fit in memory
  std::size_t next_source = 0, next_server = 0;
  bool is_stopped = false;

  void add_fault(const std::string& what, std::string why) {
    ++report.failed;
    if (report.faults.size() < kMaxWarmFaults) report.faults.emplace_back(what, std::move(why));
    parts.on_step(true);
  }

  void expand(const std::string& source) {
    auto variants = standard_variants(plan.site, {source, plan.presets, plan.accepts});
    if (!variants) return add_fault(source, variants.error().detail);
    for (const StandardVariant& variant : *variants) {
      std::size_t count = plan.each_server ? plan.servers.size() : 1;
      for (std::size_t i = 0; i < count; ++i) {
        items.push_back({plan.servers[next_server++ % plan.servers.size()], variant.path});
      }
    }
  }

  // What is done is done for all servers where they take turns: they share what stands behind them.
  std::string key_of(const Item& item) const {
    return plan.each_server ? item.server + " " + item.path : item.path;
  }

  std::optional<Item> take() {
    while (!is_stopped) {
      if (items.empty()) {
        if (next_source == plan.sources.size()) return std::nullopt;
        expand(plan.sources[next_source++]);
        continue;
      }
      Item item = std::move(items.front());
      items.pop_front();
      if (!parts.state.is_done(key_of(item))) return item;
      ++report.skipped;
      parts.on_step(false);
    }
    return std::nullopt;
  }

  // The state is what makes a run worth stopping: without it, better to stop now.
  void keep(const Item& item) {
    auto kept = parts.state.add(key_of(item));
    if (kept) return;
    report.state_fault = kept.error().detail;
    is_stopped = true;
  }
};

WarmRun::WarmRun(const WarmPlan& plan, Parts parts)
    : state_(std::make_shared<State>(plan, std::move(parts))) {}

WarmRun::~WarmRun() = default;

void WarmRun::stop() {
  state_->is_stopped = true;
}

const WarmReport& WarmRun::report() const {
  return state_->report;
}

namespace {

template <class State>
Task<> sleep_until(std::shared_ptr<State> state, Steady moment) {
  while (!state->is_stopped) {
    auto left = std::chrono::ceil<Milliseconds>(moment - state->parts.clock.now());
    if (left.count() <= 0) co_return;
    co_await sleep_for(std::min(left, kSlice));
  }
}

// Until it is there, cannot be, or all tries are used up. Nothing: the run was stopped before.
template <class State>
Task<std::optional<Result<WarmReply>>> ask_until_settled(std::shared_ptr<State> state,
                                                         std::string url) {
  for (int left = state->plan.tries;; --left) {
    co_await sleep_until(state, state->pace.take(state->parts.clock.now()));
    if (state->is_stopped) co_return std::nullopt;
    auto reply = co_await state->parts.ask(url);
    bool is_settled = reply && !is_passing(reply->status);
    if (is_settled) state->pace.went_well();
    if (is_settled || left <= 1) co_return std::move(reply);
    if (reply && is_refusal(reply->status)) ++state->report.held_back;
    state->pace.was_refused(state->parts.clock.now(), reply ? reply->retry_after_seconds : 0);
  }
}

}  // namespace

Task<> WarmRun::lane(std::shared_ptr<State> state) {
  while (auto item = state->take()) {
    std::string url = warm_url(state->plan.site, item->server, item->path);
    auto settled = co_await ask_until_settled(state, std::move(url));
    if (!settled) co_return;
    const Result<WarmReply>& reply = *settled;
    const std::string what = item->server + item->path;
    if (!reply) {
      const Error& error = reply.error();
      state->add_fault(what, error.detail.empty() ? error.message : error.detail);
    } else if (reply->status != 200) {
      state->add_fault(what, "answered with " + std::to_string(reply->status));
    } else {
      ++state->report.done;
      state->report.size_bytes += reply->size_bytes;
      state->keep(*item);
      state->parts.on_step(false);
    }
  }
}

Task<> WarmRun::run() {
  std::shared_ptr<State> state = state_;
  auto lanes = std::make_shared<int>(state->plan.at_once);
  auto ended =
      std::make_shared<asio::steady_timer>(co_await asio::this_coro::executor, Steady::max());
  auto work = [](std::shared_ptr<State> s, std::shared_ptr<int> left,
                 std::shared_ptr<asio::steady_timer> end) -> Task<> {
    co_await lane(s);
    if (--*left == 0) end->cancel();
  };
  Executor executor = co_await asio::this_coro::executor;
  for (int i = 0; i < state->plan.at_once; ++i) {
    asio::co_spawn(executor, work(state, lanes, ended), asio::detached);
  }
  std::error_code ignored;
  if (*lanes > 0) {
    co_await ended->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  auto synced = state->parts.state.sync();
  if (!synced) state->report.state_fault = synced.error().detail;
  bool is_over = state->items.empty() && state->next_source == state->plan.sources.size();
  state->report.is_complete = is_over && !state->is_stopped && state->report.state_fault.empty();
}

}  // namespace tintype
