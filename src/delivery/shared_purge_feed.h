// SPDX-License-Identifier: Apache-2.0
// SharedPurgeFeed: the purge feed of several service tasks, kept as notes in the policy's table
// (store/purge_notes.h). An order that this version cannot read, because a newer task wrote it, is
// left out and said in the log. Owns nothing. Thread-safe. Walk: beside it, every interval().
#pragma once

#include "delivery/purge_feed.h"
#include "store/purge_notes.h"

namespace tintype {

class SharedPurgeFeed final : public PurgeFeed {
 public:
  // `notes` must outlive it.
  explicit SharedPurgeFeed(PurgeNotes& notes, Milliseconds interval = Milliseconds(5'000))
      : notes_(notes), interval_(interval) {}
  Task<Result<>> append(PurgeOrder order, Deadline deadline) override;
  Task<Result<News>> read_since(std::string cursor, Deadline deadline) override;
  Milliseconds interval() const override { return interval_; }

 private:
  PurgeNotes& notes_;
  const Milliseconds interval_;
};

}  // namespace tintype
