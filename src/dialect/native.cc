// SPDX-License-Identifier: Apache-2.0
// The native dialect and canonical paths. Quirks are pinned by spec/vectors/native.txt.
#include <algorithm>

#include "base/text.h"
#include "dialect/canonical.h"
#include "dialect/request.h"
#include "transform/canonical_path.h"
#include "transform/option_table.h"

namespace tintype {
namespace {

[[nodiscard]] Failure refuse(std::string detail, std::string option = {}) {
  return fail_public(ErrorCode::BadRequest, std::move(detail), std::move(option));
}

// Like a token (option_table.h), and '_' too, but not alone: "_" marks the options.
bool is_site(std::string_view text) {
  if (text.empty() || text.size() > 64 || text == "_" || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '~' || c == '_';
  });
}

Result<std::string> parse_site(std::string_view raw) {
  auto site = percent_decode(raw);
  if (!site || !is_site(*site)) {
    return refuse("site " + shown(raw) + ": must be 1 to 64 of A-Z a-z 0-9 - . _ ~, not _ alone");
  }
  return std::move(*site);
}

// A query's text: '+' is a space, then percent escapes. Returns `raw` itself where nothing is to be
// decoded, else a view of `buffer`; nothing for a malformed escape.
std::optional<std::string_view> decode_query_text(std::string_view raw, std::string& buffer) {
  if (raw.find_first_of("%+") == std::string_view::npos) return raw;
  std::string spaced(raw);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  auto decoded = percent_decode(spaced);
  if (!decoded) return std::nullopt;
  buffer = std::move(*decoded);
  return buffer;
}

[[nodiscard]] Failure given_twice(std::string_view name) {
  return refuse(std::string(name) + " is given twice with different values", std::string(name));
}

Result<> keep_token(std::string& field, const OptionSpec& spec, std::string_view value) {
  TRY(auto token, parse_token(spec.id, value));
  if (!field.empty() && field != token) return given_twice(spec.name);
  field = std::move(token);
  return {};
}

Result<> keep_option(Ask& ask, const OptionSpec& spec, std::string_view value) {
  if (spec.id == OptionId::Preset) return keep_token(ask.preset, spec, value);
  if (spec.id == OptionId::Version) return keep_token(ask.version, spec, value);
  if ((ask.named & bit_of(spec.id)) == 0) return set_option(ask.transformation, spec.id, value);
  Transformation before = ask.transformation;
  TRY(set_option(ask.transformation, spec.id, value));
  if (ask.transformation != before) return given_twice(spec.name);
  return {};
}

enum class Reads : std::uint8_t { All, SignatureOnly };

constexpr std::string_view kSignature = "s", kExpires = "expires";
constexpr std::size_t kMaxExpiresDigits = 11;  // the year 5138

bool is_of_signature(std::string_view name) {
  return equals_ignoring_case(name, kSignature) || equals_ignoring_case(name, kExpires);
}

Result<> keep_of_signature(Ask& ask, std::string_view name, std::string_view value) {
  if (equals_ignoring_case(name, kSignature)) {
    if (!ask.signature.empty() && ask.signature != value) return given_twice(kSignature);
    ask.signature = value;
    return {};
  }
  bool is_number = !value.empty() && value.size() <= kMaxExpiresDigits &&
                   value.find_first_not_of("0123456789") == std::string_view::npos;
  if (!is_number) return bad_option(kExpires, value, "a Unix time in seconds");
  auto expires = parse_int(value);
  if (ask.expires_unix_seconds && ask.expires_unix_seconds != expires) {
    return given_twice(kExpires);
  }
  ask.expires_unix_seconds = expires;
  return {};
}

Result<> keep_parameter(Ask& ask, std::string_view name, std::string_view raw_value) {
  const OptionSpec* spec = find_option(name);
  if (spec == nullptr && !is_of_signature(name)) {
    // Its value is never looked at: trackers write what they like.
    ask.unknown.emplace_back(name);
    return {};
  }
  std::string buffer;
  auto value = decode_query_text(raw_value, buffer);
  if (!value) {
    std::string option(spec != nullptr ? spec->name : name);
    return refuse(option + "=" + shown(raw_value) + ": malformed percent escape", lower(option));
  }
  if (spec == nullptr) return keep_of_signature(ask, name, *value);
  TRY(keep_option(ask, *spec, *value));
  ask.named |= bit_of(spec->id);
  return {};
}

Result<> parse_parameter(Ask& ask, std::string_view parameter, Reads reads) {
  std::size_t equals = parameter.find('=');
  std::string_view raw_name = parameter.substr(0, equals);
  std::string_view raw_value =
      equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
  std::string buffer;
  auto name = decode_query_text(raw_name, buffer);
  if (reads == Reads::SignatureOnly && (!name || !is_of_signature(*name))) return {};
  if (!name) return refuse("parameter " + shown(raw_name) + ": malformed percent escape");
  return keep_parameter(ask, *name, raw_value);
}

Result<> parse_query(Ask& ask, std::string_view query, Reads reads) {
  while (!query.empty()) {
    std::size_t end = std::min(query.find('&'), query.size());
    if (end > 0) TRY(parse_parameter(ask, query.substr(0, end), reads));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {};
}

}  // namespace

Result<Ask> parse_canonical(std::string_view path, std::size_t marker, std::string_view query) {
  Ask ask;
  std::size_t slash = path.find('/', 1);
  TRY(ask.site, parse_site(path.substr(1, slash - 1)));
  // "/<site>/_/…": the marker stands where the source should.
  if (slash >= marker) return fail_public(ErrorCode::NotFound, "the path names no source");
  TRY(ask.source, parse_source(path.substr(slash + 1, marker - slash - 1)));
  TRY(auto options, parse_canonical_options(path.substr(marker + kCanonicalMarker.size())));
  ask.transformation = options.transformation;
  ask.version = std::move(options.version);
  ask.named = options.named;
  ask.is_canonical = true;
  TRY(parse_query(ask, query, Reads::SignatureOnly));
  return ask;
}

Result<Ask> parse_native(const Request& request) {
  std::string_view path = request.path;
  Ask ask;
  if (request.mount.site.empty()) {
    if (path.empty()) return fail_public(ErrorCode::NotFound, "the path names no site");
    std::size_t slash = std::min(path.find('/'), path.size());
    TRY(ask.site, parse_site(path.substr(0, slash)));
    path.remove_prefix(std::min(slash + 1, path.size()));
  } else {
    ask.site = request.mount.site;
  }
  if (path == "_" || path.starts_with("_/")) {
    return fail_public(ErrorCode::NotFound, "the path names no source");
  }
  if (path.ends_with("/_")) {
    return refuse("options must follow the segment _ (a folder or file of that name is %5F)");
  }
  TRY(ask.source, parse_source(path));
  TRY(parse_query(ask, request.query, Reads::All));
  return ask;
}

}  // namespace tintype
