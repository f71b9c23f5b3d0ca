// SPDX-License-Identifier: Apache-2.0
#include "store/dynamodb_client.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxMessageBytes = 200;

using nlohmann::json;

constexpr std::size_t kBatch = 25;  // BatchWriteItem's limit
// A page is 1 MB at most; a policy of 64 MB is far above what parse_policy takes.
constexpr int kMaxPages = 64;
// Rounds of what DynamoDB left undone: 50 ms, doubling, 6 s in all.
constexpr int kMaxBatchRounds = 7;
constexpr Milliseconds kFirstBatchWait{50};
constexpr Milliseconds kTablePoll{250};
constexpr int kMaxTablePolls = 240;  // a minute; a table takes 5 to 20 s

// ---- values

json json_of(const DynamoValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return {{"S", *text}};
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return {{"N", std::to_string(*number)}};
  }
  if (const auto* flag = std::get_if<bool>(&value)) return {{"BOOL", *flag}};
  return {{"NULL", true}};
}

json json_of(const DynamoItem& item) {
  json out = json::object();
  for (const auto& [name, value] : item) out[name] = json_of(value);
  return out;
}

json json_of(const DynamoKey& key) {
  return {{"pk", {{"S", key.pk}}}, {"sk", {{"S", key.sk}}}};
}

DynamoValue value_of(const json& typed) {
  if (!typed.is_object() || typed.size() != 1) return {};
  const auto& [type, value] = *typed.items().begin();
  if (type == "BOOL" && value.is_boolean()) return value.get<bool>();
  if (!value.is_string()) return {};
  const std::string& text = value.get_ref<const std::string&>();
  if (type == "S") return text;
  if (type != "N") return {};
  auto number = parse_int(text);
  return number ? DynamoValue(*number) : DynamoValue();
}

DynamoItem item_of(const json& attributes) {
  DynamoItem item;
  if (!attributes.is_object()) return item;
  for (const auto& [name, value] : attributes.items()) item[name] = value_of(value);
  return item;
}

// ---- one call

