// SPDX-License-Identifier: Apache-2.0
#include "delivery/source_fetches.h"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace tintype {

// Leaves when it is destroyed, so a loop that is torn down gives its turns back.
struct SourceFetches::Place : std::enable_shared_from_this<Place> {
  Place(SourceFetches& fetches, const Executor& executor) : owner(fetches), bell(executor) {}
  ~Place() { owner.leave(*this); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  SourceFetches& owner;
  asio::steady_timer bell;  // runs to the deadline; cancelled when the turn comes
  bool has_turn = false;    // under the owner's mutex
};

SourceFetches::SourceFetches(const FetchSettings& settings, const Clock& clock)
    : settings_(settings), clock_(clock) {}

Task<Result<Source>> SourceFetches::fetch(std::shared_ptr<Origin> origin, Wanted wanted,
                                          Deadline deadline) {
  // The origin is in the key: the same path of another site, or of a site whose origin has changed
  // meanwhile, is another source. The work holds it, so its address stays its own.
  std::string key = std::to_string(reinterpret_cast<std::uintptr_t>(origin.get())) + "/" +
                    std::to_string(wanted.purges) + "/" + wanted.version + "/" + wanted.path;
  // Who names a version says that the source has changed: a cache before the origin is to ask.
  bool is_versioned = !wanted.version.empty();
  Flights<Source>::Work work = [this, origin = std::move(origin), path = std::move(wanted.path),
                                is_versioned, deadline]() -> Task<Result<Source>> {
    auto place = std::make_shared<Place>(*this, co_await asio::this_coro::executor);
    CO_TRY(co_await wait_for_turn(place, deadline));
    if (!is_versioned) co_return co_await origin->fetch(path, deadline);
    SourceVersion nothing;
    CO_TRY(auto source, co_await origin->fetch_if_changed(path, std::move(nothing), deadline));
    co_return std::move(*source);  // nothing was known
  };
  Flights<Source>::Landing landing = co_await flights_.join(std::move(key), std::move(work));
  co_return std::move(landing.result);
}

Task<Result<>> SourceFetches::wait_for_turn(std::shared_ptr<Place> place, Deadline deadline) {
  {
    const std::scoped_lock lock(mutex_);
    if (under_way_ < settings_.max_at_once) {
      ++under_way_;
      place->has_turn = true;
      co_return Result<>{};
    }
    if (waiting_.size() >= static_cast<std::size_t>(settings_.max_waiting)) {
      co_return fail_private(ErrorCode::Busy, "too many sources are being fetched");
    }
    waiting_.push_back(place.get());
  }
  std::error_code ignored;
  place->bell.expires_after(deadline.at - clock_.now());
  co_await place->bell.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const std::scoped_lock lock(mutex_);
  if (place->has_turn) co_return Result<>{};
  co_return fail_private(ErrorCode::Busy, "the deadline passed in the queue of fetches");
}

// Out of the queue; or, at the end of a turn, hands it to who waits longest.
void SourceFetches::leave(Place& place) {
  const std::scoped_lock lock(mutex_);
  if (!place.has_turn) {
    std::erase(waiting_, &place);
    return;
  }
  if (waiting_.empty()) {
    --under_way_;
    return;
  }
  Place* next = waiting_.front();
  waiting_.pop_front();
  next->has_turn = true;
  // It may be gone when the bell would ring: a turn that comes at the deadline is taken unrung.
  asio::post(next->bell.get_executor(), [weak = next->weak_from_this()] {
    if (auto waiter = weak.lock()) waiter->bell.cancel();
  });
}

SourceFetches::Load SourceFetches::load() const {
  const std::scoped_lock lock(mutex_);
  return {.under_way = under_way_, .waiting = static_cast<int>(waiting_.size())};
}

}  // namespace tintype
