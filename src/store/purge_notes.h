// SPDX-License-Identifier: Apache-2.0
// PurgeNotes: the orders to purge that service tasks leave each other in the policy's table. A note
// is a text under a key that begins with the time it was written; it lives for a day. Clocks of
// tasks differ and writes overtake each other, so a reader looks a minute back each time and leaves
// out what this object has given already. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/dynamodb_client.h"

namespace tintype {

class PurgeNotes {
 public:
  // Both must outlive it. `writer` tells this task from all others: random.
  PurgeNotes(DynamoClient& dynamo, const Clock& clock, std::string writer);

  Task<Result<>> append(std::string note, Deadline deadline);

  struct News {
    std::vector<std::string> notes;  // oldest first
    std::string cursor;              // where to read on
  };
  // What was appended after `cursor`, also by this task; an empty cursor is the present moment and
  // gives none. Fails as DynamoClient does.
  Task<Result<News>> read_since(std::string cursor, Deadline deadline);

 private:
  std::string key_now();

  DynamoClient& dynamo_;
  const Clock& clock_;
  const std::string writer_;
  std::mutex mutex_;
  std::uint64_t written_ = 0;
  std::map<std::string, std::int64_t> given_;  // key -> when it was written, in seconds
};

}  // namespace tintype
