// SPDX-License-Identifier: Apache-2.0
#include "net/aws_credentials.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "base/flights.h"
#include "net/aws_credential_places.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

// docs/internals/figures.md P32
constexpr std::int64_t kRefreshAheadSeconds = 300;
// Credentials are used for a minute even if they come expired, as those of an instance do while
// its metadata service is unwell, and fetched again no sooner than after half of it.
constexpr std::int64_t kLeastLifeSeconds = 60, kLeastRefreshSeconds = 30;
constexpr Seconds kRejectInterval{10};
constexpr Milliseconds kFirstBackoff{1'000};
constexpr Milliseconds kMostBackoff{60'000};        // while the old ones live
constexpr Milliseconds kMostBackoffWithout{5'000};  // each request fails until then
// Nobody's deadline is longer; timers cannot be set to the end of time.
constexpr Milliseconds kMostPatience{60'000};

using Shared = std::shared_ptr<const AwsCredentials>;
using CredentialFlights = Flights<Shared>;

class CredentialChain final : public AwsCredentialSource {
 public:
  CredentialChain(const AwsEnvironment& environment, HttpClient& http, const Clock& clock)
      : state_(std::make_shared<State>(clock, aws_credential_places(environment, http))) {}

  Task<Result<AwsCredentials>> credentials(Deadline deadline) override;
  void reject(const AwsCredentials& refused) override;

 private:
  struct Look {
    enum class Next : std::uint8_t { Use, UseAndRefresh, Wait, Fail };
    Next next = Next::Wait;
    Shared held;
    Error failure;  // with Fail
  };

  struct State {
    State(const Clock& c, std::vector<std::unique_ptr<AwsCredentialPlace>> p)
        : clock(c), places(std::move(p)) {}

    Look look();
    Task<Result<Shared>> refresh();
    Task<Result<AwsCredentials>> search();
    Result<Shared> settle(Result<AwsCredentials> found);
    Shared keep(AwsCredentials found);
    Failure back_off(Error error);

    const Clock& clock;
    const std::vector<std::unique_ptr<AwsCredentialPlace>> places;
    CredentialFlights flights;
    std::mutex mutex;
    // Guarded by mutex. Unix seconds; 0: never.
    Shared held;
    std::int64_t refresh_at = 0, dead_at = 0;
    bool is_rejected = false;
    std::optional<Steady> rejected_at;
    std::optional<std::size_t> chosen;  // the place that the credentials come from
    int failures = 0;                   // in a row
    Steady retry_at{};
    Error failure;  // the last
  };

  static Task<Result<Shared>> wait(std::shared_ptr<State> state, Milliseconds patience);

  std::shared_ptr<State> state_;  // a refresh under way holds it too
};

CredentialChain::Look CredentialChain::State::look() {
  std::lock_guard lock(mutex);
  std::int64_t now = clock.unix_seconds();
  bool is_alive = held != nullptr && (dead_at == 0 || now < dead_at);
  bool is_due = !is_alive || is_rejected || (refresh_at != 0 && now >= refresh_at);
  if (!is_due) return {Look::Next::Use, held, {}};
  if (clock.now() < retry_at) {
    if (is_alive) return {Look::Next::Use, held, {}};
    return {Look::Next::Fail, nullptr, failure};
  }
  if (!is_alive) return {Look::Next::Wait, nullptr, {}};
  return {is_rejected ? Look::Next::Wait : Look::Next::UseAndRefresh, held, {}};
}

// One at a time, in a flight.
Task<Result<Shared>> CredentialChain::State::refresh() {
  // Somebody may have landed between the look and this flight.
  Look again = look();
  if (again.next == Look::Next::Use) co_return again.held;
  if (again.next == Look::Next::Fail) co_return fail(again.failure);
  auto found = co_await search();
  co_return settle(std::move(found));
}

Task<Result<AwsCredentials>> CredentialChain::State::search() {
  std::optional<std::size_t> only;
  {
    std::lock_guard lock(mutex);
    only = chosen;
  }
  std::string reasons;
  for (std::size_t i = 0; i < places.size(); ++i) {
    if (only && *only != i) continue;
    AwsPlaceAnswer answer = co_await places[i]->ask();
    if (answer.credentials) {
      std::lock_guard lock(mutex);
      chosen = i;
      co_return std::move(*answer.credentials);
    }
    reasons += (reasons.empty() ? "" : "; ") + places[i]->name() + ": " + answer.reason;
    // Who has had them once and has none now is unwell.
    if (only && !answer.fault) answer.fault = ErrorCode::OriginFailed;
    if (answer.fault) co_return fail_private(*answer.fault, "no AWS credentials: " + reasons);
  }
  co_return fail_private(ErrorCode::Forbidden, "no AWS credentials: " + reasons);
}

Result<Shared> CredentialChain::State::settle(Result<AwsCredentials> found) {
  if (found) return keep(std::move(*found));
  return back_off(std::move(found).error());
}

Shared CredentialChain::State::keep(AwsCredentials found) {
  std::unique_lock lock(mutex);
  is_rejected = false;
  failures = 0;
  retry_at = {};
  std::int64_t now = clock.unix_seconds(), end = found.expires_unix_seconds;
  dead_at = end == 0 ? 0 : std::max(end, now + kLeastLifeSeconds);
  refresh_at = end == 0 ? 0 : std::max(end - kRefreshAheadSeconds, now + kLeastRefreshSeconds);
  held = std::make_shared<const AwsCredentials>(std::move(found));
  Shared kept = held;
  std::string from = places[*chosen]->name();
  lock.unlock();
  log(LogLevel::Info, "aws.credentials", {{"from", from}, {"expires_unix_seconds", end}});
  return kept;
}

Failure CredentialChain::State::back_off(Error error) {
  {
    std::lock_guard lock(mutex);
    is_rejected = false;
    bool is_alive = held != nullptr && (dead_at == 0 || clock.unix_seconds() < dead_at);
    Milliseconds most = is_alive ? kMostBackoff : kMostBackoffWithout;
    retry_at = clock.now() + std::min(kFirstBackoff * (1 << std::min(failures++, 6)), most);
    failure = error;
  }
  log(LogLevel::Warn, "aws.credentials.failed", {{"reason", error.message}});
  return fail(std::move(error));
}

// Joins the refresh, or starts it, and waits for it no longer than `patience`.
Task<Result<Shared>> CredentialChain::wait(std::shared_ptr<State> state, Milliseconds patience) {
  using namespace asio::experimental::awaitable_operators;
  CredentialFlights::Work work = [state]() { return state->refresh(); };
  std::string key = "credentials";
  auto landing = state->flights.join(std::move(key), std::move(work));
  auto timer = sleep_for(std::min(patience, kMostPatience));
  auto first = co_await (std::move(landing) || std::move(timer));
  if (auto* landed = std::get_if<0>(&first)) co_return std::move(landed->result);
  co_return fail_private(ErrorCode::Timeout, "AWS credentials did not come in time");
}

Task<Result<AwsCredentials>> CredentialChain::credentials(Deadline deadline) {
  auto state = state_;
  Look look = state->look();
  if (look.next == Look::Next::Fail) co_return fail(std::move(look.failure));
  if (look.next == Look::Next::UseAndRefresh) {
    Executor executor = co_await asio::this_coro::executor;
    asio::co_spawn(executor, wait(state, kMostPatience), asio::detached);
  } else if (look.next == Look::Next::Wait) {
    auto fetched = co_await wait(state, deadline.remaining(state->clock));
    // Refused ones are better than none: the refusal may have been a mistake.
    if (!fetched && look.held == nullptr) co_return fail(std::move(fetched).error());
    if (fetched) look.held = std::move(*fetched);
  }
  co_return *look.held;
}

void CredentialChain::reject(const AwsCredentials& refused) {
  std::lock_guard lock(state_->mutex);
  const Shared& held = state_->held;
  if (held == nullptr || held->access_key_id != refused.access_key_id ||
      held->session_token != refused.session_token) {
    return;
  }
  Steady now = state_->clock.now();
  if (state_->rejected_at && now < *state_->rejected_at + kRejectInterval) return;
  state_->rejected_at = now;
  state_->is_rejected = true;
}

}  // namespace

Task<Result<AwsCredentials>> FixedAwsCredentials::credentials(Deadline /*deadline*/) {
  co_return credentials_;
}

void FixedAwsCredentials::reject(const AwsCredentials& /*refused*/) {}

std::unique_ptr<AwsCredentialSource> open_aws_credential_chain(AwsEnvironment environment,
                                                               HttpClient& http,
                                                               const Clock& clock) {
  return std::make_unique<CredentialChain>(environment, http, clock);
}

}  // namespace tintype
