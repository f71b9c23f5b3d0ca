// SPDX-License-Identifier: Apache-2.0
#include "store/policy_table.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <random>
#include <system_error>
#include <utility>

#include "store/policy_judge.h"
#include "store/policy_versions.h"
#include "store/snapshot_file.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// Until the table has been read once, nothing is gained by patience.
constexpr Milliseconds kEagerInterval{2'000};
constexpr double kJitter = 0.2;

const std::string& reason_of(const Error& error) {
  return error.detail.empty() ? error.message : error.detail;
}

}  // namespace

struct PolicyTable::State {
  State(Parts p, PolicyTableSettings s)
      : clock(p.clock),
        base_folder(std::move(p.base_folder)),
        settings(std::move(s)),
        versions(p.dynamo, p.clock) {}

  const Clock& clock;
  const std::string base_folder;
  const PolicyTableSettings settings;
  PolicyVersions versions;
  std::atomic<SharedPolicy> policy{std::make_shared<const Policy>()};

  std::mutex mutex;  // of the four below; never held while waiting
  bool is_looking = false;
  Steady next_look;
  std::minstd_rand random{std::random_device{}()};
  std::map<std::string, std::string> said;  // what the log knows: by site; "" is the table

  std::atomic<std::uint64_t> looks{0}, failed_looks{0}, refused{0};
  std::atomic<std::int64_t> last_good_seconds{0};  // 0: no look has succeeded

  // Only of the look that is under way.
  LoadedSites accepted, wanted;
  bool is_unjudged = false;

  asio::thread_pool thread{1};  // last, so that it ends first

  // ---- when

  Milliseconds interval() {
    Milliseconds whole = last_good_seconds == 0 ? std::min(kEagerInterval, settings.refresh_ms)
                                                : settings.refresh_ms;
    std::uniform_real_distribution<double> spread(1 - kJitter, 1 + kJitter);
    return Milliseconds(
        static_cast<std::int64_t>(static_cast<double>(whole.count()) * spread(random)));
  }

  bool claim_look() {
    std::lock_guard lock(mutex);
    if (is_looking || clock.now() < next_look) return false;
    is_looking = true;
    return true;
  }

  void end_look() {
    std::lock_guard lock(mutex);
    is_looking = false;
    next_look = clock.now() + interval();
  }

  // ---- the look

  Task<Result<>> load_changed(const PolicyIndex& index, Deadline deadline) {
    for (const auto& [site, version] : index) {
      auto known = wanted.find(site);
      if (known != wanted.end() && known->second.version == version) continue;
      auto items = co_await versions.load(site, version.version, version.items, deadline);
      if (items) {
        wanted[site] = {version, std::move(*items)};
        is_unjudged = true;
      } else if (items.error().code == ErrorCode::NotFound) {
        refuse({site, version.version, reason_of(items.error())});
      } else {
        co_return fail(std::move(items).error());
      }
    }
    co_return Result<>();
  }

  Task<Result<>> look() {
    Deadline deadline = Deadline::after(clock, settings.look_timeout_ms);
    CO_TRY(PolicyIndex index, co_await versions.index(deadline));
    // A table that was emptied by mistake takes no site down.
    if (index.empty() && !accepted.empty()) {
      co_return fail_private(ErrorCode::NotFound, "the table holds no sites any more");
    }
    std::erase_if(wanted, [&](const auto& site) {
      bool is_gone = !index.contains(site.first);
      is_unjudged |= is_gone;
      return is_gone;
    });
    CO_TRY(co_await load_changed(index, deadline));
    if (std::exchange(is_unjudged, false)) take_over(judge(accepted, wanted, base_folder));
    co_return Result<>();
  }

  struct EndOfLook {
    State& state;
    ~EndOfLook() { state.end_look(); }
  };

  static Task<> run_look(std::shared_ptr<State> state) {
    EndOfLook end{*state};
    auto looked = co_await state->look();
    ++state->looks;
    if (looked) {
      state->last_good_seconds = state->clock.unix_seconds();
      if (state->forget_said("")) log(LogLevel::Info, "policy.reachable");
    } else {
      ++state->failed_looks;
      state->complain(looked.error());
    }
  }

  // ---- what comes of it

  void take_over(Judgement judgement) {
    for (const Refusal& refusal : judgement.refused) refuse(refusal);
    bool has_changed = judgement.policy->revision != policy.load()->revision;
    accepted = std::move(judgement.accepted);
    for (const auto& [site, loaded] : accepted) {
      auto in_table = wanted.find(site);
      if (in_table != wanted.end() && in_table->second.version == loaded.version) forget_said(site);
    }
    if (!has_changed) return;
    policy.store(std::move(judgement.policy));
    log(LogLevel::Info, "policy.changed",
        {{"table", settings.table}, {"sites", policy.load()->sites.size()}});
    keep_snapshot();
  }

