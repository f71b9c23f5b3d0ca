// SPDX-License-Identifier: Apache-2.0
#include "delivery/hook_body.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace tintype {
namespace {

using json = nlohmann::json;

[[nodiscard]] tl::unexpected<HookRefusal> refuse(std::string detail) {
  return tl::unexpected(HookRefusal{400, std::move(detail)});
}

// ---- reading JSON that may be anything

const json* member(const json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  auto it = object.find(std::string(name));
  return it == object.end() ? nullptr : &*it;
}

// A string as it is, a whole number in decimal (ids are numbers in some DAMs); else nothing.
std::optional<std::string> text_of(const json* value) {
  if (value == nullptr) return std::nullopt;
  if (value->is_string()) return value->get_ref<const std::string&>();
  if (value->is_number_unsigned()) return std::to_string(value->get<std::uint64_t>());
  if (value->is_number_integer()) return std::to_string(value->get<std::int64_t>());
  return std::nullopt;
}

std::string text_or_empty(const json& object, std::string_view name) {
  return text_of(member(object, name)).value_or("");
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

// RFC 6901, for pointers that the policy has checked; null where there is nothing.
const json* find_at(const json& root, std::string_view pointer) {
  const json* at = &root;
  while (at != nullptr && !pointer.empty()) {
    pointer.remove_prefix(1);
    std::string token(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(token.size());
    replace_all(token, "~1", "/");
    replace_all(token, "~0", "~");
    if (!at->is_array()) {
      at = member(*at, token);
      continue;
    }
    auto index = parse_int(token);
    bool is_there = index && *index >= 0 && static_cast<std::size_t>(*index) < at->size();
    at = is_there ? &(*at)[static_cast<std::size_t>(*index)] : nullptr;
  }
  return at;
}

// ---- words

// "AssetUpdated", "asset_bank.media.upload", "s3:ObjectCreated:Put" -> their words in lower case.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  bool is_inside = false, was_lower = false;
  for (char c : text) {
    bool is_upper = c >= 'A' && c <= 'Z', is_lower = c >= 'a' && c <= 'z';
    bool begins = (is_upper || is_lower) && (!is_inside || (is_upper && was_lower));
    if (begins) words.emplace_back();
    is_inside = is_upper || is_lower;
    if (is_inside) words.back() += lower(c);
    was_lower = is_lower;
  }
  return words;
}

template <std::size_t N>
bool has_stem(const std::vector<std::string>& words, const std::string_view (&stems)[N]) {
  return std::ranges::any_of(words, [&stems](const std::string& word) {
    return std::ranges::any_of(stems,
                               [&](std::string_view stem) { return word.starts_with(stem); });
  });
}

// ---- generic, Aprimo

HookResult<std::vector<std::string>> paths_at(const json& body, const HookRule& rule) {
  const json* found = find_at(body, rule.source_pointer);
  std::vector<std::string> paths;
  if (found != nullptr && found->is_array()) {
    for (const json& item : *found) {
      auto text = text_of(&item);
      if (!text) return refuse("the list at " + rule.source_pointer + " holds more than paths");
      paths.push_back(std::move(*text));
    }
  } else if (auto text = text_of(found)) {
    paths.push_back(std::move(*text));
  } else {
    return refuse("there is no path at " + rule.source_pointer);
  }
  return paths;
}

HookResult<HookMessage> read_generic(const json& body, const HookRule& rule) {
  HookMessage message;
  HookEvent kind = HookEvent::Changed;
  if (!rule.event_pointer.empty()) {
    auto word = text_of(find_at(body, rule.event_pointer));
    if (!word) return refuse("there is no event at " + rule.event_pointer);
    message.event = std::move(*word);
    kind = kind_of_event(message.event);
  }
  // What is none of ours may look like anything.
  if (kind == HookEvent::Other) return message;
  auto paths = paths_at(body, rule);
  if (!paths) return tl::unexpected(std::move(paths).error());
  for (std::string& path : *paths) message.changes.push_back({kind, std::move(path)});
  return message;
}

// ---- S3

// Event notifications write keys as forms do.
std::optional<std::string> key_of(const json& object) {
  auto key = text_of(member(object, "key"));
  if (!key) return std::nullopt;
  std::ranges::replace(*key, '+', ' ');
  return percent_decode(*key);
}

// A "folder" that a console made.
bool is_folder(const std::string& key) {
  return key.ends_with('/');
}

HookResult<HookMessage> read_s3_records(const json& records) {
  HookMessage message;
  for (const json& record : records) {
    std::string event = text_or_empty(record, "eventName");
    if (message.event.empty()) message.event = event;
    HookEvent kind = HookEvent::Other;
    if (event.starts_with("s3:")) event.erase(0, 3);
    if (event.starts_with("ObjectCreated:")) kind = HookEvent::Changed;
    bool is_removal =
        event.starts_with("ObjectRemoved:") || event.starts_with("LifecycleExpiration:");
    if (is_removal) kind = HookEvent::Deleted;
    if (kind == HookEvent::Other) continue;
    const json* s3 = member(record, "s3");
    const json* object = s3 ? member(*s3, "object") : nullptr;
    auto key = object ? key_of(*object) : std::nullopt;
    if (!key) return refuse("a record has no readable s3.object.key");
    if (!is_folder(*key)) message.changes.push_back({kind, std::move(*key)});
  }
  return message;
}

// Keys stand in these as they are.
HookResult<HookMessage> read_eventbridge(const json& body) {
  HookMessage message;
  message.event = text_or_empty(body, "detail-type");
  HookEvent kind = HookEvent::Other;
  if (message.event == "Object Created") kind = HookEvent::Changed;
  if (message.event == "Object Deleted") kind = HookEvent::Deleted;
  if (kind == HookEvent::Other) return message;
  auto key = text_of(find_at(body, "/detail/object/key"));
  if (!key) return refuse("the event has no detail.object.key");
  if (!is_folder(*key)) message.changes.push_back({kind, std::move(*key)});
  return message;
}

HookResult<HookMessage> read_s3(const json& body) {
  if (const json* records = member(body, "Records"); records && records->is_array()) {
    return read_s3_records(*records);
  }
  if (member(body, "detail-type") != nullptr) return read_eventbridge(body);
  // What S3 sends when the notification is set up.
  std::string event = text_or_empty(body, "Event");
  if (event == "s3:TestEvent")
    return HookMessage{.event = event, .changes = {}, .subscribe_url = {}};
  return refuse("expected an S3 event: Records, or detail-type and detail");
}

// ---- Cloudinary (https://cloudinary.com/documentation/notifications)

// Of a picture's public id and format; video and raw files are none of ours.
std::optional<HookChange> cloudinary_change(const json& asset, HookEvent kind) {
  auto id = text_of(member(asset, "public_id"));
  std::string type = text_or_empty(asset, "resource_type");
  if (!id || (!type.empty() && type != "image")) return std::nullopt;
  std::string format = text_or_empty(asset, "format");
  if (format.empty()) return HookChange{kind, std::move(*id), true};
  return HookChange{kind, *id + "." + format};
}

HookResult<HookMessage> read_cloudinary_rename(const json& body) {
  HookMessage message;
  message.event = "rename";
  auto from = text_of(member(body, "from_public_id"));
  auto to = text_of(member(body, "to_public_id"));
  if (!from || !to) return refuse("a rename without from_public_id and to_public_id");
  std::string format = text_or_empty(body, "format");
  std::string type = text_or_empty(body, "resource_type");
  if (!type.empty() && type != "image") return message;
  bool is_prefix = format.empty();
  std::string ending = is_prefix ? "" : "." + format;
  message.changes.push_back({HookEvent::Deleted, *from + ending, is_prefix});
  // A picture may have been under the new name before, too.
  message.changes.push_back(
      {is_prefix ? HookEvent::Deleted : HookEvent::Changed, *to + ending, is_prefix});
  return message;
}

HookResult<HookMessage> read_cloudinary(const json& body) {
  HookMessage message;
  message.event = text_or_empty(body, "notification_type");
  if (message.event.empty()) return refuse("there is no notification_type");
  if (message.event == "rename") return read_cloudinary_rename(body);
  if (message.event == "delete") {
    const json* resources = member(body, "resources");
    if (!resources || !resources->is_array()) return refuse("a delete without resources");
    for (const json& asset : *resources) {
      auto change = cloudinary_change(asset, HookEvent::Deleted);
      if (change) message.changes.push_back(std::move(*change));
    }
    return message;
  }
  if (message.event != "upload") return message;
  if (!text_of(member(body, "public_id"))) return refuse("an upload without a public_id");
  auto change = cloudinary_change(body, HookEvent::Changed);
  // What has no format is no picture that could be asked for.
  if (change && !change->is_prefix) message.changes.push_back(std::move(*change));
  return message;
}

// ---- Bynder

// https://support.bynder.com: events such as asset_bank.media.uploaded, sent through SNS: the
// event is the notification's subject.
HookResult<HookMessage> read_bynder(const json& body, const HookRule& rule, std::string subject) {
  if (!rule.event_pointer.empty()) return read_generic(body, rule);
  HookMessage message;
  message.event = std::move(subject);
  if (message.event.empty()) message.event = text_or_empty(body, "event");
  if (message.event.empty()) {
    return refuse("expected an SNS notification with a subject, or a body with an event");
  }
  // Neither touches the picture: words about it changed, or it is about to be archived.
  bool is_quiet =
      message.event.ends_with("meta_updated") || message.event.ends_with("pre_archived");
  HookEvent kind = is_quiet ? HookEvent::Other : kind_of_event(message.event);
  if (kind == HookEvent::Other) return message;
  auto paths = paths_at(body, rule);
  if (!paths) return tl::unexpected(std::move(paths).error());
  for (std::string& path : *paths) message.changes.push_back({kind, std::move(path)});
  return message;
}

// ---- Amazon SNS, around any of them

// The only hosts that confirm a subscription; anything else is somebody's trick on the operator.
bool is_of_sns(std::string_view url) {
  constexpr std::string_view kBegin = "https://sns.";
  if (!url.starts_with(kBegin)) return false;
  std::string_view host = url.substr(std::size("https://") - 1);
  host = host.substr(0, host.find_first_of("/?#"));
  bool is_plain = std::ranges::all_of(host, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  return is_plain && (host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn"));
}

HookResult<HookMessage> read_confirmation(const json& body) {
  HookMessage message;
  message.event = "SubscriptionConfirmation";
  message.subscribe_url = text_or_empty(body, "SubscribeURL");
  if (!is_of_sns(message.subscribe_url)) return refuse("SubscribeURL is not one of Amazon SNS");
  return message;
}

HookResult<HookMessage> read_inner(const json& body, const HookRule& rule, std::string subject) {
  switch (rule.recipe) {
    case HookRule::Recipe::Generic:
    case HookRule::Recipe::Aprimo:
      return read_generic(body, rule);
    case HookRule::Recipe::Bynder:
      return read_bynder(body, rule, std::move(subject));
    case HookRule::Recipe::Cloudinary:
      return read_cloudinary(body);
    case HookRule::Recipe::S3:
      return read_s3(body);
  }
  return refuse("the recipe is not known");
}

}  // namespace

HookEvent kind_of_event(std::string_view word) {
  constexpr std::string_view kGone[] = {"delet",    "remov", "archiv", "unpublish",
                                        "withdraw", "expir", "trash",  "purg"};
  constexpr std::string_view kThere[] = {"creat",  "upload",  "updat",   "chang",  "replac",
                                         "edit",   "publish", "modif",   "add",    "new",
                                         "restor", "renam",   "version", "approv", "overwrit"};
  std::vector<std::string> words = words_of(word);
  if (has_stem(words, kGone)) return HookEvent::Deleted;
  return has_stem(words, kThere) ? HookEvent::Changed : HookEvent::Other;
}

HookResult<HookMessage> read_hook_body(const HookRule& rule, std::string_view body) {
  json parsed = json::parse(body, nullptr, false);
  if (parsed.is_discarded() || !parsed.is_object()) return refuse("the body is not a JSON object");
  std::string type = text_or_empty(parsed, "Type");
  bool is_sns = member(parsed, "TopicArn") != nullptr && member(parsed, "MessageId") != nullptr;
  if (!is_sns) return read_inner(parsed, rule, {});
  if (type == "SubscriptionConfirmation") return read_confirmation(parsed);
  if (type != "Notification") {
    return HookMessage{.event = std::move(type), .changes = {}, .subscribe_url = {}};
  }
  json inner = json::parse(text_or_empty(parsed, "Message"), nullptr, false);
  if (inner.is_discarded() || !inner.is_object()) {
    return refuse("the SNS notification's Message is not a JSON object");
  }
  return read_inner(inner, rule, text_or_empty(parsed, "Subject"));
}

}  // namespace tintype