// CRC-32 of IEEE 802.3 (reflected polynomial 0xEDB88320), as x-amz-crc32 holds it.
std::uint32_t crc32(ByteView bytes) {
  static constexpr auto kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) * 0xEDB88320u);
      table[i] = value;
    }
    return table;
  }();
  std::uint32_t crc = 0xFFFFFFFFu;
  for (std::uint8_t byte : bytes) crc = kTable[(crc ^ byte) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

struct Reply {
  json body;
  std::string fault;    // "ConditionalCheckFailedException"; empty: done
  std::string message;  // DynamoDB's own words
  int status = 0;
};

std::string base_url_of(const DynamoSettings& settings) {
  if (settings.endpoint.empty()) {
    // The Chinese partition has a domain of its own.
    std::string_view domain =
        settings.region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
    return "https://dynamodb." + settings.region + std::string(domain);
  }
  std::string url = settings.endpoint;
  while (url.ends_with('/')) url.pop_back();
  return url;
}

AwsCall call_of(const DynamoSettings& settings, const char* operation, const json& body) {
  // What is not UTF-8 is replaced, so that nothing throws; keys and documents of ours always are.
  std::string text = body.dump(-1, ' ', false, json::error_handler_t::replace);
  return {.service = "dynamodb",
          .region = settings.region,
          .base_url = base_url_of(settings),
          .method = "POST",
          .headers = {{"Content-Type", "application/x-amz-json-1.0"},
                      {"X-Amz-Target", std::string("DynamoDB_20120810.") + operation}},
          .body = share(Bytes(text.begin(), text.end())),
          .timeout_ms = settings.timeout_ms};
}

std::string text_in(const json& object, const char* name) {
  auto place = object.is_object() ? object.find(name) : object.end();
  return place != object.end() && place->is_string() ? place->get<std::string>() : std::string();
}

Result<Reply> read_reply(const IncomingResponse& response) {
  auto announced = parse_int(response.header("x-amz-crc32"));
  if (announced && *announced != crc32(response.body)) {
    return fail_private(ErrorCode::OriginFailed, "DynamoDB's answer was damaged on its way");
  }
  Reply reply{.body = json::parse(text_of(response.body), nullptr, false),
              .status = response.status};
  if (response.status == 200) {
    if (reply.body.is_object()) return reply;
    return fail_private(ErrorCode::OriginFailed, "DynamoDB's answer is not a JSON object");
  }
  // "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"
  std::string type = text_in(reply.body, "__type");
  reply.fault = type.substr(type.rfind('#') + 1);
  if (reply.fault.empty()) reply.fault = "status " + std::to_string(response.status);
  reply.message = text_in(reply.body, "message");
  if (reply.message.empty()) reply.message = text_in(reply.body, "Message");
  // What follows the first line of a signature's refusal is what was signed, tokens included.
  reply.message.resize(
      std::min({reply.message.size(), reply.message.find('\n'), kMaxMessageBytes}));
  return reply;
}

ErrorCode code_of(const Reply& reply) {
  constexpr std::pair<std::string_view, ErrorCode> kCodes[] = {
      {"ResourceNotFoundException", ErrorCode::NotFound},
      {"AccessDeniedException", ErrorCode::Forbidden},
      {"UnrecognizedClientException", ErrorCode::Forbidden},
      {"ExpiredTokenException", ErrorCode::Forbidden},
      {"IncompleteSignatureException", ErrorCode::Forbidden},
      {"InvalidSignatureException", ErrorCode::Forbidden},
      {"MissingAuthenticationTokenException", ErrorCode::Forbidden},
      {"ProvisionedThroughputExceededException", ErrorCode::Busy},
      {"RequestLimitExceeded", ErrorCode::Busy},
      {"ThrottlingException", ErrorCode::Busy},
      {"ValidationException", ErrorCode::BadRequest},
      {"SerializationException", ErrorCode::BadRequest},
      {"UnknownOperationException", ErrorCode::BadRequest},
  };
  for (auto [name, code] : kCodes) {
    if (reply.fault == name) return code;
  }
  return reply.status == 403 ? ErrorCode::Forbidden : ErrorCode::OriginFailed;
}

std::string place_of(const DynamoSettings& settings) {
  std::string place = "table " + settings.table + " in region " + settings.region;
  return settings.endpoint.empty() ? place : place + " at " + settings.endpoint;
}

Failure failure_of(const Reply& reply, const DynamoSettings& settings) {
  if (reply.fault == "ResourceNotFoundException") {
    return fail_private(ErrorCode::NotFound,
                        "there is no " + place_of(settings) +
                            "; create it (deploy/, or for development tintype policy "
                            "create-table), or name another table or region");
  }
  std::string text = "DynamoDB " + place_of(settings) + " says " + reply.fault;
  return fail_private(code_of(reply), reply.message.empty() ? text : text + ": " + reply.message);
}

// Puts the table in front of what the network says.
Failure at_table(const DynamoSettings& settings, Error error) {
  const std::string& text = error.message.empty() ? error.detail : error.message;
  return fail_private(error.code, "DynamoDB " + place_of(settings) + ": " + text);
}

// Fails as the network and the credentials do; what DynamoDB refuses is a Reply with its fault.
Task<Result<Reply>> ask(AwsClient& aws, DynamoSettings settings, AwsCall call) {
  auto response = co_await aws.call(std::move(call));
  if (!response) co_return at_table(settings, std::move(response).error());
  auto reply = read_reply(*response);
  if (!reply) co_return at_table(settings, std::move(reply).error());
  co_return std::move(*reply);
}

AwsCall until(AwsCall call, Deadline deadline) {
  call.deadline = deadline;
  return call;
}

bool is_refused_by_condition(const Reply& reply) {
  return reply.fault == "ConditionalCheckFailedException";
}

void add_expression(json& body, const DynamoExpression& expression, bool is_condition) {
  if (is_condition && !expression.text.empty()) body["ConditionExpression"] = expression.text;
  if (!expression.names.empty()) body["ExpressionAttributeNames"] = expression.names;
  if (!expression.values.empty()) body["ExpressionAttributeValues"] = json_of(expression.values);
}

json body_of(const DynamoQuery& query, const std::string& table) {
  json body{{"TableName", table}, {"ConsistentRead", query.is_consistent}};
  DynamoExpression expression{.names = {{"#pk", "pk"}}, .values = {{":pk", query.pk}}};
  std::string where = "#pk = :pk";
  if (!query.sk_prefix.empty() || !query.sk_after.empty()) {
    bool is_prefix = !query.sk_prefix.empty();
    where += is_prefix ? " AND begins_with(#sk, :sk)" : " AND #sk > :sk";
    expression.names["#sk"] = "sk";
    expression.values[":sk"] = is_prefix ? query.sk_prefix : query.sk_after;
  }
  body["KeyConditionExpression"] = where;
  std::string projection;
  for (std::size_t i = 0; i < query.attributes.size(); ++i) {
    std::string name = "#a" + std::to_string(i);
    projection += (i == 0 ? "" : ",") + name;
    expression.names[name] = query.attributes[i];
  }
  if (!projection.empty()) body["ProjectionExpression"] = projection;
  add_expression(body, expression, false);
  return body;
}

json::const_iterator member(const json& object, const char* name) {
  return object.is_object() ? object.find(name) : object.end();
}

// Writes or removes in batches; `requests` are BatchWriteItem's own.
Task<Result<>> write_batches(AwsClient& aws, DynamoSettings settings, std::vector<json> requests,
                             Deadline deadline) {
  Milliseconds wait = kFirstBatchWait;
  int rounds = 0;
  while (!requests.empty()) {
    std::size_t count = std::min(kBatch, requests.size());
    json batch = json::array();
    for (std::size_t i = 0; i < count; ++i) batch.push_back(std::move(requests[i]));
    requests.erase(requests.begin(), requests.begin() + static_cast<std::ptrdiff_t>(count));
    json body{{"RequestItems", {{settings.table, std::move(batch)}}}};
    AwsCall call = until(call_of(settings, "BatchWriteItem", body), deadline);
    CO_TRY(Reply reply, co_await ask(aws, settings, std::move(call)));
    if (!reply.fault.empty()) co_return failure_of(reply, settings);
    auto unprocessed = member(reply.body, "UnprocessedItems");
    if (unprocessed == reply.body.end()) continue;
    auto left = member(*unprocessed, settings.table.c_str());
    if (left == unprocessed->end() || !left->is_array() || left->empty()) {
      wait = kFirstBatchWait;
      rounds = 0;
      continue;
    }
    if (++rounds > kMaxBatchRounds) {
      co_return fail_private(ErrorCode::Busy, place_of(settings) +
                                                  ": DynamoDB left items undone; its write "
                                                  "capacity is used up, try again later");
    }
    for (const json& request : *left) requests.push_back(request);
    co_await sleep_for(wait);
    wait *= 2;
  }
  co_return Result<>();
}

// Only now, that the table is new: it cannot be switched on twice. Engines for tests know no time
// to live; then nothing is removed, and readers look at `expires` themselves.
Task<Result<>> switch_on_time_to_live(AwsClient& aws, DynamoSettings settings, Deadline deadline) {
  json body{{"TableName", settings.table},
            {"TimeToLiveSpecification", {{"AttributeName", "expires"}, {"Enabled", true}}}};
  AwsCall call = until(call_of(settings, "UpdateTimeToLive", body), deadline);
  CO_TRY(Reply reply, co_await ask(aws, settings, std::move(call)));
  bool is_fine = reply.fault.empty() || reply.fault == "UnknownOperationException";
  if (!is_fine) co_return failure_of(reply, settings);
  co_return Result<>();
}

Task<Result<>> wait_until_active(AwsClient& aws, DynamoSettings settings, Deadline deadline) {
  for (int poll = 0; poll < kMaxTablePolls; ++poll) {
    json body{{"TableName", settings.table}};
    AwsCall call = until(call_of(settings, "DescribeTable", body), deadline);
    CO_TRY(Reply reply, co_await ask(aws, settings, std::move(call)));
    // A table that has just been made may not be found for a moment.
    bool is_fine = reply.fault.empty() || reply.fault == "ResourceNotFoundException";
    if (!is_fine) co_return failure_of(reply, settings);
    auto table = member(reply.body, "Table");
    bool is_active =
        table != reply.body.end() && text_in(*table, "TableStatus") == std::string_view("ACTIVE");
    if (is_active) co_return Result<>();
    co_await sleep_for(kTablePoll);
  }
  co_return fail_private(ErrorCode::Timeout, place_of(settings) + " does not become active");
}

}  // namespace

