// SPDX-License-Identifier: Apache-2.0
#include "policy/parse_origin.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/text.h"
#include "policy/bucket_name.h"
#include "policy/cache_tag.h"
#include "policy/quote.h"

namespace tintype {
namespace {

// Each may cost its timeout before the next is asked.
constexpr std::size_t kMaxOrigins = 8;
constexpr std::size_t kMaxTagRules = 100;  // each new source is compared with every rule
constexpr std::size_t kMaxTagsPerRule = 16;
constexpr std::size_t kMaxPrefixBytes = 512;             // half of S3's longest key
constexpr std::int64_t kMaxSourceBytes = 2'000'000'000;  // a source is held in memory

// RFC 9110 section 5.6.2: the characters of a field name.
bool is_field_name(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_field_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

// These belong to the fetch itself: set by hand they would change what an answer means (a range, a
// coded body, a 304) or break the message's framing.
bool is_reserved_field(std::string_view name) {
  static constexpr std::string_view kReserved[] = {"accept-encoding",
                                                   "connection",
                                                   "content-length",
                                                   "expect",
                                                   "if-match",
                                                   "if-range",
                                                   "if-modified-since",
                                                   "if-none-match",
                                                   "if-unmodified-since",
                                                   "range",
                                                   "te",
                                                   "transfer-encoding",
                                                   "upgrade"};
  return std::any_of(std::begin(kReserved), std::end(kReserved),
                     [&](std::string_view r) { return equals_ignoring_case(name, r); });
}

Result<> read_headers(const YamlReader& at, OriginRule& rule) {
  if (!at.is_map()) return fail(at.error("header names and values are expected here"));
  for (const std::string& name : at.keys()) {
    YamlReader field = *at.child(name);
    TRY(std::string value, field.as_text());
    if (!is_field_name(name)) return fail(field.error("is not a header name"));
    if (is_reserved_field(name)) return fail(field.error("is set by the fetch itself"));
    if (!is_field_value(value)) {
      return fail(field.error("the value holds a line break or another control character"));
    }
    rule.headers.emplace_back(name, value);
  }
  return {};
}

// What is wrong with a URL; empty: nothing. The full check is libcurl's, at the first fetch.
std::string_view fault_of_url(std::string_view url) {
  bool is_http = url.starts_with("http://") || url.starts_with("https://");
  if (!is_http) return "expected a URL that begins with https:// or http://";
  for (char c : url) {
    auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '\\') {
      return "a URL is printable ASCII without spaces and backslashes";
    }
  }
  auto host = url.substr(url.find("://") + 3);
  host = host.substr(0, host.find_first_of("/?#"));
  if (host.find('@') != std::string_view::npos) {
    return "a user name in the URL is not allowed; use headers: {Authorization: …}";
  }
  if (host.empty() || host.starts_with(':')) return "the host is missing";
  return {};
}

std::string_view fault_of_base_url(std::string_view url) {
  if (url.find_first_of("?#") != std::string_view::npos) {
    return "the path of each source is appended, so '?' and '#' are not allowed";
  }
  return fault_of_url(url);
}

std::string_view fault_of_endpoint(std::string_view url) {
  if (auto fault = fault_of_url(url); !fault.empty()) return fault;
  auto rest = url.substr(url.find("://") + 3);
  auto end = rest.find_first_of("/?#");
  bool is_bare = end == std::string_view::npos || rest.substr(end) == "/";
  return is_bare ? "" : "expected scheme, host and port alone; the bucket is put behind them";
}

Result<std::string> read_url(const YamlReader& at, std::string_view (*fault_of)(std::string_view)) {
  TRY(std::string url, at.as_text());
  auto fault = fault_of(url);
  if (fault.empty()) return url;
  // A text with '@' may hold a password, and errors are logged.
  bool is_secret = url.find('@') != std::string::npos;
  std::string shown = is_secret ? std::string("this URL") : quote(url);
  return fail(at.error(shown + " is not allowed; " + std::string(fault)));
}

// A text that must not be empty and stands in a header or form later.
Result<std::string> read_word(const YamlReader& at, std::string_view key) {
  auto field = at.child(key);
  if (!field) return fail(at.error(std::string(key) + " is missing"));
  TRY(std::string text, field->as_text());
  if (text.empty() || !is_field_value(text)) {
    return fail(field->error("a text without line breaks and control characters is expected"));
  }
  return text;
}

Result<> read_oauth(const YamlReader& at, OriginRule& rule) {
  constexpr const char* kExpected = "expected { token_url, client_id, client_secret, scope }";
  if (!at.is_map()) return fail(at.error(kExpected));
  TRY(at.refuse_others({"token_url", "client_id", "client_secret", "scope"}));
  auto url = at.child("token_url");
  if (!url) return fail(at.error("token_url is missing"));
  OAuthRule oauth;
  TRY(oauth.token_url, read_url(*url, &fault_of_url));
  if (!oauth.token_url.starts_with("https://") && !rule.allow_private_addresses) {
    return fail(url->error("expected https://: the client's secret is sent there"));
  }
  TRY(oauth.client_id, read_word(at, "client_id"));
  TRY(oauth.client_secret, read_word(at, "client_secret"));
  if (at.child("scope")) {
    TRY(oauth.scope, read_word(at, "scope"));
  }
  rule.oauth = std::move(oauth);
  return {};
}

// Who we are to the origin: at most one of the three ways.
Result<> read_authorization(const YamlReader& at, OriginRule& rule) {
  auto bearer = at.child("bearer"), oauth = at.child("oauth");
  bool has_header = std::any_of(rule.headers.begin(), rule.headers.end(), [](const auto& header) {
    return equals_ignoring_case(header.first, "authorization");
  });
  if (int(bearer.has_value()) + int(oauth.has_value()) + int(has_header) > 1) {
    return fail(
        at.error("at most one of bearer, oauth and headers: {Authorization: …} is allowed"));
  }
  if (bearer) {
    TRY(std::string token, read_word(at, "bearer"));
    rule.headers.emplace_back("Authorization", "Bearer " + token);
  }
  if (oauth) TRY(read_oauth(*oauth, rule));
  return {};
}

Result<> read_timeout(const YamlReader& at, OriginRule& rule) {
  auto timeout = at.child("timeout");
  if (!timeout) return {};
  TRY(std::int64_t value_ms, timeout->as_duration_ms());
  if (value_ms < 1) return fail(timeout->error("must be longer than zero"));
  rule.timeout_ms = Milliseconds(value_ms);
  return {};
}

Result<> read_http_origin(const YamlReader& at, OriginRule& rule) {
  TRY(at.refuse_others(
      {"url", "headers", "bearer", "oauth", "allow_private_addresses", "timeout", "max_source"}));
  rule.kind = OriginRule::Kind::Http;
  TRY(rule.base_url, read_url(*at.child("url"), &fault_of_base_url));
  if (!rule.base_url.ends_with('/')) rule.base_url += '/';
  if (auto headers = at.child("headers")) TRY(read_headers(*headers, rule));
  if (auto allow = at.child("allow_private_addresses")) {
    TRY(rule.allow_private_addresses, allow->as_bool());
  }
  TRY(read_authorization(at, rule));
  return read_timeout(at, rule);
}

// "originals" and "originals/" are the same folder of keys.
Result<std::string> read_prefix(const YamlReader& at) {
  TRY(std::string prefix, at.as_text());
  auto segments = split(prefix, '/');
  bool has_dots = std::any_of(segments.begin(), segments.end(),
                              [](std::string_view s) { return s == "." || s == ".."; });
  bool is_fine = !prefix.starts_with('/') && prefix.size() <= kMaxPrefixBytes && !has_dots &&
                 is_field_value(prefix) && is_utf8(prefix);
  if (!is_fine) {
    return fail(at.error(quote(prefix) +
                         " is not allowed; expected the beginning of keys, such as originals/"));
  }
  if (!prefix.empty() && !prefix.ends_with('/')) prefix += '/';
  return prefix;
}

Result<> read_s3_origin(const YamlReader& at, OriginRule& rule) {
  TRY(at.refuse_others({"s3", "prefix", "region", "endpoint", "timeout", "max_source"}));
  rule.kind = OriginRule::Kind::S3;
  YamlReader bucket = *at.child("s3");
  TRY(rule.bucket, bucket.as_text());
  if (!is_bucket_name(rule.bucket)) {
    return fail(bucket.error(quote(rule.bucket) +
                             " is not a bucket's name; expected 3 to 63 of a-z 0-9 - and dots"));
  }
  if (auto prefix = at.child("prefix")) {
    TRY(rule.prefix, read_prefix(*prefix));
  }
  if (auto region = at.child("region")) {
    TRY(rule.region, region->as_text());
    if (!is_region_name(rule.region)) {
      return fail(region->error(quote(rule.region) +
                                " is not a region; expected a name such as eu-central-1"));
    }
  }
  if (auto endpoint = at.child("endpoint")) {
    TRY(rule.endpoint, read_url(*endpoint, &fault_of_endpoint));
    if (rule.endpoint.ends_with('/')) rule.endpoint.pop_back();
  }
  return read_timeout(at, rule);
}

Result<> read_folder_origin(const YamlReader& at, const std::string& base_folder,
                            OriginRule& rule) {
  TRY(at.refuse_others({"folder", "max_source"}));
  rule.kind = OriginRule::Kind::Folder;
  YamlReader folder = *at.child("folder");
  TRY(std::string path, folder.as_text());
  if (path.empty() || path.find('\0') != std::string::npos) {
    return fail(folder.error("expected the path of a folder"));
  }
  auto whole = (std::filesystem::path(base_folder) / path).lexically_normal();
  if (!whole.is_absolute()) {
    return fail(folder.error(quote(path) + " cannot be made an absolute path"));
  }
  rule.folder = whole.string();
  return {};
}

Result<OriginRule> read_origin(const YamlReader& at, const std::string& base_folder) {
  OriginRule rule;
  bool is_folder = at.child("folder").has_value(), is_url = at.child("url").has_value(),
       is_bucket = at.child("s3").has_value();
  if (int(is_folder) + int(is_url) + int(is_bucket) != 1) {
    return fail(at.error("expected exactly one of folder, url and s3"));
  }
  if (is_folder) {
    TRY(read_folder_origin(at, base_folder, rule));
  } else if (is_url) {
    TRY(read_http_origin(at, rule));
  } else {
    TRY(read_s3_origin(at, rule));
  }
  if (auto size = at.child("max_source")) {
    TRY(rule.max_source_bytes, size->as_size_bytes());
    if (rule.max_source_bytes < 1 || rule.max_source_bytes > kMaxSourceBytes) {
      return fail(size->error("expected a size from 1B to " + human_bytes(kMaxSourceBytes)));
    }
  }
  return rule;
}

Result<TagRule> read_tag_rule(const YamlReader& at) {
  if (!at.is_map()) return fail(at.error("expected { prefix: p/, tags: [product] }"));
  TRY(at.refuse_others({"prefix", "tags"}));
  TagRule rule;
  if (auto prefix = at.child("prefix")) {
    TRY(rule.prefix, prefix->as_text());
    if (rule.prefix.starts_with('/')) {
      return fail(prefix->error("paths of sources do not begin with '/'"));
    }
  }
  auto tags = at.child("tags");
  auto items = tags ? tags->items() : std::vector<YamlReader>();
  if (items.empty() || items.size() > kMaxTagsPerRule) {
    return fail(at.error("tags: a list of 1 to 16 tags is expected"));
  }
  for (const YamlReader& item : items) {
    TRY(std::string tag, item.as_text());
    if (!is_cache_tag(tag)) {
      return fail(item.error(quote(tag) +
                             " is not a tag; expected 1 to 64 of A-Z a-z 0-9 - . _ ~ and ':'"));
    }
    rule.tags.push_back(std::move(tag));
  }
  return rule;
}

}  // namespace

std::string describe(const OriginRule& rule) {
  switch (rule.kind) {
    case OriginRule::Kind::Folder:
      return rule.folder;
    case OriginRule::Kind::Http:
      return rule.base_url;
    case OriginRule::Kind::S3:
      break;
  }
  return "s3://" + rule.bucket + "/" + rule.prefix;
}

Result<> read_origins(const YamlReader& at, const std::string& base_folder, SitePolicy& site) {
  auto one = at.child("origin"), several = at.child("origins");
  if (!one && !several) {
    return fail(at.error("origin is missing; expected {folder: …}, {url: …} or {s3: …}"));
  }
  if (one && several) return fail(several->error("only one of origin and origins is allowed"));
  if (one) {
    TRY(site.origin, read_origin(*one, base_folder));
    return {};
  }
  auto items = several->items();
  if (items.empty() || items.size() > kMaxOrigins) {
    return fail(several->error("a list of 1 to 8 origins is expected; they are asked in order"));
  }
  TRY(site.origin, read_origin(items.front(), base_folder));
  for (std::size_t i = 1; i < items.size(); ++i) {
    TRY(OriginRule rule, read_origin(items[i], base_folder));
    site.fallback_origins.push_back(std::move(rule));
  }
  return {};
}

Result<> read_tags(const YamlReader& at, SitePolicy& site) {
  auto tags = at.child("tags");
  if (!tags) return {};
  auto items = tags->items();
  if (items.empty() || items.size() > kMaxTagRules) {
    return fail(
        tags->error("a list of 1 to 100 rules { prefix: p/, tags: [product] } is expected"));
  }
  for (const YamlReader& item : items) {
    TRY(TagRule rule, read_tag_rule(item));
    site.tags.push_back(std::move(rule));
  }
  return {};
}

}  // namespace tintype
