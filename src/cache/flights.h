// SPDX-License-Identifier: Apache-2.0
// Flights: request collapsing. Of many identical misses one leads and works; the others wait for its
// answer, whatever it is (errors collapse too). The work runs detached on the leader's loop, so a leader
// whose client goes away still finishes for the others. Thread-safe across loops.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/async.h"
#include "base/result.h"
#include "cache/entry.h"

namespace tintype {

class Flights {
 public:
  Flights();
  ~Flights();

  struct Landing {
    Result<SharedEntry> entry;
    bool collapsed = false;  // somebody else did the work
  };
  // Joins the flight for `key`, or starts `work` if there is none. `work` is called at most once per
  // flight and is kept alive until it has landed. Errors that escape it as exceptions become Internal.
  Task<Landing> join(std::string key, std::function<Task<Result<SharedEntry>>()> work);

  std::size_t aloft() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tintype
