// SPDX-License-Identifier: Apache-2.0
#include "store/oauth.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/flights.h"
#include "base/text.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

constexpr std::int64_t kMaxAnswerBytes = 64'000;  // a token is a few kB
constexpr Milliseconds kTimeout{10'000};          // of one request for a token
// Where the answer names no life (RFC 6749 section 5.1 only recommends it).
constexpr Seconds kUsualLife{300};
constexpr Seconds kLongestLife{86'400};
// A token is replaced a tenth of its life ahead of its end, and not more than this.
constexpr Seconds kLongestAhead{60};
// A failed refresh of a token that still lives is not tried again before this.
constexpr Milliseconds kRetryAfter{5'000};

struct Token {
  std::string text;
  Steady refresh_at, dead_at;
};

// RFC 6749 section 2.3.1: both are form-encoded first.
std::string basic_of(const OAuthRule& rule) {
  return "Basic " +
         base64(percent_encode(rule.client_id) + ":" + percent_encode(rule.client_secret));
}

// RFC 6750 section 2.1, b64token: what can stand in a header.
bool is_bearer_token(std::string_view text) {
  return !text.empty() && text.size() <= 16'384 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

Failure refused(const OAuthRule& rule, const std::string& reason) {
  return fail_private(ErrorCode::OriginFailed, "token from " + rule.token_url + ": " + reason);
}

// RFC 6749 section 5.2: "invalid_client" and the like; anything longer is not for a log.
std::string error_word_of(const nlohmann::json& answer) {
  if (!answer.is_object()) return {};
  auto word = answer.find("error");
  if (word == answer.end() || !word->is_string()) return {};
  const auto& text = word->get_ref<const std::string&>();
  bool is_word = text.size() <= 40 && std::all_of(text.begin(), text.end(), [](char c) {
                   return (c >= 'a' && c <= 'z') || c == '_';
                 });
  return is_word ? " " + text : std::string();
}

// In the answer's own seconds; some servers send them as a text.
Seconds life_of(const nlohmann::json& answer) {
  auto field = answer.find("expires_in");
  std::optional<std::int64_t> seconds;
  if (field != answer.end() && field->is_number_integer()) seconds = field->get<std::int64_t>();
  if (field != answer.end() && field->is_string()) {
    seconds = parse_int(field->get_ref<const std::string&>());
  }
  if (!seconds || *seconds <= 0) return kUsualLife;
  return std::min(Seconds(*seconds), kLongestLife);
}

}  // namespace

struct OAuthTokens::State : std::enable_shared_from_this<State> {
  State(const OAuthRule& r, bool allow_private, HttpClient& h, const Clock& c)
      : rule(r), allow_private_addresses(allow_private), http(h), clock(c) {}

  std::optional<Token> live_one();
  bool claim_refresh(const Token& token);
  Task<Result<Token>> join_refresh(Deadline deadline);
  Task<Result<Token>> refresh(Deadline deadline);
  Task<> refresh_ahead();
  Result<Token> read(const IncomingResponse& response) const;

  const OAuthRule rule;
  const bool allow_private_addresses;
  HttpClient& http;
  const Clock& clock;
  Flights<Token> flights;
  std::mutex mutex;
  std::optional<Token> held;  // guarded by mutex
  Steady next_try;            // guarded by mutex; of a refresh ahead of time
};

Result<Token> OAuthTokens::State::read(const IncomingResponse& response) const {
  auto answer = nlohmann::json::parse(response.body.begin(), response.body.end(), nullptr, false);
  if (response.status != 200) {
    return refused(rule, "status " + std::to_string(response.status) + error_word_of(answer));
  }
  if (!answer.is_object()) return refused(rule, "the answer is no JSON object");
  auto text = answer.find("access_token");
  if (text == answer.end() || !text->is_string()) return refused(rule, "no access_token");
  Token token;
  token.text = text->get<std::string>();
  if (!is_bearer_token(token.text)) return refused(rule, "an access_token that is none");
  auto type = answer.find("token_type");
  bool is_other = type != answer.end() && type->is_string() &&
                  !equals_ignoring_case(type->get_ref<const std::string&>(), "bearer");
  if (is_other) return refused(rule, "the token is no bearer token");
  Seconds life = life_of(answer);
  token.dead_at = clock.now() + life;
  token.refresh_at = token.dead_at - std::min(life / 10, kLongestAhead);
  return token;
}

std::optional<Token> OAuthTokens::State::live_one() {
  const std::scoped_lock lock(mutex);
  bool is_live = held && clock.now() < held->dead_at;
  return is_live ? held : std::nullopt;
}

// Whether this caller is the one to have the token replaced ahead of its end.
bool OAuthTokens::State::claim_refresh(const Token& token) {
  const std::scoped_lock lock(mutex);
  auto now = clock.now();
  if (now < token.refresh_at || now < next_try) return false;
  next_try = now + kRetryAfter;
  return true;
}

Task<Result<Token>> OAuthTokens::State::refresh(Deadline deadline) {
  OutgoingRequest request;
  request.method = "POST";
  request.url = rule.token_url;
  request.headers = {{"Authorization", basic_of(rule)},
                     {"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  std::string body = "grant_type=client_credentials";
  if (!rule.scope.empty()) body += "&scope=" + percent_encode(rule.scope);
  request.body = share(Bytes(body.begin(), body.end()));
  request.max_body_bytes = kMaxAnswerBytes;
  request.allow_private_addresses = allow_private_addresses;
  request.deadline = deadline;
  request.timeout_ms = kTimeout;
  CO_TRY(IncomingResponse response, co_await http.send(std::move(request)));
  CO_TRY(Token token, read(response));
  const std::scoped_lock lock(mutex);
  held = token;
  co_return token;
}

// Who joins a request under way waits as long as its first asker would.
Task<Result<Token>> OAuthTokens::State::join_refresh(Deadline deadline) {
  Flights<Token>::Work work = [self = shared_from_this(), deadline] {
    return self->refresh(deadline);
  };
  auto landing = co_await flights.join("token", std::move(work));
  co_return std::move(landing.result);
}

Task<> OAuthTokens::State::refresh_ahead() {
  auto self = shared_from_this();
  auto refreshed = co_await join_refresh(Deadline::after(clock, kTimeout));
  if (refreshed) co_return;
  log(LogLevel::Warn, "oauth.refresh_failed", {{"reason", refreshed.error().message}});
}

OAuthTokens::OAuthTokens(const OAuthRule& rule, bool allow_private_addresses, HttpClient& http,
                         const Clock& clock)
    : state_(std::make_shared<State>(rule, allow_private_addresses, http, clock)) {}
OAuthTokens::~OAuthTokens() = default;

Task<Result<std::string>> OAuthTokens::token(Deadline deadline) {
  auto state = state_;
  if (auto live = state->live_one()) {
    if (state->claim_refresh(*live)) {
      auto ahead = [](std::shared_ptr<State> kept) -> Task<> { co_await kept->refresh_ahead(); };
      asio::co_spawn(co_await asio::this_coro::executor, ahead(state), asio::detached);
    }
    co_return live->text;
  }
  CO_TRY(Token token, co_await state->join_refresh(deadline));
  co_return token.text;
}

void OAuthTokens::reject(const std::string& token) {
  const std::scoped_lock lock(state_->mutex);
  if (state_->held && state_->held->text == token) state_->held.reset();
}

}  // namespace tintype
