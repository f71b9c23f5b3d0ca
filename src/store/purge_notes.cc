// SPDX-License-Identifier: Apache-2.0
#include "store/purge_notes.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/text.h"

namespace tintype {
namespace {

constexpr char kFeed[] = "_purges";
constexpr std::int64_t kLifeSeconds = 86'400;
// Clocks of tasks are kept by NTP to far less than a second, and a write ends within its retries.
constexpr std::int64_t kOverlapSeconds = 60;
constexpr int kMicrosecondDigits = 16;  // until the year 2286

std::string key_of(std::int64_t unix_us) {
  char text[24];
  std::snprintf(text, sizeof text, "%0*lld", kMicrosecondDigits, static_cast<long long>(unix_us));
  return text;
}

std::int64_t seconds_of(const std::string& key) {
  return parse_int(std::string_view(key).substr(0, kMicrosecondDigits)).value_or(0) / 1'000'000;
}

}  // namespace

PurgeNotes::PurgeNotes(DynamoClient& dynamo, const Clock& clock, std::string writer)
    : dynamo_(dynamo), clock_(clock), writer_(std::move(writer)) {}

std::string PurgeNotes::key_now() {
  std::lock_guard lock(mutex_);
  char count[24];
  std::snprintf(count, sizeof count, "-%06llu-", static_cast<unsigned long long>(written_++));
  return key_of(clock_.unix_us()) + count + writer_;
}

Task<Result<>> PurgeNotes::append(std::string note, Deadline deadline) {
  DynamoItem item{{"pk", kFeed},
                  {"sk", key_now()},
                  {"note", std::move(note)},
                  {"expires", clock_.unix_seconds() + kLifeSeconds}};
  DynamoExpression always;
  CO_TRY(bool done, co_await dynamo_.put(std::move(item), std::move(always), deadline));
  if (!done) co_return fail_private(ErrorCode::Internal, "DynamoDB refused a note of a purge");
  co_return Result<>();
}

Task<Result<PurgeNotes::News>> PurgeNotes::read_since(std::string cursor, Deadline deadline) {
  News news;
  std::int64_t now = clock_.unix_seconds();
  if (cursor.empty()) {
    news.cursor = key_of(clock_.unix_us());
    co_return news;
  }
  // A minute back: what was written before a start may be given again, and does no harm.
  std::int64_t from_us =
      std::max<std::int64_t>(0, seconds_of(cursor) - kOverlapSeconds) * 1'000'000;
  DynamoQuery query{.pk = kFeed, .sk_after = key_of(from_us)};
  CO_TRY(auto items, co_await dynamo_.query(std::move(query), deadline));
  news.cursor = cursor;
  std::lock_guard lock(mutex_);
  for (const DynamoItem& item : items) {
    std::string key = text_at(item, "sk");
    std::int64_t expires = number_at(item, "expires");
    if (expires != 0 && expires < now) continue;  // the table removes it within days
    if (!given_.emplace(key, seconds_of(key)).second) continue;
    news.notes.push_back(text_at(item, "note"));
    // Not beyond our own time: a note by a clock that runs ahead would hide those of others.
    news.cursor = std::max(news.cursor, std::min(key, key_of(clock_.unix_us())));
  }
  // What lies before the overlap of later looks is not read again.
  std::int64_t oldest = seconds_of(news.cursor) - 2 * kOverlapSeconds;
  std::erase_if(given_, [&](const auto& entry) { return entry.second < oldest; });
  co_return news;
}

}  // namespace tintype
