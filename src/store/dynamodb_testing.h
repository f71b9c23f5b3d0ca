// SPDX-License-Identifier: Apache-2.0
// For tests only: DynamoDB in this process, as far as our own calls go (the whole of it is tested
// against a real engine, tests/e2e/test_policy_table.py), and able to fail in exactly one way. It
// knows conditions of comparisons joined by OR, and the two forms of updates that we write.
// DynamoBench is a client of it, ready to be asked. Thread-safe.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "net/aws_client.h"
#include "net/scripted_origin.h"
#include "store/dynamodb_client.h"

namespace tintype {

class FakeDynamo {
 public:
  using json = nlohmann::json;
  using Request = ScriptedOrigin::Request;
  using Connection = ScriptedOrigin::Connection;

  // Asked before each call, "Query"; true: it has dealt with it, and the connection ends.
  using Fault = std::function<bool(Connection& connection, const std::string& operation)>;
  void set_fault(Fault fault) {
    std::lock_guard lock(mutex_);
    fault_ = std::move(fault);
  }
  int calls(const std::string& operation) const {
    std::lock_guard lock(mutex_);
    auto count = calls_.find(operation);
    return count == calls_.end() ? 0 : count->second;
  }
  // Items a page of Query holds, and items a BatchWriteItem leaves undone, once.
  void set_page_size(std::size_t items) { page_items_ = items; }
  void leave_undone(std::size_t items) { undone_items_ = items; }
  std::string endpoint() const { return origin_.url(""); }

  // Straight into the table, past all rules.
  void put(const std::string& pk, const std::string& sk, json attributes) {
    std::lock_guard lock(mutex_);
    attributes["pk"] = {{"S", pk}};
    attributes["sk"] = {{"S", sk}};
    items_[{pk, sk}] = std::move(attributes);
  }
  std::vector<std::string> keys(const std::string& pk) const {
    std::lock_guard lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [key, item] : items_) {
      if (key.first == pk) found.push_back(key.second);
    }
    return found;
  }

  static std::string refusal(const std::string& type, int status = 400) {
    json body{{"__type", "com.amazonaws.dynamodb.v20120810#" + type}, {"message", "as scripted"}};
    return ScriptedOrigin::answer(status, body.dump());
  }

 private:
  using Key = std::pair<std::string, std::string>;

  bool answer(Connection& connection, const Request& request) {
    std::string target = request.header("x-amz-target");
    std::string operation = target.substr(target.rfind('.') + 1);
    Fault fault;
    {
      std::lock_guard lock(mutex_);
      ++calls_[operation];
      fault = fault_;
    }
    if (fault && fault(connection, operation)) return false;
    json body = json::parse(request.body);
    std::lock_guard lock(mutex_);
    return connection.send(perform(operation, body));
  }

  std::string perform(const std::string& operation, const json& body) {
    if (operation == "Query") return ok(query(body));
    if (operation == "BatchWriteItem") return ok(write_batch(body));
    const json& place = body.contains("Key") ? body["Key"] : body["Item"];
    Key key{place["pk"]["S"], place["sk"]["S"]};
    auto found = items_.find(key);
    json item = found == items_.end() ? json::object() : found->second;
    if (operation == "GetItem") return ok(item.empty() ? json::object() : json{{"Item", item}});
    if (!holds(body, item)) return refusal("ConditionalCheckFailedException");
    if (operation == "DeleteItem") {
      items_.erase(key);
      return ok(json::object());
    }
    if (operation == "PutItem") {
      items_[key] = body["Item"];
      return ok(json::object());
    }
    if (operation != "UpdateItem") return refusal("UnknownOperationException");
    item.update(place);
    change(body, item);
    items_[key] = item;
    return ok({{"Attributes", item}});
  }

  static std::string ok(const json& body) { return ScriptedOrigin::answer(200, body.dump()); }

  json query(const json& body) const {
    const json& values = body["ExpressionAttributeValues"];
    std::string pk = values[":pk"]["S"];
    std::string sk = values.contains(":sk") ? values[":sk"]["S"] : json("");
    bool is_after =
        body["KeyConditionExpression"].get<std::string>().find('>') != std::string::npos;
    std::string begin = body.contains("ExclusiveStartKey")
                            ? body["ExclusiveStartKey"]["sk"]["S"].get<std::string>()
                            : std::string();
    json page = json::array();
    for (const auto& [key, item] : items_) {
      bool matches = key.first == pk && (is_after ? key.second > sk : key.second.starts_with(sk)) &&
                     (begin.empty() || key.second > begin);
      if (!matches) continue;
      if (page.size() == page_items_) {
        json last{{"pk", page.back()["pk"]}, {"sk", page.back()["sk"]}};
        return {{"Items", page}, {"LastEvaluatedKey", last}};
      }
      page.push_back(item);
    }
    return {{"Items", page}};
  }

