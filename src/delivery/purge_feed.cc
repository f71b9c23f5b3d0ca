// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_feed.h"

#include <algorithm>

#include "base/text.h"

namespace tintype {

Task<Result<>> MemoryPurgeFeed::append(PurgeOrder order, Deadline) {
  std::lock_guard lock(mutex_);
  if (is_failing_) co_return fail_private(ErrorCode::OriginFailed, "the feed is down");
  orders_.push_back(std::move(order));
  co_return Result<>{};
}

Task<Result<PurgeFeed::News>> MemoryPurgeFeed::read_since(std::string cursor, Deadline) {
  std::lock_guard lock(mutex_);
  if (is_failing_) co_return fail_private(ErrorCode::OriginFailed, "the feed is down");
  auto end = static_cast<std::int64_t>(orders_.size());
  std::int64_t begin = std::min(parse_int(cursor).value_or(end), end);
  co_return News{.orders = {orders_.begin() + begin, orders_.end()}, .cursor = std::to_string(end)};
}

void MemoryPurgeFeed::fail(bool is_failing) {
  std::lock_guard lock(mutex_);
  is_failing_ = is_failing;
}

std::size_t MemoryPurgeFeed::size() const {
  std::lock_guard lock(mutex_);
  return orders_.size();
}

}  // namespace tintype
