// SPDX-License-Identifier: Apache-2.0
// PolicyDesk: what `tintype policy` works at: one table, with the outgoing HTTP and the credentials
// that it takes. Its functions wait for what they ask. Owned and used by one thread, that of the
// command.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "main/policy_command.h"
#include "net/aws_client.h"
#include "store/dynamodb_client.h"
#include "store/policy_items.h"
#include "store/policy_print.h"
#include "store/policy_versions.h"

namespace tintype {

// The sites of the settings file that the arguments name, in pieces, checked as a service would
// check them. Fails with the file's name, the line and the reason.
Result<PolicyItems> read_local_policy(const PolicyArguments& arguments);

// A site that is not the same in the file and in the table.
struct SiteDifference {
  std::string site;
  SiteVersion before;    // in the table; version 0: not in force there
  SiteItems items;       // of the file
  bool is_local = true;  // false: only the table has it
  std::string text;      // diff_of_site
};

class PolicyDesk {
 public:
  // Takes table, region and endpoint from the command line, else from the settings file if there
  // is one. Fails with BadRequest when one is missing.
  static Result<std::unique_ptr<PolicyDesk>> open(const PolicyArguments& arguments);

  Result<std::vector<SiteDifference>> compare(const PolicyItems& local, DiffStyle style);
  // Whether the sites, as they would be in the table then, go together.
  Result<> check_together(const std::vector<SiteDifference>& changes);
  // The version in force then (0: none); nothing: somebody else was faster.
  Result<std::optional<std::int64_t>> push(const SiteDifference& difference, const std::string& by);
  Result<PolicyItems> pull();
  Result<PolicyIndex> index();
  Result<SiteVersion> in_force(const std::string& site);
  Result<std::vector<SiteVersion>> history(const std::string& site);
  Result<bool> move(PolicyVersions::Move move);
  Result<bool> create_table();
  const DynamoSettings& settings() const { return dynamo_.settings(); }

 private:
  PolicyDesk(DynamoSettings settings, const PolicyArguments& arguments);
  Deadline deadline() const;
  // The sites of the table that the arguments are about.
  Result<PolicyIndex> chosen_index();
  // Nothing for a version that is damaged: a push is what mends it.
  Result<SiteItems> load(const std::string& site, const SiteVersion& version);

  SystemClock clock_;
  HttpClient http_;
  std::unique_ptr<AwsCredentialSource> credentials_;
  AwsClient aws_;
  DynamoClient dynamo_;
  PolicyVersions versions_;
  std::string site_, config_;
};

}  // namespace tintype
