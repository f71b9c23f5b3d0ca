// SPDX-License-Identifier: Apache-2.0
// SharedVariants: the walk's side of the variant store, which all service tasks and the edge share.
// Finished variants are offered to it behind the answer. Where the settings say so it is also
// asked, before a render, for what another task has made, and a short lease keeps two tasks from
// making the same. None of it can fail an answer: a store or a lease that does not answer in time
// is as if it were not there. Thread-safe. Walk: behind the disk tier.
#pragma once

#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "cache/entry.h"
#include "store/lease.h"
#include "store/variant_store.h"
#include "store/write_back.h"

namespace tintype {

struct SharedVariantsSettings {
  // Ask the store before a render. Not needed behind an edge, which has just asked it.
  bool read = false;
  // A look that takes longer than this is a miss: a render is 10 to 300 ms.
  Milliseconds read_timeout_ms{500};
  // How often a task that waits for another one's render looks for it.
  Milliseconds poll_ms{50};
};

class SharedVariants {
 public:
  // All outlive it. `leases` null: none are taken.
  struct Parts {
    VariantStore& store;
    WriteBack& write_back;
    Lease* leases = nullptr;
    const Clock& clock;
  };
  SharedVariants(const Parts& parts, const SharedVariantsSettings& settings)
      : parts_(parts), settings_(settings) {}

  // What another task has made under this canonical path, still fresh. While somebody else holds
  // the path's lease it waits for their variant, as long as a lease lives at most. Null: it is this
  // task's to make. Only key, bytes, media type, tags and times are filled in.
  Task<SharedEntry> find(std::string path, Deadline deadline);
  // The render has failed: others need not wait for the lease's end.
  Task<> give_up(std::string path, Deadline deadline);
  // Behind the answer; never waits. Failures and what may not be shared are left out.
  // `finished_at`: purges from then on are later than this variant.
  void offer(const SharedEntry& entry, Steady finished_at);

 private:
  Task<SharedEntry> look(std::string path, Deadline deadline);

  Parts parts_;
  SharedVariantsSettings settings_;
};

}  // namespace tintype
