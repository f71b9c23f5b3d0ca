// SPDX-License-Identifier: Apache-2.0
#include "server/studio.h"

#include "base/text.h"
#include "server/problem.h"

namespace tintype {

namespace embedded {
extern const std::string_view studio_page;  // made by cmake/Embed.cmake from studio/index.html
}

namespace {

constexpr std::string_view kJson = "application/json";

Answer answer_of(SharedEntry entry) {
  Answer answer;
  answer.entry = std::move(entry);
  // A page of ours comes from memory; only a mistake is counted as one.
  answer.outcome = answer.entry->is_negative() ? Outcome::ClientError : Outcome::MemoryHit;
  return answer;
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

}  // namespace

bool is_studio_target(std::string_view target) {
  // Exactly these: what else begins with "/_/" or "/?" may be a dialect's that is mounted at "/".
  // The admin port's names are answered with 404 here, whoever asks for them at the wrong port.
  std::string_view path = path_of(target);
  return target == "/" || path.starts_with("/_/studio/") || path == "/_/health" ||
         path == "/_/ready" || path == "/_/metrics";
}

std::optional<std::string> query_value(std::string_view target, std::string_view name) {
  std::size_t question = target.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  for (std::string_view pair : split(target.substr(question + 1), '&')) {
    std::size_t equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name) {
      return percent_decode(pair.substr(equals + 1));
    }
  }
  return std::nullopt;
}

Studio::Studio(StudioParts parts, bool is_on) : parts_(std::move(parts)), is_on_(is_on) {
  if (is_on_) page_ = page_entry(200, "text/html; charset=utf-8", embedded::studio_page);
  not_found_ = problem_entry(404, "There is nothing at this address.");
}

std::optional<Answer> Studio::answer_at_once(std::string_view target) const {
  if (!is_on_) return answer_of(not_found_);
  std::string_view path = path_of(target);
  if (path == "/") return answer_of(page_);
  if (path == "/_/studio/pictures" && parts_.pictures_json) return std::nullopt;
  if (path == "/_/studio/explain" && parts_.explain_json) {
    auto url = query_value(target, "url");
    if (url && url->starts_with('/')) return std::nullopt;
    return answer_of(
        problem_entry(400, "url is missing; it is the percent-encoded path and query to explain."));
  }
  return answer_of(not_found_);
}

Task<Answer> Studio::answer(std::string_view target, std::string_view accept) const {
  std::string json;
  if (path_of(target) == "/_/studio/pictures") {
    json = co_await parts_.pictures_json();
  } else {
    // Named before they are handed over: GCC 12 destroys the temporaries of a conditional
    // expression inside a co_await twice.
    std::string url = query_value(target, "url").value_or("/");
    std::string as_accept = query_value(target, "accept").value_or(std::string(accept));
    json = co_await parts_.explain_json(std::move(url), std::move(as_accept));
  }
  co_return answer_of(page_entry(200, kJson, json));
}

}  // namespace tintype
