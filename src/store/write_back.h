// SPDX-License-Identifier: Apache-2.0
// WriteBack: finished variants on their way into the variant store, behind the answer. A bounded
// queue that never makes anybody wait: what finds it full is dropped and counted, and costs one
// later render. A thread of its own writes a few at a time; a write that fails is tried once more,
// later. A key that is queued already is not queued again. SIGTERM drains it. Thread-safe. Walk:
// the last step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "store/variant_store.h"

namespace tintype {

struct WriteBackSettings {
  // Queued and under way. 1,000 of 100 kB are 100 MB, which S3 takes in a few seconds.
  std::size_t max_entries = 1'000;
  std::int64_t max_bytes = 256'000'000;  // the variants' bytes alone
  int max_at_once = 8;                   // 8 PUTs of 30 ms are 260 a second: above any render rate
  Milliseconds timeout_ms{10'000};       // of one write
  Milliseconds retry_after_ms{2'000};    // before the second and last try
};

class WriteBack {
 public:
  // `store` and `clock` must outlive it. Starts the thread.
  WriteBack(VariantStore& store, const WriteBackSettings& settings, const Clock& clock);
  ~WriteBack();  // as stop()
  WriteBack(const WriteBack&) = delete;
  WriteBack& operator=(const WriteBack&) = delete;

  // False when it was dropped: the queue is full or closed. `replace` as in VariantStore::keep; it
  // also takes the place of a queued variant of the same key.
  bool add(StoredVariant variant, bool replace = false);

  // Takes nothing more and blocks until all is written or the deadline has passed; retries do not
  // wait for their time any more. How many were left. For the thread that ends the process.
  std::size_t drain(Deadline deadline);

  // Ends the thread and abandons what is left. The loop stands until destruction, so that what is
  // under way may still come back to it: end the HttpClient behind the store between the two.
  void stop();

  struct State {
    std::size_t queued = 0;        // waiting, under way, or waiting for the second try
    std::int64_t bytes = 0;        // of those
    std::uint64_t written = 0;     // new objects, and replaced ones
    std::uint64_t duplicates = 0;  // another task had made the same: one render too many each
    std::uint64_t dropped = 0;     // the queue was full or closed
    std::uint64_t failed = 0;      // given up after the second try
  };
  State state() const;

 private:
  struct Queue;
  std::unique_ptr<Queue> queue_;
};

}  // namespace tintype
