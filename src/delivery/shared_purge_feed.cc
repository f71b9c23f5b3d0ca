// SPDX-License-Identifier: Apache-2.0
#include "delivery/shared_purge_feed.h"

#include <utility>

#include "telemetry/log.h"

namespace tintype {

Task<Result<>> SharedPurgeFeed::append(PurgeOrder order, Deadline deadline) {
  std::string note = as_json(order);
  co_return co_await notes_.append(std::move(note), deadline);
}

Task<Result<PurgeFeed::News>> SharedPurgeFeed::read_since(std::string cursor, Deadline deadline) {
  CO_TRY(PurgeNotes::News read, co_await notes_.read_since(std::move(cursor), deadline));
  News news;
  news.cursor = std::move(read.cursor);
  for (const std::string& note : read.notes) {
    auto order = parse_purge_order(note);
    if (order) {
      news.orders.push_back(std::move(*order));
    } else {
      log(LogLevel::Error, "purge.unreadable", {{"reason", order.error().message}});
    }
  }
  co_return news;
}

}  // namespace tintype