std::string text_at(const DynamoItem& item, const std::string& name) {
  auto place = item.find(name);
  if (place == item.end()) return {};
  const auto* text = std::get_if<std::string>(&place->second);
  return text == nullptr ? std::string() : *text;
}

std::int64_t number_at(const DynamoItem& item, const std::string& name) {
  auto place = item.find(name);
  if (place == item.end()) return 0;
  const auto* number = std::get_if<std::int64_t>(&place->second);
  return number == nullptr ? 0 : *number;
}

DynamoClient::DynamoClient(AwsClient& aws, DynamoSettings settings)
    : aws_(aws), settings_(std::move(settings)) {}

Task<Result<std::vector<DynamoItem>>> DynamoClient::query(DynamoQuery query, Deadline deadline) {
  std::vector<DynamoItem> items;
  json body = body_of(query, settings_.table);
  for (int page = 0; page < kMaxPages; ++page) {
    AwsCall call = until(call_of(settings_, "Query", body), deadline);
    CO_TRY(Reply reply, co_await ask(aws_, settings_, std::move(call)));
    if (!reply.fault.empty()) co_return failure_of(reply, settings_);
    auto found = member(reply.body, "Items");
    if (found != reply.body.end() && found->is_array()) {
      for (const json& item : *found) items.push_back(item_of(item));
    }
    auto next = member(reply.body, "LastEvaluatedKey");
    if (next == reply.body.end() || !next->is_object()) co_return items;
    body["ExclusiveStartKey"] = *next;
  }
  co_return fail_private(ErrorCode::TooLarge,
                         place_of(settings_) + ": more than 64 MB under " + query.pk);
}

