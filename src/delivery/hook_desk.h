// SPDX-License-Identifier: Apache-2.0
// HookDesk: what becomes of a DAM's hook, POST /_/hooks/asset/<site>/<name>: read and proven
// (hook.h), once only, then every picture that it names is purged, and the standard variants of the
// new and changed ones are left to the warm queue. The answer waits for the purge for a while, so
// that a purge that fails is told to the sender and tried again by it; what takes longer goes on
// behind the answer. Thread-safe; owns none of its parts; outlives the loops that call it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "delivery/hook.h"
#include "delivery/purge_order.h"
#include "delivery/warm_queue.h"
#include "store/policy_store.h"

namespace tintype {

class Purger;

struct HookDeskSettings {
  // Amazon SNS gives a receiver 15 s, Aprimo 30 s.
  Milliseconds patience_ms{8'000};
  int purges_at_once = 8;  // of one hook
  // Bynder asks to wait 3 to 5 s before an asset of its event is fetched.
  Milliseconds bynder_delay_ms{5'000};
};

struct HookCall {
  std::string site, name, client;
  HookHeaders headers;
  std::string body;
};

struct HookAnswer {
  int status = 202;
  std::string json;     // of 2xx
  std::string problem;  // of the others; public
};

struct HookDeskState {
  std::uint64_t obeyed = 0, ignored = 0, seen = 0, refused = 0, failed = 0;
};

class HookDesk {
 public:
  struct Parts {
    PolicyStore& policies;
    const Clock& clock;
    WarmQueue& warm;
    // Removes the variants of what the order names everywhere; returns when it is done.
    std::function<Task<Result<>>(PurgeOrder order)> purge;
  };
  explicit HookDesk(Parts parts, const HookDeskSettings& settings = {});
  ~HookDesk();

  // 202, or 200 where the sender knows no other success (Cloudinary), for what is obeyed, ignored
  // or was there before; else as read_hook fails, 404 for hooks that nobody has set up, 503 when it
  // is to be sent again.
  Task<HookAnswer> take(HookCall call);
  HookDeskState state() const;

 private:
  struct Job;
  struct State;
  std::shared_ptr<State> state_;
};

// Parts::purge by the purger, which must outlive it.
std::function<Task<Result<>>(PurgeOrder)> purge_by(Purger& purger);

}  // namespace tintype
