// SPDX-License-Identifier: Apache-2.0
// PolicyVersions: the policy in its table. A version of a site is a set of items that never change;
// the site's pointer says which one is in force. A push writes a whole new version beside the old
// one and then moves the pointer, on the condition that nobody moved it meanwhile: so readers see
// the old rules or the new ones, of two pushers one wins and the other is told, and a roll-back is
// one write. Owns no connections. Thread-safe.
//
//   pk "_sites", sk <site>                     the pointer: version, revision, items, updated, by
//   pk <site>,   sk "00000012#preset#card"     a piece: doc; "…#site#rules" also has what the
//                                              pointer says of that version
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "store/dynamodb_client.h"
#include "store/policy_items.h"

namespace tintype {

struct SiteVersion {
  std::int64_t version = 0;  // 0: the site has none in force
  std::string revision;      // revision_of its pieces
  std::int64_t items = 0;    // how many pieces it has
  std::int64_t updated_unix_seconds = 0;
  std::string by;  // who pushed it
  bool operator==(const SiteVersion&) const = default;
};
using PolicyIndex = std::map<std::string, SiteVersion, std::less<>>;  // by site

class PolicyVersions {
 public:
  static constexpr int kKept = 20;  // newest versions; what is in force is kept beyond that

  // Both must outlive it.
  PolicyVersions(DynamoClient& dynamo, const Clock& clock) : dynamo_(dynamo), clock_(clock) {}

  // What is in force, for each site that has something in force.
  Task<Result<PolicyIndex>> index(Deadline deadline);
  // The pointer of one site; version 0 when there is none.
  Task<Result<SiteVersion>> in_force(std::string site, Deadline deadline);
  // Fails with NotFound when the version is not there, or not all of it.
  Task<Result<SiteItems>> load(std::string site, std::int64_t version, std::int64_t items,
                               Deadline deadline);
  // Newest first; what a push left unfinished is not among them.
  Task<Result<std::vector<SiteVersion>>> history(std::string site, Deadline deadline);

  struct Push {
    std::string site;
    SiteItems items;
    std::int64_t base = 0;  // the version in force that the pusher has seen
    std::string by;
  };
  // The new version's number; nothing when another version than `base` is in force by now: then
  // nothing has changed.
  Task<Result<std::optional<std::int64_t>>> push(Push push, Deadline deadline);
  // Puts a kept version in force. False: another version than `base` is in force by now. Fails with
  // NotFound when `to` is not kept.
  struct Move {
    std::string site;
    std::int64_t base = 0, to = 0;  // to 0: none, the site goes; its versions stay
  };
  Task<Result<bool>> move(Move move, Deadline deadline);

 private:
  Task<Result<std::int64_t>> reserve_version(std::string site, Deadline deadline);
  Task<Result<bool>> point_at(std::string site, std::int64_t base, SiteVersion next,
                              Deadline deadline);
  Task<Result<bool>> take_out(std::string site, std::int64_t base, Deadline deadline);
  Task<Result<>> remove_version(std::string site, std::int64_t version, Deadline deadline);
  Task<Result<>> forget_old(std::string site, std::int64_t newest, Deadline deadline);

  DynamoClient& dynamo_;
  const Clock& clock_;
};

}  // namespace tintype
