// SPDX-License-Identifier: Apache-2.0
// PolicyTable: the policy store over DynamoDB, for many tasks that share their rules. A look reads
// the pointers of all sites in one query and the pieces of those that have moved; what it accepts
// is also written to a snapshot file, which a start falls back on. Looks run on a thread of their
// own, so neither the network nor the reading of the rules is ever felt by an event loop. The last
// good version stays for ever. Thread-safe. Walk: as PolicyFile.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "store/dynamodb_client.h"
#include "store/policy_store.h"

namespace tintype {

struct PolicyTableSettings {
  std::string table;     // empty: the policy is the file's
  std::string region;    // empty: AWS_REGION's
  std::string endpoint;  // empty: AWS's
  std::string snapshot;  // a file; empty: none is kept
  // Between two looks; each is up to a fifth shorter or longer, so that tasks do not ask together.
  Milliseconds refresh_ms{30'000};
  // How long the request that finds a look due waits for it, beside its fetch of the source.
  Milliseconds patience_ms{300};
  // A look as a whole, its retries included.
  Milliseconds look_timeout_ms{10'000};
  // How long a start waits for the first look before it goes on with the snapshot.
  Milliseconds start_patience_ms{3'000};
};

struct PolicyTableState {
  std::uint64_t looks = 0, failed_looks = 0;
  std::uint64_t refused = 0;      // versions of sites
  std::int64_t age_seconds = -1;  // since the last look that succeeded; -1: none has
  std::int64_t sites = 0;         // in force
  bool is_from_snapshot = false;  // no look has succeeded yet
};

class PolicyTable final : public PolicyStore {
 public:
  // `dynamo` and `clock` must outlive it.
  struct Parts {
    DynamoClient& dynamo;
    const Clock& clock;
    std::string base_folder;  // relative folders of origins are below it
  };
  // Looks at once, and waits for that as long as start_patience_ms says. Never fails: with neither
  // table nor snapshot there is a policy of no sites, unready_reasons() says so, and looks go on.
  static std::unique_ptr<PolicyTable> open(Parts parts, PolicyTableSettings settings);
  // Waits for a look that is under way, at most look_timeout_ms. Everybody who awaits refresh()
  // must have gone, but their loops must still stand.
  ~PolicyTable() override;

  SharedPolicy current() const override;
  // The version in force, at once, unless a look is due: then one caller waits for it, at most
  // patience_ms or until it is cancelled; the look goes on without it.
  Task<SharedPolicy> refresh() override;

  PolicyTableState state() const;
  std::vector<std::string> unready_reasons() const;  // "policy-missing"

 private:
  struct State;
  explicit PolicyTable(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace tintype
