// SPDX-License-Identifier: Apache-2.0
#include "net/aws_client.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <random>

#include "base/text.h"
#include "net/aws_error.h"
#include "net/aws_signing.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

constexpr int kRetryTokens = 5;
constexpr int kTimeoutRetryTokens = 10;
// AWS takes signatures up to five minutes old (docs/internals/figures.md P31). A refusal without a
// word, as the one to HEAD is, is put down to the clock from there on.
constexpr std::int64_t kMaxSkewSeconds = 300;

bool has_dot_segment(std::string_view path) {
  auto segments = split(path, '/');
  return std::any_of(segments.begin(), segments.end(),
                     [](std::string_view segment) { return segment == "." || segment == ".."; });
}

// "https://s3.eu-central-1.amazonaws.com" -> "s3.eu-central-1.amazonaws.com". Without the default
// port, as HTTP clients leave it out of Host.
std::string host_of(std::string_view base_url) {
  auto scheme_end = base_url.find("://");
  if (scheme_end == std::string_view::npos) return std::string(base_url);
  std::string_view host = base_url.substr(scheme_end + 3);
  host = host.substr(0, host.find('/'));
  std::string_view default_port = base_url.starts_with("https:") ? ":443" : ":80";
  if (host.ends_with(default_port)) host.remove_suffix(default_port.size());
  return std::string(host);
}

// What became of one attempt, and what that calls for.
struct Attempt {
  enum class Verdict : std::uint8_t { Final, Retry, RenewCredentials, SetClock };
  Result<IncomingResponse> result;
  Verdict verdict = Verdict::Final;
  int retry_tokens = kRetryTokens;
  std::int64_t clock_offset_seconds = 0;  // with SetClock
};

bool blames_our_clock(const AwsError& error) {
  if (error.code == "RequestTimeTooSkewed" || error.code == "RequestExpired") return true;
  if (error.code != "InvalidSignatureException" && error.code != "SignatureDoesNotMatch") {
    return false;
  }
  return error.message.find("Signature expired") != std::string::npos ||
         error.message.find("not yet current") != std::string::npos;
}

// The service's time, if it calls ours the reason of its refusal.
std::optional<std::int64_t> their_time_if_skewed(const IncomingResponse& response,
                                                 std::int64_t service_time) {
  if (response.status < 400 || response.status > 403) return std::nullopt;
  auto theirs = parse_http_date(response.header("date"));
  if (!theirs) return std::nullopt;
  AwsError error = aws_error(response);
  bool is_wordless = error.code.empty() && response.status == 403;
  bool is_far = std::abs(*theirs - service_time) > kMaxSkewSeconds;
  if (!blames_our_clock(error) && !(is_wordless && is_far)) return std::nullopt;
  return theirs;
}

bool is_same(const AwsCredentials& a, const AwsCredentials& b) {
  return a.access_key_id == b.access_key_id && a.secret_access_key == b.secret_access_key &&
         a.session_token == b.session_token;
}

// Seconds or a date; nothing if neither.
std::optional<Milliseconds> retry_after(const IncomingResponse& response, std::int64_t now) {
  std::string_view text = response.header("retry-after");
  constexpr std::int64_t kMost = 86'400;
  auto seconds = parse_int(text);
  if (auto date = parse_http_date(text)) seconds = *date - now;
  if (!seconds) return std::nullopt;
  return Seconds(std::clamp<std::int64_t>(*seconds, 0, kMost));
}

}  // namespace

struct AwsClient::State {
  State(HttpClient& h, AwsCredentialSource& c, const Clock& k, AwsClientSettings s)
      : http(h), credentials(c), clock(k), settings(s), tokens(s.retry_tokens) {}

  std::int64_t service_time() const { return clock.unix_seconds() + clock_offset_seconds; }
  OutgoingRequest signed_request(const AwsCall& call, const AwsCredentials& with);
  Attempt judge(const AwsCall& call, Result<IncomingResponse> result, bool may_have_arrived);
  Attempt judge_answer(const AwsCall& call, IncomingResponse answer);
  bool take_tokens(int count);
  void give_token_back();
  Milliseconds backoff(int attempt, const Result<IncomingResponse>& result);

  HttpClient& http;
  AwsCredentialSource& credentials;
  const Clock& clock;
  const AwsClientSettings settings;
  AwsSigner signer;
  std::atomic<std::int64_t> clock_offset_seconds{0};
  std::atomic<int> tokens;
  std::atomic<std::uint64_t> calls{0}, retries{0}, throttled{0};
  std::mutex mutex;
  std::minstd_rand random{std::random_device{}()};  // guarded by mutex
};

OutgoingRequest AwsClient::State::signed_request(const AwsCall& call, const AwsCredentials& with) {
  AwsSigningRequest to_sign;
  to_sign.method = call.method;
  to_sign.host = host_of(call.base_url);
  to_sign.path = aws_encoded_path(call.path);
  to_sign.query = call.query;
  to_sign.headers = call.headers;
  to_sign.payload_hash = aws_payload_hash(call.body == nullptr ? ByteView() : ByteView(*call.body));
  OutgoingRequest request;
  request.method = call.method;
  std::string_view base = call.base_url;
  if (base.ends_with('/')) base.remove_suffix(1);
  request.url = std::string(base) + to_sign.path;
  if (!call.query.empty()) request.url += "?" + aws_encoded_query(call.query);
  request.headers = call.headers;
  // Said here rather than left to libcurl: it is signed as it stands.
  request.headers.emplace_back("Host", to_sign.host);
  for (auto& header : signer.sign(to_sign, with, {call.region, call.service}, service_time())) {
    request.headers.push_back(std::move(header));
  }
  request.body = call.body;
  request.max_body_bytes = call.max_body_bytes;
  request.allow_private_addresses = call.allow_private_addresses;
  request.follow_redirects = false;  // a signature holds for one host only
  request.deadline = call.deadline;
  request.timeout_ms = call.timeout_ms;
  request.may_have_arrived = std::make_shared<std::atomic<bool>>(false);
  return request;
}

