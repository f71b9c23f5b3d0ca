// SPDX-License-Identifier: Apache-2.0
// SourceFetches: how sources are fetched for everybody: a source that several sizes are asked of at
// the same time is fetched once, and only so many sources are on their way at once, which bounds
// the memory they take before admission counts them. Thread-safe; every loop must outlive it.
// Walk: on a miss, between the disk tier and the plan.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/flights.h"
#include "base/result.h"
#include "store/origin.h"

namespace tintype {

struct FetchSettings {
  int max_at_once = 32;     // further ones wait; times the site's max_source_bytes is the memory
  int max_waiting = 1'000;  // 503 above it
};

class SourceFetches {
 public:
  SourceFetches(const FetchSettings& settings, const Clock& clock);

  // The origin's answer, or Busy: too many wait, or the turn had not come when the deadline passed.
  // Who joins a fetch under way gets its answer, and waits as long as its first asker would; who
  // asks for another version of the source does not join.
  struct Wanted {
    std::string path, version;
    std::uint64_t purges = 0;  // so far; a fetch from before a purge is not joined after it
  };
  Task<Result<Source>> fetch(std::shared_ptr<Origin> origin, Wanted wanted, Deadline deadline);

  struct Load {
    int under_way = 0;
    int waiting = 0;
  };
  Load load() const;

 private:
  struct Place;  // of one fetch: waiting for its turn, or having it
  Task<Result<>> wait_for_turn(std::shared_ptr<Place> place, Deadline deadline);
  void leave(Place& place);

  const FetchSettings settings_;
  const Clock& clock_;
  Flights<Source> flights_;
  mutable std::mutex mutex_;
  int under_way_ = 0;
  std::deque<Place*> waiting_;
};

}  // namespace tintype
