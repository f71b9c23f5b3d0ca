// SPDX-License-Identifier: Apache-2.0
#include "store/lease.h"

#include <utility>

namespace tintype {
namespace {

// A partition a lease, so that no partition gets the writes of all of them.
DynamoKey key_of(const std::string& lease) {
  return {"_lease:" + lease, "_"};
}

}  // namespace

DynamoLease::DynamoLease(DynamoClient& dynamo, const Clock& clock, std::string owner,
                         LeaseSettings settings)
    : dynamo_(dynamo), clock_(clock), owner_(std::move(owner)), settings_(settings) {}

Task<Result<Lease::Holder>> DynamoLease::acquire(std::string key, Deadline deadline) {
  std::int64_t now = clock_.unix_seconds();
  DynamoKey place = key_of(key);
  // `expires` is also what the table's time to live removes leases by.
  DynamoItem item{{"pk", place.pk},
                  {"sk", place.sk},
                  {"owner", owner_},
                  {"expires", now + settings_.life.count()}};
  // The owner stands in the condition because an attempt that was lost on its way back is sent
  // again, and would find itself.
  DynamoExpression condition{
      .text = "attribute_not_exists(pk) OR #expires < :now OR #owner = :owner",
      .names = {{"#expires", "expires"}, {"#owner", "owner"}},
      .values = {{":now", now}, {":owner", owner_}}};
  CO_TRY(bool is_mine, co_await dynamo_.put(std::move(item), std::move(condition), deadline));
  co_return is_mine ? Holder::Mine : Holder::Others;
}

Task<> DynamoLease::release(std::string key, Deadline deadline) {
  DynamoExpression condition{
      .text = "#owner = :owner", .names = {{"#owner", "owner"}}, .values = {{":owner", owner_}}};
  DynamoKey place = key_of(key);
  auto ignored = co_await dynamo_.remove(std::move(place), std::move(condition), deadline);
  static_cast<void>(ignored);
}

MemoryLease::MemoryLease(std::shared_ptr<MemoryLeases> leases, const Clock& clock,
                         std::string owner, LeaseSettings settings)
    : leases_(std::move(leases)), clock_(clock), owner_(std::move(owner)), settings_(settings) {}

Task<Result<Lease::Holder>> MemoryLease::acquire(std::string key, Deadline /*deadline*/) {
  std::lock_guard lock(leases_->mutex);
  if (fault_) co_return fail_private(*fault_, "leases fail on request");
  std::int64_t now = clock_.unix_seconds();
  MemoryLeases::Held& held = leases_->held[key];
  bool is_free = held.owner.empty() || held.owner == owner_ || held.until_unix_seconds < now;
  if (!is_free) co_return Holder::Others;
  held = {owner_, now + settings_.life.count()};
  co_return Holder::Mine;
}

Task<> MemoryLease::release(std::string key, Deadline /*deadline*/) {
  std::lock_guard lock(leases_->mutex);
  auto held = leases_->held.find(key);
  if (held != leases_->held.end() && held->second.owner == owner_) leases_->held.erase(held);
  co_return;
}

void MemoryLease::fail_with(std::optional<ErrorCode> code) {
  std::lock_guard lock(leases_->mutex);
  fault_ = code;
}

}  // namespace tintype
