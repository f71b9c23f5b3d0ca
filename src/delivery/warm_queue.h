// SPDX-License-Identifier: Apache-2.0
// WarmQueue: pictures whose standard variants are to be made before anybody asks, because a hook
// told of a new or changed one. What viewers wait for always goes first: it asks the walk for one
// or two variants at a time, and for none while renders wait. Bounded: what finds no room is
// dropped and counted, and is made when it is asked for, as without hooks. Nothing is kept over a
// restart. offer(), state() and stop() are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "delivery/answer.h"
#include "store/policy_store.h"

namespace tintype {

struct WarmQueueSettings {
  std::size_t max_waiting = 1'000;  // pictures
  int at_once = 2;                  // variants asked for at the same time
  Milliseconds pause_ms{200};       // between looks, while there is nothing to do or renders wait
};

// A picture to be warmed.
struct WarmOrder {
  std::string site, source;
  std::vector<std::string> presets;
  // Not before: some DAMs tell of a picture seconds before they hand out its new bytes.
  Milliseconds delay_ms{0};
};

struct WarmQueueState {
  std::size_t waiting = 0;    // pictures
  std::uint64_t dropped = 0;  // pictures that found no room
  std::uint64_t made = 0;     // variants that are there now, whoever made them
  std::uint64_t failed = 0;   // variants that could not be made
};

class WarmQueue {
 public:
  struct Parts {
    PolicyStore& policies;
    const Clock& clock;
    // The walk, with a canonical path, asked by ourselves (Viewing::is_ours).
    std::function<Task<Answer>(std::string path)> ask;
    std::function<bool()> is_busy;  // renders wait: not now
  };

  WarmQueue(Parts parts, const WarmQueueSettings& settings);
  ~WarmQueue();

  // False: no room. A picture that waits already is not there twice; its presets are added.
  bool offer(WarmOrder order);
  // Begins to work on `executor`, which must outlive what it runs; once.
  void start(const Executor& executor);
  // Asks for nothing more. What is under way goes on.
  void stop();
  WarmQueueState state() const;

 private:
  struct State;
  static Task<> work(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tintype
