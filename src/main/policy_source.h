// SPDX-License-Identifier: Apache-2.0
// PolicySource: where a service has its sites from, as the settings say: the settings file itself,
// or the DynamoDB table. With the table comes what else stands in it: leases and notes of purges.
// Made and ended by the main thread; its parts are thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "main/settings.h"
#include "net/aws_client.h"
#include "store/dynamodb_client.h"
#include "store/policy_store.h"
#include "store/policy_table.h"
#include "telemetry/metrics.h"

namespace tintype {

class PolicySource {
 public:
  // `aws`, `blocking` and `clock` must outlive it.
  struct Parts {
    AwsClient& aws;
    asio::thread_pool& blocking;  // for the file
    const Clock& clock;
    std::string region;       // AWS_REGION's; empty: none is set
    std::string config_path;  // tintype.yaml
  };
  // Fails with what is wrong with the file; a table that is down is no failure (PolicyTable::open).
  static Result<std::unique_ptr<PolicySource>> open(const Settings& settings, Parts parts);

  PolicyStore& policies() { return table_ ? static_cast<PolicyStore&>(*table_) : *file_; }
  DynamoClient* dynamo() { return dynamo_.get(); }  // null: the file
  std::vector<std::string> unready_reasons() const;
  // Series tintype_policy_*, of the table only. Before serving.
  void export_metrics(Metrics& metrics) const;
  // Waits for a look that is under way, 10 s at most. Afterwards nothing here may be used. Before
  // outgoing HTTP is ended and loops are destroyed.
  void stop();

 private:
  std::unique_ptr<DynamoClient> dynamo_;
  std::unique_ptr<PolicyTable> table_;
  std::unique_ptr<PolicyFile> file_;
};

// Fails with BadRequest when there is no region, or none that could be one.
Result<DynamoSettings> dynamo_settings(const PolicyTableSettings& table, std::string region);

}  // namespace tintype
