// SPDX-License-Identifier: Apache-2.0
#include "net/aws_signing.h"

#include <algorithm>
#include <map>

#include "base/hash.h"
#include "base/signing.h"
#include "base/text.h"

namespace tintype {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
// Several buckets' regions and services with old and new credentials; a key is four HMACs.
constexpr std::size_t kMaxDerivedKeys = 16;

bool is_s3(std::string_view service) {
  return service == "s3";
}

std::string day_of(std::int64_t unix_seconds) {
  return aws_date(unix_seconds).substr(0, 8);
}

std::string scope_text(const AwsScope& scope, std::int64_t unix_seconds) {
  return day_of(unix_seconds) + "/" + scope.region + "/" + scope.service + "/aws4_request";
}

// RFC 3986 section 5.2.4, and no empty segments: "//a/./b/..//" -> "/a/".
std::string normalised(std::string_view path) {
  std::vector<std::string_view> kept;
  for (std::string_view segment : split(path, '/')) {
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (!segment.empty() && segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (std::string_view segment : kept) out.append("/").append(segment);
  if (kept.empty() || path.ends_with('/')) out += '/';
  return out;
}

std::string canonical_path(std::string_view path, std::string_view service) {
  if (path.empty()) return "/";
  return is_s3(service) ? std::string(path) : percent_encode(normalised(path), "/");
}

// Trimmed, and each run of spaces is one space.
std::string canonical_value(std::string_view value) {
  std::string out;
  for (char c : trim(value)) {
    if (c == ' ' && out.ends_with(' ')) continue;
    out += c;
  }
  return out;
}

// By name in lower case; the values of one name in their order, joined with ','.
std::map<std::string, std::string> canonical_headers(const AwsSigningRequest& request) {
  std::map<std::string, std::string> by_name{{"host", request.host}};
  for (const auto& [name, value] : request.headers) {
    auto [place, is_new] = by_name.try_emplace(lower(name), canonical_value(value));
    if (!is_new && place->first != "host") place->second += "," + canonical_value(value);
  }
  return by_name;
}

std::string signed_headers(const AwsSigningRequest& request) {
  std::string names;
  for (const auto& [name, value] : canonical_headers(request)) {
    if (!names.empty()) names += ';';
    names += name;
  }
  return names;
}

}  // namespace

std::string aws_encoded_path(std::string_view decoded_path) {
  return percent_encode(decoded_path, "/");
}

std::string aws_encoded_query(const AwsPairs& query) {
  AwsPairs encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(percent_encode(name), percent_encode(value));
  }
  std::sort(encoded.begin(), encoded.end());
  std::string out;
  for (const auto& [name, value] : encoded) {
    if (!out.empty()) out += '&';
    out.append(name).append("=").append(value);
  }
  return out;
}

std::string aws_payload_hash(ByteView body) {
  return hex(sha256(body));
}

std::string aws_date(std::int64_t unix_seconds) {
  std::string text = iso_date(unix_seconds);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  return text;
}

std::string aws_canonical_request(const AwsSigningRequest& request, std::string_view service) {
  std::string out = request.method + "\n" + canonical_path(request.path, service) + "\n" +
                    aws_encoded_query(request.query) + "\n";
  for (const auto& [name, value] : canonical_headers(request)) {
    out.append(name).append(":").append(value).append("\n");
  }
  return out + "\n" + signed_headers(request) + "\n" + request.payload_hash;
}

std::string AwsSigner::derived_key(const std::string& secret, const std::string& day,
                                   const AwsScope& scope) {
  std::lock_guard lock(mutex_);
  for (const DerivedKey& known : keys_) {
    if (known.day == day && known.scope.region == scope.region &&
        known.scope.service == scope.service && known.secret == secret) {
      return known.key;
    }
  }
  std::string key = hmac_sha256("AWS4" + secret, day);
  for (std::string_view part : {std::string_view(scope.region), std::string_view(scope.service),
                                std::string_view("aws4_request")}) {
    key = hmac_sha256(key, part);
  }
  if (keys_.size() >= kMaxDerivedKeys) keys_.erase(keys_.begin());
  keys_.push_back({secret, day, scope, key});
  return key;
}

std::string AwsSigner::signature(const std::string& canonical, const AwsCredentials& credentials,
                                 const AwsScope& scope, std::int64_t unix_seconds) {
  std::string to_sign(kAlgorithm);
  to_sign += "\n" + aws_date(unix_seconds) + "\n" + scope_text(scope, unix_seconds) + "\n" +
             hex(sha256(view_of(canonical)));
  auto key = derived_key(credentials.secret_access_key, day_of(unix_seconds), scope);
  return hex(view_of(hmac_sha256(key, to_sign)));
}

AwsPairs AwsSigner::sign(const AwsSigningRequest& request, const AwsCredentials& credentials,
                         const AwsScope& scope, std::int64_t unix_seconds) {
  AwsPairs added{{"X-Amz-Date", aws_date(unix_seconds)}};
  if (is_s3(scope.service)) added.emplace_back("X-Amz-Content-Sha256", request.payload_hash);
  if (!credentials.session_token.empty()) {
    added.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  AwsSigningRequest whole = request;
  whole.headers.insert(whole.headers.end(), added.begin(), added.end());
  auto signed_with =
      signature(aws_canonical_request(whole, scope.service), credentials, scope, unix_seconds);
  added.emplace_back("Authorization",
                     std::string(kAlgorithm) + " Credential=" + credentials.access_key_id + "/" +
                         scope_text(scope, unix_seconds) +
                         ", SignedHeaders=" + signed_headers(whole) + ", Signature=" + signed_with);
  return added;
}

std::string AwsSigner::presign(const AwsSigningRequest& request, const AwsCredentials& credentials,
                               const AwsScope& scope,
                               std::pair<std::int64_t, Seconds> start_and_life) {
  auto [start, life] = start_and_life;
  AwsSigningRequest whole = request;
  whole.query.emplace_back("X-Amz-Algorithm", kAlgorithm);
  whole.query.emplace_back("X-Amz-Credential",
                           credentials.access_key_id + "/" + scope_text(scope, start));
  whole.query.emplace_back("X-Amz-Date", aws_date(start));
  whole.query.emplace_back("X-Amz-Expires", std::to_string(life.count()));
  whole.query.emplace_back("X-Amz-SignedHeaders", signed_headers(request));
  if (!credentials.session_token.empty()) {
    whole.query.emplace_back("X-Amz-Security-Token", credentials.session_token);
  }
  auto signed_with =
      signature(aws_canonical_request(whole, scope.service), credentials, scope, start);
  return aws_encoded_query(whole.query) + "&X-Amz-Signature=" + signed_with;
}

}  // namespace tintype
