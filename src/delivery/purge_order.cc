// SPDX-License-Identifier: Apache-2.0
#include "delivery/purge_order.h"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "policy/cache_tag.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

using What = PurgeOrder::What;
using Json = nlohmann::json;

constexpr What kWhats[] = {What::Source, What::Prefix, What::Tag, What::Preset, What::All};
// As long as a canonical path can be asked for.
constexpr std::size_t kMaxValueBytes = 8192;
constexpr std::size_t kMaxIdBytes = 64;

[[nodiscard]] Failure refuse(std::string detail) {
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

Result<std::string> text_in(const std::string& field, const Json& value) {
  const auto* text = value.get_ptr<const std::string*>();
  if (text == nullptr) return refuse(field + ": must be a text, in quotes");
  if (text->empty()) return refuse(field + ": must not be empty");
  if (text->size() > kMaxValueBytes) return refuse(field + ": is too long");
  return *text;
}

Result<bool> flag_in(const std::string& field, const Json& value) {
  const auto* flag = value.get_ptr<const bool*>();
  if (flag == nullptr) return refuse(field + ": must be true or false");
  return *flag;
}

bool is_id(std::string_view text) {
  auto is_good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  };
  return !text.empty() && text.size() <= kMaxIdBytes && std::ranges::all_of(text, is_good);
}

// A path as sources have it: what the dialects let through, so that no order can name anything that
// is not below its site.
Result<> check_path(const std::string& field, const std::string& path) {
  if (path.starts_with('/')) {
    return refuse(field + ": \"" + shown(path) + "\" must not begin with /: it is below its site");
  }
  for (std::string_view segment : split(path, '/')) {
    if (segment == "." || segment == "..") {
      return refuse(field + ": \"" + shown(path) + "\" must not have . or .. in it");
    }
  }
  if (path.find('\0') != std::string::npos) return refuse(field + ": must not have NUL in it");
  return {};
}

Result<> check_value(const PurgeOrder& order) {
  std::string field(name_of(order.what));
  switch (order.what) {
    case What::Source:
    case What::Prefix:
      return check_path(field, order.value);
    case What::Tag:
      if (is_cache_tag(order.value)) return {};
      return refuse("tag: \"" + shown(order.value) +
                    "\" must be 1 to 128 visible ASCII characters without , \" and \\");
    case What::Preset:
    case What::All:
      return {};
  }
  return {};
}

// The one field that says what.
Result<> take_what(PurgeOrder& order, What what, const Json& value) {
  std::string field(name_of(what));
  order.what = what;
  if (what != What::All) {
    TRY(order.value, text_in(field, value));
    return {};
  }
  TRY(bool is_set, flag_in(field, value));
  if (!is_set) return refuse("all: must be true, or left out");
  return {};
}

Result<bool> take_field(PurgeOrder& order, const std::string& field, const Json& value) {
  auto is_named = [&field](What what) { return name_of(what) == field; };
  if (const auto* what = std::ranges::find_if(kWhats, is_named); what != std::end(kWhats)) {
    TRY(take_what(order, *what, value));
    return true;
  }
  if (field == "site") {
    TRY(order.site, text_in(field, value));
  } else if (field == "dry_run") {
    TRY(order.dry_run, flag_in(field, value));
  } else if (field == "id") {
    TRY(order.id, text_in(field, value));
    if (!is_id(order.id)) return refuse("id: must be 1 to 64 of A-Z a-z 0-9 -");
  } else {
    return refuse("\"" + shown(field) +
                  "\" is no field of a purge; known are site, source, prefix, tag, preset, all, "
                  "dry_run and id");
  }
  return false;
}

}  // namespace

std::string_view name_of(What what) {
  switch (what) {
    case What::Source:
      return "source";
    case What::Prefix:
      return "prefix";
    case What::Tag:
      return "tag";
    case What::Preset:
      return "preset";
    case What::All:
      return "all";
  }
  return "";
}

Result<PurgeOrder> parse_purge_order(std::string_view json) {
  Json document = Json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return refuse(R"(the body must be a JSON object such as {"site":"shop","source":"a.jpg"})");
  }
  PurgeOrder order;
  int whats = 0;
  for (const auto& [field, value] : document.items()) {
    TRY(bool is_what, take_field(order, field, value));
    whats += is_what;
  }
  if (order.site.empty()) return refuse("site: is missing");
  if (order.site.find('/') != std::string::npos || order.site == "_") {
    return refuse("site: \"" + shown(order.site) + "\" is no name of a site");
  }
  if (whats != 1) {
    return refuse("name exactly one of source, prefix, tag, preset and all, not " +
                  std::to_string(whats));
  }
  TRY(check_value(order));
  return order;
}

std::string as_json(const PurgeOrder& order) {
  JsonObject json;
  json.field("site", order.site);
  if (order.what == What::All) {
    json.field("all", true);
  } else {
    json.field(name_of(order.what), order.value);
  }
  if (order.dry_run) json.field("dry_run", true);
  if (!order.id.empty()) json.field("id", order.id);
  return json.str();
}

std::string describe(const PurgeOrder& order) {
  if (order.what == What::All) return "everything of " + order.site;
  return std::string(name_of(order.what)) + " " + order.value + " of " + order.site;
}

}  // namespace tintype