  json write_batch(const json& body) {
    const auto& [table, requests] = *body["RequestItems"].items().begin();
    json left = json::array();
    for (const json& request : requests) {
      if (undone_items_ > 0) {
        --undone_items_;
        left.push_back(request);
        continue;
      }
      bool is_put = request.contains("PutRequest");
      const json& item = is_put ? request["PutRequest"]["Item"] : request["DeleteRequest"]["Key"];
      Key key{item["pk"]["S"], item["sk"]["S"]};
      if (is_put) {
        items_[key] = item;
      } else {
        items_.erase(key);
      }
    }
    json undone = json::object();
    if (!left.empty()) undone[table] = left;
    return {{"UnprocessedItems", undone}};
  }

  static std::string name_in(const json& body, const std::string& word) {
    return word.starts_with('#') ? body["ExpressionAttributeNames"][word].get<std::string>() : word;
  }

  static bool holds(const json& body, const json& item) {
    if (!body.contains("ConditionExpression")) return true;
    std::string text = body["ConditionExpression"];
    for (;;) {
      auto end = text.find(" OR ");
      if (holds_one(body, text.substr(0, end), item)) return true;
      if (end == std::string::npos) return false;
      text.erase(0, end + 4);
    }
  }

  static bool holds_one(const json& body, const std::string& text, const json& item) {
    if (text.starts_with("attribute_not_exists(")) {
      return !item.contains(name_in(body, text.substr(21, text.size() - 22)));
    }
    auto words = split(text, ' ');
    std::string name = name_in(body, std::string(words[0]));
    if (!item.contains(name)) return false;
    const json& value = body["ExpressionAttributeValues"][std::string(words[2])];
    if (words[1] == "=") return item[name] == value;
    return std::stoll(item[name]["N"].get<std::string>()) <
           std::stoll(value["N"].get<std::string>());
  }

  static void change(const json& body, json& item) {
    std::string text = body["UpdateExpression"];
    bool is_removal = text.starts_with("REMOVE ");
    if (text.find("if_not_exists") != std::string::npos) {
      std::string name = name_in(body, text.substr(4, text.find(' ', 4) - 4));
      std::int64_t before =
          item.contains(name) ? std::stoll(item[name]["N"].get<std::string>()) : 0;
      item[name] = {{"N", std::to_string(before + 1)}};
      return;
    }
    text.erase(0, is_removal ? 7 : 4);
    for (std::string_view part : split(text, ',')) {
      auto words = split(trim(part), ' ');
      std::string name = name_in(body, std::string(words[0]));
      if (is_removal) {
        item.erase(name);
      } else {
        item[name] = body["ExpressionAttributeValues"][std::string(words[2])];
      }
    }
  }

  mutable std::mutex mutex_;
  std::map<Key, json> items_;
  std::map<std::string, int> calls_;
  Fault fault_;
  std::atomic<std::size_t> page_items_{1'000'000}, undone_items_{0};
  ScriptedOrigin origin_{[this](Connection& connection, const Request& request) {
    return answer(connection, request);
  }};
};

// Runs by itself, so that what hangs times out, and can be moved on by hand; its date only moves by
// hand.
class PushedClock final : public Clock {
 public:
  Steady now() const override {
    return std::chrono::steady_clock::now() + pushed_.now().time_since_epoch();
  }
  std::int64_t unix_seconds() const override { return pushed_.unix_seconds(); }
  std::int64_t unix_us() const override { return pushed_.unix_us(); }
  void advance(Milliseconds by) { pushed_.advance(by); }

 private:
  ManualClock pushed_;
};

// A client of a FakeDynamo.
struct DynamoBench {
  FakeDynamo fake;
  PushedClock clock;
  HttpClient http{{}, clock};
  FixedAwsCredentials credentials{{.access_key_id = "AKIDEXAMPLE", .secret_access_key = "secret"}};
  AwsClient aws{
      http, credentials, clock,
      AwsClientSettings{.base_backoff_ms = Milliseconds(1), .max_backoff_ms = Milliseconds(5)}};
  DynamoClient client{aws,
                      {.table = "tintype",
                       .region = "eu-central-1",
                       .endpoint = fake.endpoint(),
                       .timeout_ms = Milliseconds(500)}};

  Deadline soon() const { return Deadline::after(clock, Milliseconds(20'000)); }
};

}  // namespace tintype