  void keep_snapshot() {
    if (settings.snapshot.empty()) return;
    auto kept = replace_file(settings.snapshot, write_snapshot(accepted, clock.unix_seconds()));
    if (kept) return;
    log(LogLevel::Error, "policy.snapshot-failed", {{"reason", reason_of(kept.error())}});
  }

  void load_snapshot() {
    if (settings.snapshot.empty()) return;
    auto text = read_whole_file(settings.snapshot);
    if (!text && text.error().code == ErrorCode::NotFound) return;
    auto snapshot = text ? read_snapshot(*text) : fail(text.error());
    if (!snapshot) {
      log(LogLevel::Error, "policy.snapshot-unreadable",
          {{"file", settings.snapshot}, {"reason", reason_of(snapshot.error())}});
      return;
    }
    wanted = snapshot->sites;
    Judgement judgement = judge({}, wanted, base_folder);
    for (const Refusal& refusal : judgement.refused) refuse(refusal);
    accepted = std::move(judgement.accepted);
    policy.store(std::move(judgement.policy));
    log(LogLevel::Info, "policy.snapshot",
        {{"file", settings.snapshot},
         {"saved", snapshot->saved_unix_seconds},
         {"sites", accepted.size()}});
  }

  // ---- what is said, once

  bool is_news(const std::string& about, const std::string& text) {
    std::lock_guard lock(mutex);
    return std::exchange(said[about], text) != text;
  }
  bool forget_said(const std::string& about) {
    std::lock_guard lock(mutex);
    return said.erase(about) > 0;
  }

  void refuse(const Refusal& refusal) {
    if (!is_news(refusal.site, std::to_string(refusal.version) + " " + refusal.reason)) return;
    ++refused;
    auto old = accepted.find(refusal.site);
    log(LogLevel::Error, "policy.refused",
        {{"table", settings.table},
         {"site", refusal.site},
         {"version", refusal.version},
         {"reason", refusal.reason},
         {"version_in_force", old == accepted.end() ? 0 : old->second.version.version}});
  }

  void complain(const Error& error) {
    if (!is_news("", reason_of(error))) return;
    log(LogLevel::Error, "policy.unreachable",
        {{"table", settings.table}, {"reason", reason_of(error)}});
  }
};

namespace {

// One who waits for a look on a loop of its own.
struct Waiting {
  explicit Waiting(const Executor& executor) : timer(executor) {}
  asio::steady_timer timer;
};

}  // namespace

std::unique_ptr<PolicyTable> PolicyTable::open(Parts parts, PolicyTableSettings settings) {
  auto state = std::make_shared<State>(std::move(parts), std::move(settings));
  state->load_snapshot();
  auto looked = std::make_shared<std::promise<void>>();
  auto future = looked->get_future();
  state->claim_look();
  asio::co_spawn(state->thread, State::run_look(state),
                 [looked](const std::exception_ptr&) { looked->set_value(); });
  future.wait_for(state->settings.start_patience_ms);
  return std::unique_ptr<PolicyTable>(new PolicyTable(std::move(state)));
}

PolicyTable::PolicyTable(std::shared_ptr<State> state) : state_(std::move(state)) {}

PolicyTable::~PolicyTable() {
  state_->thread.join();
}

SharedPolicy PolicyTable::current() const {
  return state_->policy.load();
}

Task<SharedPolicy> PolicyTable::refresh() {
  auto state = state_;
  if (state->claim_look()) {
    auto waiting = std::make_shared<Waiting>(co_await asio::this_coro::executor);
    waiting->timer.expires_after(state->settings.patience_ms);
    // The timer must die on its loop: the thread gives its share of it away.
    auto tell = [waiting](const std::exception_ptr&) mutable {
      Executor executor = waiting->timer.get_executor();
      asio::post(executor, [waiting = std::move(waiting)] { waiting->timer.cancel(); });
    };
    asio::co_spawn(state->thread, State::run_look(state), std::move(tell));
    std::error_code ignored;
    co_await waiting->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  co_return state->policy.load();
}

PolicyTableState PolicyTable::state() const {
  std::int64_t last_good = state_->last_good_seconds;
  return {.looks = state_->looks,
          .failed_looks = state_->failed_looks,
          .refused = state_->refused,
          .age_seconds = last_good == 0
                             ? -1
                             : std::max<std::int64_t>(0, state_->clock.unix_seconds() - last_good),
          .sites = static_cast<std::int64_t>(state_->policy.load()->sites.size()),
          .is_from_snapshot = last_good == 0 && !state_->policy.load()->sites.empty()};
}

std::vector<std::string> PolicyTable::unready_reasons() const {
  if (state_->policy.load()->sites.empty()) return {"policy-missing"};
  return {};
}

}  // namespace tintype
