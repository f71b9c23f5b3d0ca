// SPDX-License-Identifier: Apache-2.0
// Walk: the life of a request, in the order of its steps:
//
//   dialect -> policy -> settle -> canonical path -> memory -> disk -> variant store -> flight {
//   fetch (one per source) || policy refresh -> sniff -> plan -> admission, worker } -> answer;
//   afterwards disk and variant store
//
// Owns none of its parts; thread-safe: every loop calls the same object.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/flights.h"
#include "cache/disk_tier.h"
#include "cache/memory_tier.h"
#include "delivery/answer.h"
#include "delivery/origins.h"
#include "delivery/purge_log.h"
#include "delivery/renderer.h"
#include "delivery/shared_variants.h"
#include "delivery/source_fetches.h"
#include "store/policy_store.h"
#include "telemetry/metrics.h"

namespace tintype {

struct WalkParts {
  PolicyStore& policies;
  Origins& origins;
  SourceFetches& fetches;
  Renderer& renderer;
  MemoryTier& memory;
  DiskTier* disk = nullptr;          // null: no disk tier
  SharedVariants* shared = nullptr;  // null: no variant store
  PurgeLog* purges = nullptr;        // null: nothing is ever purged
  asio::thread_pool& blocking;       // for the disk
  Metrics& metrics;
  const Clock& clock;
  RenderHead render_head;
  Milliseconds request_deadline_ms{20'000};
  // When the last refusal for want of capacity was logged: such lines come at most once a second.
  std::shared_ptr<std::atomic<std::int64_t>> last_busy_line =
      std::make_shared<std::atomic<std::int64_t>>(0);
};

class Walk {
 public:
  explicit Walk(WalkParts parts);
  ~Walk();

  // The pure steps and the memory tier only: an answer if it is there (also negative and
  // bad-request answers), nothing if the disk or a render is needed. Never blocks; a few
  // microseconds.
  std::optional<Answer> answer_from_memory(const Viewing& viewing);
  // The whole walk. Never fails: a failure is an entry with a problem document.
  Task<Answer> answer(Viewing viewing);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tintype
