// SPDX-License-Identifier: Apache-2.0
// Warm: asks servers for the standard variants of many sources before viewers do, a few at once and
// at a bounded rate. A server that says that it has too much to do (503, 429) is given the time it
// asks for, and half the rate; the rate comes back while all goes well. What is done is kept in the
// WarmState, so that a run goes on where another stopped. One thread: everything runs on the loop
// that run() is awaited on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "cli/warm_state.h"
#include "policy/policy.h"

namespace tintype {

// What came of one request.
struct WarmReply {
  int status = 0;
  std::int64_t size_bytes = 0;
  std::int64_t retry_after_seconds = 0;
};

struct WarmPlan {
  const SitePolicy& site;
  std::vector<std::string> sources, presets, accepts;
  std::vector<std::string> servers;  // "https://img.example", without a '/' at the end
  bool each_server = false;          // ask every server for everything; else they take turns
  double rate_per_second = 20;
  int at_once = 4;
  // Of one variant: the server may be busy for a while, and connections break.
  int tries = 6;
};

struct WarmReport {
  std::uint64_t done = 0, failed = 0, skipped = 0;  // requests; skipped: done by an earlier run
  std::uint64_t held_back = 0;                      // times that a server asked for time
  std::int64_t size_bytes = 0;
  std::vector<std::pair<std::string, std::string>> faults;  // the first: URL, why
  bool is_complete = false;  // false: it was stopped, or the state could not be written
  std::string state_fault;   // why the state could not be written
};

// How many faults a report lists.
inline constexpr std::size_t kMaxWarmFaults = 100;

class WarmRun {
 public:
  // `ask` fails where there was no answer; the detail is shown to the operator. `on_step` is called
  // after each request with whether it failed.
  struct Parts {
    std::function<Task<Result<WarmReply>>(std::string url)> ask;
    std::function<void(bool failed)> on_step;
    WarmState& state;
    const Clock& clock;
  };
  // Both outlive the run.
  WarmRun(const WarmPlan& plan, Parts parts);
  ~WarmRun();

  // Returns when everything is done or has failed, or after stop().
  Task<> run();
  // Begins nothing more. On the run's thread.
  void stop();
  const WarmReport& report() const;

 private:
  struct State;
  static Task<> lane(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

// How often a server is to be asked, by what it says. Pure but for the clock it is told.
class WarmPace {
 public:
  explicit WarmPace(double rate_per_second) : goal_(rate_per_second), rate_(rate_per_second) {}
  // When the next request may go out; counts it.
  Steady take(Steady now);
  void went_well();
  void was_refused(Steady now, std::int64_t retry_after_seconds);
  double rate_per_second() const { return rate_; }

 private:
  double goal_, rate_;
  Steady next_{};
};

// The URL of a canonical path at a server, signed where the site signs.
std::string warm_url(const SitePolicy& site, const std::string& server, const std::string& path);

}  // namespace tintype