Task<Result<std::optional<DynamoItem>>> DynamoClient::get(DynamoKey key, Deadline deadline) {
  json body{{"TableName", settings_.table}, {"Key", json_of(key)}, {"ConsistentRead", true}};
  AwsCall call = until(call_of(settings_, "GetItem", body), deadline);
  CO_TRY(Reply reply, co_await ask(aws_, settings_, std::move(call)));
  if (!reply.fault.empty()) co_return failure_of(reply, settings_);
  auto found = member(reply.body, "Item");
  if (found == reply.body.end()) co_return std::optional<DynamoItem>();
  co_return std::optional(item_of(*found));
}

Task<Result<bool>> DynamoClient::put(DynamoItem item, DynamoExpression condition,
                                     Deadline deadline) {
  json body{{"TableName", settings_.table}, {"Item", json_of(item)}};
  add_expression(body, condition, true);
  AwsCall call = until(call_of(settings_, "PutItem", body), deadline);
  CO_TRY(Reply reply, co_await ask(aws_, settings_, std::move(call)));
  if (is_refused_by_condition(reply)) co_return false;
  if (!reply.fault.empty()) co_return failure_of(reply, settings_);
  co_return true;
}

Task<Result<std::optional<DynamoItem>>> DynamoClient::update(DynamoUpdate update,
                                                             Deadline deadline) {
  json body{{"TableName", settings_.table},
            {"Key", json_of(update.key)},
            {"UpdateExpression", update.change},
            {"ReturnValues", "ALL_NEW"}};
  add_expression(body, update.condition, true);
  AwsCall call = until(call_of(settings_, "UpdateItem", body), deadline);
  CO_TRY(Reply reply, co_await ask(aws_, settings_, std::move(call)));
  if (is_refused_by_condition(reply)) co_return std::optional<DynamoItem>();
  if (!reply.fault.empty()) co_return failure_of(reply, settings_);
  auto item = member(reply.body, "Attributes");
  co_return std::optional(item == reply.body.end() ? DynamoItem() : item_of(*item));
}

Task<Result<bool>> DynamoClient::remove(DynamoKey key, DynamoExpression condition,
                                        Deadline deadline) {
  json body{{"TableName", settings_.table}, {"Key", json_of(key)}};
  add_expression(body, condition, true);
  AwsCall call = until(call_of(settings_, "DeleteItem", body), deadline);
  CO_TRY(Reply reply, co_await ask(aws_, settings_, std::move(call)));
  if (is_refused_by_condition(reply)) co_return false;
  if (!reply.fault.empty()) co_return failure_of(reply, settings_);
  co_return true;
}

Task<Result<>> DynamoClient::put_all(std::vector<DynamoItem> items, Deadline deadline) {
  std::vector<json> requests;
  for (const DynamoItem& item : items) {
    requests.push_back({{"PutRequest", {{"Item", json_of(item)}}}});
  }
  co_return co_await write_batches(aws_, settings_, std::move(requests), deadline);
}

Task<Result<>> DynamoClient::remove_all(std::vector<DynamoKey> keys, Deadline deadline) {
  std::vector<json> requests;
  for (const DynamoKey& key : keys) {
    requests.push_back({{"DeleteRequest", {{"Key", json_of(key)}}}});
  }
  co_return co_await write_batches(aws_, settings_, std::move(requests), deadline);
}

Task<Result<bool>> DynamoClient::create_table(Deadline deadline) {
  json body{{"TableName", settings_.table},
            {"BillingMode", "PAY_PER_REQUEST"},
            {"AttributeDefinitions",
             {{{"AttributeName", "pk"}, {"AttributeType", "S"}},
              {{"AttributeName", "sk"}, {"AttributeType", "S"}}}},
            {"KeySchema",
             {{{"AttributeName", "pk"}, {"KeyType", "HASH"}},
              {{"AttributeName", "sk"}, {"KeyType", "RANGE"}}}}};
  AwsCall call = until(call_of(settings_, "CreateTable", body), deadline);
  CO_TRY(Reply reply, co_await ask(aws_, settings_, std::move(call)));
  bool is_new = reply.fault.empty();
  bool is_fine = is_new || reply.fault == "ResourceInUseException";
  if (!is_fine) co_return failure_of(reply, settings_);
  CO_TRY(co_await wait_until_active(aws_, settings_, deadline));
  if (is_new) CO_TRY(co_await switch_on_time_to_live(aws_, settings_, deadline));
  co_return is_new;
}

}  // namespace tintype
