// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/text.h"
#include "delivery/hook_body.h"
#include "dialect/request.h"

namespace tintype {
namespace {

constexpr std::size_t kShownBytes = 64;  // of what the sender wrote

// What is behind the rule's prefix, as a source; or why it is none.
Result<std::string> source_of(const HookRule& rule, std::string_view text) {
  bool is_url = text.find("://") != std::string_view::npos;
  if (!rule.strip_prefix.empty()) {
    if (!text.starts_with(rule.strip_prefix)) {
      return fail_public(ErrorCode::NotFound, "does not begin with strip_prefix");
    }
    text.remove_prefix(rule.strip_prefix.size());
  } else if (is_url) {
    return fail_public(ErrorCode::BadRequest, "is a URL; the hook's rule needs a strip_prefix");
  }
  std::string path(text);
  if (is_url) {
    auto decoded = percent_decode(text.substr(0, text.find_first_of("?#")));
    if (!decoded) return fail_public(ErrorCode::BadRequest, "holds a malformed % escape");
    path = std::move(*decoded);
  }
  path.erase(0, path.find_first_not_of('/'));
  return check_source(std::move(path));
}

void add(std::vector<std::string>& list, std::string source) {
  if (std::ranges::find(list, source) == list.end()) list.push_back(std::move(source));
}

void take_change(const HookRule& rule, const HookChange& change, HookOrder& order) {
  if (change.kind == HookEvent::Other) {
    order.ignored = "the event is none that changes a picture";
    return;
  }
  // Folders of S3 consoles; and a prefix is no source, but what comes before its dot is.
  bool is_prefix = change.is_prefix;
  auto source = source_of(rule, change.path);
  if (!source) {
    const Error& error = source.error();
    order.ignored = "'" + change.path.substr(0, kShownBytes) +
                    "': " + (error.detail.empty() ? error.message : error.detail);
    return;
  }
  if (change.kind == HookEvent::Changed) {
    add(order.changed, std::move(*source));
  } else if (is_prefix) {
    add(order.deleted_prefixes, std::move(*source) + ".");
  } else {
    add(order.deleted, std::move(*source));
  }
}

}  // namespace

HookResult<HookOrder> read_hook(const HookRule& rule, const HookHeaders& headers,
                                std::string_view body, std::int64_t now_unix_seconds) {
  auto proof = check_hook(rule, headers, body, now_unix_seconds);
  if (!proof) return tl::unexpected(std::move(proof).error());
  auto message = read_hook_body(rule, body);
  if (!message) return tl::unexpected(std::move(message).error());
  if (message->changes.size() > kMaxHookSources) {
    return tl::unexpected(HookRefusal{
        413, "at most " + std::to_string(kMaxHookSources) + " pictures are allowed in one hook"});
  }
  HookOrder order;
  order.proof = std::move(*proof);
  order.event = message->event.substr(0, kShownBytes);
  order.subscribe_url = std::move(message->subscribe_url);
  if (message->changes.empty()) order.ignored = "the event names no picture";
  if (!order.subscribe_url.empty()) order.ignored = "the subscription waits for an operator";
  for (const HookChange& change : message->changes) take_change(rule, change, order);
  return order;
}

}  // namespace tintype
