// SPDX-License-Identifier: Apache-2.0
#include "delivery/warm_queue.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "delivery/standard_variants.h"
#include "telemetry/log.h"

namespace tintype {

struct WarmQueue::State {
  State(Parts p, const WarmQueueSettings& s) : parts(std::move(p)), settings(s) {}

  const Parts parts;
  const WarmQueueSettings settings;
  std::atomic<bool> is_stopped{false};
  std::atomic<std::uint64_t> dropped{0}, made{0}, failed{0};
  mutable std::mutex mutex;
  std::multimap<Steady, WarmOrder> waiting;  // by when they are due

  // The picture that is due first, if any is by now.
  std::optional<WarmOrder> take() {
    std::lock_guard lock(mutex);
    if (waiting.empty() || waiting.begin()->first > parts.clock.now()) return std::nullopt;
    WarmOrder order = std::move(waiting.begin()->second);
    waiting.erase(waiting.begin());
    return order;
  }

  std::vector<std::string> paths_of(const WarmOrder& order) {
    std::vector<std::string> paths;
    SharedPolicy policy = parts.policies.current();
    const SitePolicy* site = policy->find(order.site);
    if (!site) return paths;
    std::vector<std::string> accepts = accepts_of(*site);
    auto variants = standard_variants(*site, {order.source, order.presets, accepts});
    if (!variants) {
      // The site's rules may have changed since the hook.
      failed += 1;
      log(LogLevel::Warn, "warm-failed",
          {{"site", order.site}, {"source", order.source}, {"message", variants.error().message}});
      return paths;
    }
    for (StandardVariant& variant : *variants) paths.push_back(std::move(variant.path));
    return paths;
  }
};

WarmQueue::WarmQueue(Parts parts, const WarmQueueSettings& settings)
    : state_(std::make_shared<State>(std::move(parts), settings)) {}

WarmQueue::~WarmQueue() {
  stop();
}

bool WarmQueue::offer(WarmOrder order) {
  State& state = *state_;
  Steady due = state.parts.clock.now() + order.delay_ms;
  std::lock_guard lock(state.mutex);
  for (auto& [when, other] : state.waiting) {
    if (other.site != order.site || other.source != order.source) continue;
    for (std::string& preset : order.presets) {
      bool is_there = std::ranges::find(other.presets, preset) != other.presets.end();
      if (!is_there) other.presets.push_back(std::move(preset));
    }
    return true;
  }
  if (state.waiting.size() >= state.settings.max_waiting) {
    ++state.dropped;
    return false;
  }
  state.waiting.emplace(due, std::move(order));
  return true;
}

// One lane: several of them work side by side on the same loop.
Task<> WarmQueue::work(std::shared_ptr<State> state) {
  const Milliseconds pause = state->settings.pause_ms;
  while (!state->is_stopped) {
    std::optional<WarmOrder> order = state->take();
    if (!order) {
      co_await sleep_for(pause);
      continue;
    }
    std::vector<std::string> paths = state->paths_of(*order);
    for (std::string& path : paths) {
      while (!state->is_stopped && state->parts.is_busy()) co_await sleep_for(pause);
      if (state->is_stopped) co_return;
      Answer answer = co_await state->parts.ask(std::move(path));
      bool is_made = answer.entry->meta.status == 200;
      ++(is_made ? state->made : state->failed);
      if (is_made) continue;
      // One line a picture: its other variants would fail in the same way, or soon be asked for.
      log(LogLevel::Info, "warm-failed",
          {{"key", answer.entry->meta.key},
           {"site", order->site},
           {"source", order->source},
           {"status", answer.entry->meta.status}});
    }
  }
}

void WarmQueue::start(const Executor& executor) {
  for (int i = 0; i < state_->settings.at_once; ++i) {
    asio::co_spawn(executor, work(state_), asio::detached);
  }
}

void WarmQueue::stop() {
  state_->is_stopped = true;
}

WarmQueueState WarmQueue::state() const {
  std::lock_guard lock(state_->mutex);
  return {.waiting = state_->waiting.size(),
          .dropped = state_->dropped,
          .made = state_->made,
          .failed = state_->failed};
}

}  // namespace tintype
