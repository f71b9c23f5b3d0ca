// SPDX-License-Identifier: Apache-2.0
// Flights: request collapsing. Of many identical misses one leads and works; the others wait for
// its answer, whatever it is (errors collapse too). The work runs detached on the leader's loop, so
// a leader whose client goes away still finishes for the others; everybody resumes on their own
// loop. Thread-safe across loops. Every loop must outlive the flights that somebody on it waits
// for: stop and join all loops before the first of them is destroyed.
//
// The order that keeps a render single: the work puts its answer into the memory tier before it
// returns; then the flight is struck off; then the waiters resume. Who comes after the striking
// finds the answer in the memory tier, or starts anew.
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
  // Joins the flight for `key`, or starts `work` if there is none. `work` is called at most once
  // per flight and is kept alive until it has landed. Exceptions that escape it become Internal; a
  // loop that is torn down under it lands as Busy. Whoever awaits may be cancelled (asio's
  // cancellation): they leave with Timeout, the flight goes on.
  Task<Landing> join(std::string key, std::function<Task<Result<SharedEntry>>()> work);

  std::size_t aloft() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace tintype
