// SPDX-License-Identifier: Apache-2.0
// DynamoClient: the calls of DynamoDB's protocol (API version 2012-08-10, JSON 1.0) that we need,
// on one table whose key is the pair of texts `pk` and `sk`. Pages and unprocessed items are
// followed here; every answer is held against its x-amz-crc32. A condition that does not hold is a
// value, not a failure. Reads are strongly consistent unless they are asked not to be. Owns no
// connections. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/aws_client.h"

namespace tintype {

// One attribute: a text (S), a whole number (N) or yes/no (BOOL). Types that we never write are
// read as std::monostate, so that an item somebody else made is seen, and refused by its reader.
using DynamoValue = std::variant<std::monostate, std::string, std::int64_t, bool>;
using DynamoItem = std::map<std::string, DynamoValue>;

// Empty or 0 where the attribute is absent or of another type.
std::string text_at(const DynamoItem& item, const std::string& name);
std::int64_t number_at(const DynamoItem& item, const std::string& name);

struct DynamoKey {
  std::string pk, sk;
};

// "attribute_not_exists(pk) OR #until < :now", with what its names (#) and values (:) stand for.
// Empty text: no condition.
struct DynamoExpression {
  std::string text;
  std::map<std::string, std::string> names;
  DynamoItem values;
};

struct DynamoQuery {
  std::string pk;
  std::string sk_prefix;                // empty: all
  std::string sk_after;                 // only greater ones; not together with sk_prefix
  std::vector<std::string> attributes;  // empty: all
  bool is_consistent = true;
};

struct DynamoUpdate {
  DynamoKey key;
  std::string change;  // "SET #v = :v"; its names and values stand in `condition` too
  DynamoExpression condition;
};

struct DynamoSettings {
  std::string table, region;
  std::string endpoint;  // empty: AWS's, "https://dynamodb.<region>.amazonaws.com"
  // Of one attempt. A single-digit number of milliseconds is usual; what takes this long has hung.
  Milliseconds timeout_ms{2'000};
};

class DynamoClient {
 public:
  // `aws` must outlive it.
  DynamoClient(AwsClient& aws, DynamoSettings settings);

  // All of these fail with NotFound (there is no such table; says which, where, and what to do),
  // Forbidden (credentials or rights), Busy (throttled after all retries), Timeout, BadRequest (the
  // request is at fault) and OriginFailed (anything else, also an answer that was damaged).
  Task<Result<std::vector<DynamoItem>>> query(DynamoQuery query, Deadline deadline);
  Task<Result<std::optional<DynamoItem>>> get(DynamoKey key, Deadline deadline);
  // False: the condition did not hold. An attempt that was sent again may find its own write.
  Task<Result<bool>> put(DynamoItem item, DynamoExpression condition, Deadline deadline);
  // The whole item as it is afterwards; nothing: the condition did not hold.
  Task<Result<std::optional<DynamoItem>>> update(DynamoUpdate update, Deadline deadline);
  Task<Result<bool>> remove(DynamoKey key, DynamoExpression condition, Deadline deadline);
  // In batches of 25. On failure some may be done.
  Task<Result<>> put_all(std::vector<DynamoItem> items, Deadline deadline);
  Task<Result<>> remove_all(std::vector<DynamoKey> keys, Deadline deadline);
  // On demand, and waits until the table can be used. False: it was there already.
  Task<Result<bool>> create_table(Deadline deadline);

  const DynamoSettings& settings() const { return settings_; }

 private:
  AwsClient& aws_;
  DynamoSettings settings_;
};

}  // namespace tintype