Attempt AwsClient::State::judge(const AwsCall& call, Result<IncomingResponse> result,
                                bool may_have_arrived) {
  if (result) return judge_answer(call, std::move(*result));
  Attempt attempt{std::move(result)};
  ErrorCode code = attempt.result.error().code;
  bool is_network = code == ErrorCode::Timeout || code == ErrorCode::OriginFailed;
  if (is_network && (call.is_idempotent || !may_have_arrived)) {
    attempt.verdict = Attempt::Verdict::Retry;
  }
  if (code == ErrorCode::Timeout) attempt.retry_tokens = kTimeoutRetryTokens;
  return attempt;
}

Attempt AwsClient::State::judge_answer(const AwsCall& call, IncomingResponse answer) {
  int status = answer.status;
  std::string code = aws_error_code(answer);
  auto their_time = their_time_if_skewed(answer, service_time());
  Attempt attempt{std::move(answer)};
  bool is_throttled = is_aws_throttling(status, code);
  throttled += is_throttled;
  if (is_throttled || (is_aws_transient(status, code) && (call.is_idempotent || status < 500))) {
    attempt.verdict = Attempt::Verdict::Retry;
  } else if (their_time) {
    attempt.verdict = Attempt::Verdict::SetClock;
    attempt.clock_offset_seconds = *their_time - clock.unix_seconds();
  } else if (is_aws_credential_refusal(code)) {
    attempt.verdict = Attempt::Verdict::RenewCredentials;
  }
  return attempt;
}

bool AwsClient::State::take_tokens(int count) {
  int left = tokens;
  while (left >= count) {
    if (tokens.compare_exchange_weak(left, left - count)) return true;
  }
  return false;
}

void AwsClient::State::give_token_back() {
  int left = tokens;
  while (left < settings.retry_tokens && !tokens.compare_exchange_weak(left, left + 1)) {
  }
}

// "Full jitter": a random part of the doubled base. `attempt` is the number of the one that failed.
Milliseconds AwsClient::State::backoff(int attempt, const Result<IncomingResponse>& result) {
  auto most = settings.base_backoff_ms.count();
  for (int i = 1; i < attempt && most < settings.max_backoff_ms.count(); ++i) most *= 2;
  most = std::min(most, settings.max_backoff_ms.count());
  Milliseconds wait{0};
  {
    std::lock_guard lock(mutex);
    wait = Milliseconds(std::uniform_int_distribution<std::int64_t>(0, most)(random));
  }
  auto asked = result ? retry_after(*result, service_time()) : std::nullopt;
  return std::min(std::max(wait, asked.value_or(Milliseconds(0))), settings.max_backoff_ms);
}

AwsClient::AwsClient(HttpClient& http, AwsCredentialSource& credentials, const Clock& clock,
                     AwsClientSettings settings)
    : state_(std::make_unique<State>(http, credentials, clock, settings)) {}

AwsClient::~AwsClient() = default;

AwsClient::Counts AwsClient::counts() const {
  return {state_->calls, state_->retries, state_->throttled};
}

Task<Result<IncomingResponse>> AwsClient::call(AwsCall call) {
  State& state = *state_;
  if (has_dot_segment(call.path)) {
    co_return fail_private(ErrorCode::NotFound, "a path with a dot segment: " + call.path);
  }
  ++state.calls;
  bool has_renewed = false, has_set_clock = false;
  for (int attempt = 1;;) {
    CO_TRY(AwsCredentials with, co_await state.credentials.credentials(call.deadline));
    OutgoingRequest request = state.signed_request(call, with);
    auto arrived = request.may_have_arrived;
    auto result = co_await state.http.send(std::move(request));
    Attempt outcome = state.judge(call, std::move(result), *arrived);
    if (outcome.verdict == Attempt::Verdict::Final) {
      if (attempt == 1 && outcome.result) state.give_token_back();
      co_return std::move(outcome.result);
    }
    if (outcome.verdict == Attempt::Verdict::SetClock) {
      if (std::exchange(has_set_clock, true)) co_return std::move(outcome.result);
      state.clock_offset_seconds = outcome.clock_offset_seconds;
      log(LogLevel::Warn, "aws.clock",
          {{"service", call.service}, {"offset_seconds", outcome.clock_offset_seconds}});
    } else if (outcome.verdict == Attempt::Verdict::RenewCredentials) {
      if (std::exchange(has_renewed, true)) co_return std::move(outcome.result);
      state.credentials.reject(with);
      CO_TRY(AwsCredentials next, co_await state.credentials.credentials(call.deadline));
      if (is_same(next, with)) co_return std::move(outcome.result);
    } else {
      Milliseconds wait = state.backoff(attempt, outcome.result);
      if (attempt >= state.settings.max_attempts || wait >= call.deadline.remaining(state.clock) ||
          !state.take_tokens(outcome.retry_tokens)) {
        co_return std::move(outcome.result);
      }
      co_await sleep_for(wait);
      ++attempt;
    }
    ++state.retries;
  }
}

}  // namespace tintype
