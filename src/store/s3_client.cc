// SPDX-License-Identifier: Apache-2.0
#include "store/s3_client.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/signing.h"
#include "base/text.h"
#include "store/s3_xml.h"

namespace tintype {
namespace {

constexpr std::size_t kMaxKeysPerCall = 1'000;     // S3's own, of DeleteObjects and ListObjectsV2
constexpr std::int64_t kMaxErrorBytes = 64'000;    // answers of errors are below 1 kB
constexpr std::int64_t kMaxListBytes = 8'000'000;  // 1,000 keys of 1,024 bytes, all encoded
constexpr std::string_view kMetadata = "x-amz-meta-";

// S3's own error code, "NoSuchKey"; empty where the answer names none.
std::string code_of(const IncomingResponse& response) {
  auto root = parse_xml(text_of(response.body));
  if (!root || root->name != "Error") return {};
  std::string code(root->text_of("Code").substr(0, 64));
  bool is_word = std::all_of(code.begin(), code.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
  });
  return is_word ? code : std::string();
}

// 403 with another code than AccessDenied is about us, not about the key: a chain must not take it
// for an absent source. HEAD has no code.
ErrorCode meaning_of(int status, const std::string& code) {
  if (status == 404 && code != "NoSuchBucket") return ErrorCode::NotFound;
  bool is_denied = code.empty() || code == "AccessDenied" || code == "AllAccessDisabled";
  if ((status == 401 || status == 403) && is_denied) return ErrorCode::Forbidden;
  return ErrorCode::OriginFailed;
}

Failure fault_of(const IncomingResponse& response, const AwsCall& call) {
  std::string code = code_of(response);
  std::string message = "S3 " + call.method + " " + call.base_url + call.path + ": " +
                        std::to_string(response.status) + (code.empty() ? "" : " " + code);
  auto region = response.header("x-amz-bucket-region");
  if (!region.empty() && region != call.region) {
    message += "; the bucket is in region " + std::string(region.substr(0, 32));
  }
  return fail_private(meaning_of(response.status, code), std::move(message));
}

S3Object object_of(IncomingResponse response) {
  S3Object object;
  object.etag = response.header("etag");
  object.media_type = response.header("content-type");
  object.cache_control = response.header("cache-control");
  object.coding = response.header("content-encoding");
  object.modified_unix_seconds = parse_http_date(response.header("last-modified")).value_or(0);
  object.size_bytes = parse_int(response.header("content-length")).value_or(0);
  for (auto& [name, value] : response.headers) {
    if (name.starts_with(kMetadata)) object.metadata[name.substr(kMetadata.size())] = value;
  }
  return object;
}

// S3 encodes the keys of a listing as forms are: a space is '+'.
std::optional<std::string> decode_listed(std::string_view key) {
  std::string text(key);
  std::replace(text.begin(), text.end(), '+', ' ');
  return percent_decode(text);
}

struct Page {
  std::vector<std::string> keys;
  bool is_last = true;
};

Result<Page> page_of(const IncomingResponse& response) {
  auto malformed = [](const char* what) {
    return fail_private(ErrorCode::OriginFailed, std::string("S3 list: ") + what);
  };
  auto root = parse_xml(text_of(response.body));
  if (!root || root->name != "ListBucketResult") return malformed("the answer is no listing");
  Page page;
  page.is_last = root->text_of("IsTruncated") != "true";
  bool is_encoded = root->text_of("EncodingType") == "url";
  for (const XmlElement& item : root->children) {
    if (item.name != "Contents") continue;
    std::string key(item.text_of("Key"));
    auto decoded = is_encoded ? decode_listed(key) : std::optional(key);
    if (!decoded || decoded->empty()) return malformed("a key cannot be read");
    page.keys.push_back(std::move(*decoded));
  }
  if (page.keys.empty() && !page.is_last) return malformed("an empty page that is not the last");
  return page;
}

std::string delete_body(const std::vector<std::string>& keys) {
  std::string body =
      "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>";
  for (const std::string& key : keys) {
    body += "<Object><Key>" + escape_xml(key) + "</Key></Object>";
  }
  return body + "</Delete>";
}

Result<> check_removed(const IncomingResponse& response) {
  auto root = parse_xml(text_of(response.body));
  if (!root || root->name != "DeleteResult") {
    return fail_private(ErrorCode::OriginFailed, "S3 delete: the answer is no result");
  }
  std::size_t refused = 0;
  const XmlElement* first = nullptr;
  for (const XmlElement& item : root->children) {
    if (item.name != "Error" || item.text_of("Code") == "NoSuchKey") continue;
    if (++refused == 1) first = &item;
  }
  if (first == nullptr) return {};
  std::string code(first->text_of("Code"));
  return fail_private(meaning_of(code == "AccessDenied" ? 403 : 500, code),
                      "S3 delete: " + std::to_string(refused) + " keys were refused, the first " +
                          std::string(first->text_of("Key")) + ": " + code);
}

// What is wrong before S3 has spoken, such as having no credentials, is not its word about a key:
// Forbidden would be taken for "there is none".
Task<Result<IncomingResponse>> send(AwsClient& aws, AwsCall call) {
  auto sent = co_await aws.call(std::move(call));
  if (sent || sent.error().code != ErrorCode::Forbidden) co_return std::move(sent);
  Error error = std::move(sent).error();
  error.code = ErrorCode::OriginFailed;
  co_return fail(std::move(error));
}

}  // namespace

S3Client::S3Client(AwsClient& aws, S3Place place) : aws_(aws), place_(std::move(place)) {
  bool is_in_path = !place_.endpoint.empty() || place_.bucket.find('.') != std::string::npos;
  std::string suffix = place_.region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com";
  std::string host = "s3." + place_.region + suffix;
  path_prefix_ = is_in_path ? "/" + place_.bucket + "/" : "/";
  if (!is_in_path) host = place_.bucket + "." + host;
  base_url_ = place_.endpoint.empty() ? "https://" + host : place_.endpoint;
  while (base_url_.ends_with('/')) base_url_.pop_back();
}

std::string S3Client::url_of(const std::string& key) const {
  return base_url_ + path_prefix_ + percent_encode(key, "/");
}

AwsCall S3Client::call_of(std::string method, const std::string& key, Deadline deadline) const {
  AwsCall call;
  call.service = "s3";
  call.region = place_.region;
  call.base_url = base_url_;
  call.method = std::move(method);
  call.path = path_prefix_ + key;
  call.max_body_bytes = kMaxErrorBytes;
  call.deadline = deadline;
  call.timeout_ms = place_.timeout_ms;
  return call;
}

Task<Result<std::optional<S3Object>>> S3Client::get(Wanted wanted, Deadline deadline) {
  AwsCall call = call_of("GET", wanted.key, deadline);
  call.max_body_bytes = std::max(wanted.max_bytes, kMaxErrorBytes);
  if (!wanted.unless_etag.empty()) call.headers.emplace_back("If-None-Match", wanted.unless_etag);
  CO_TRY(IncomingResponse response, co_await send(aws_, call));
  if (response.status == 304 && !wanted.unless_etag.empty()) co_return std::optional<S3Object>();
  if (response.status != 200) co_return fault_of(response, call);
  auto size_bytes = static_cast<std::int64_t>(response.body.size());
  if (size_bytes > wanted.max_bytes) {
    co_return fail_private(ErrorCode::TooLarge,
                           "S3 object " + wanted.key + " has " + human_bytes(response.body.size()));
  }
  SharedBytes bytes = share(std::move(response.body));
  S3Object object = object_of(std::move(response));
  object.bytes = std::move(bytes);
  object.size_bytes = size_bytes;
  co_return std::optional<S3Object>(std::move(object));
}

Task<Result<S3Object>> S3Client::head(std::string key, Deadline deadline) {
  AwsCall call = call_of("HEAD", key, deadline);
  CO_TRY(IncomingResponse response, co_await send(aws_, call));
  if (response.status != 200) co_return fault_of(response, call);
  co_return object_of(std::move(response));
}

Task<Result<S3Client::Put>> S3Client::put(Upload upload, Deadline deadline) {
  AwsCall call = call_of("PUT", upload.key, deadline);
  call.body = upload.bytes ? upload.bytes : share({});
  auto add = [&](std::string name, const std::string& value) {
    if (!value.empty()) call.headers.emplace_back(std::move(name), value);
  };
  add("Content-Type", upload.media_type);
  add("Cache-Control", upload.cache_control);
  for (const auto& [name, value] : upload.metadata) add(std::string(kMetadata) + name, value);
  if (upload.only_if_absent) add("If-None-Match", "*");
  // A race with a delete (409) has been tried again by AwsClient.
  CO_TRY(IncomingResponse response, co_await send(aws_, call));
  if (response.status == 200) co_return Put::Done;
  if (upload.only_if_absent && response.status == 412) co_return Put::AlreadyThere;
  if (upload.only_if_absent && response.status == 501) co_return Put::NotConditional;
  co_return fault_of(response, call);
}

Task<Result<>> S3Client::remove_many(std::vector<std::string> keys, Deadline deadline) {
  if (keys.size() > kMaxKeysPerCall) {
    co_return fail_private(ErrorCode::Internal, "more than 1,000 keys in one delete");
  }
  std::vector<std::string> batch, others;
  for (std::string& key : keys) (is_xml_text(key) ? batch : others).push_back(std::move(key));
  if (!batch.empty()) {
    CO_TRY(co_await remove_batch(std::move(batch), deadline));
  }
  for (const std::string& key : others) {
    CO_TRY(co_await remove_one(key, deadline));
  }
  co_return Result<>{};
}

Task<Result<>> S3Client::remove_one(std::string key, Deadline deadline) {
  AwsCall call = call_of("DELETE", key, deadline);
  CO_TRY(IncomingResponse response, co_await send(aws_, call));
  std::string code = code_of(response);
  // What S3 does not take as a key, because it is no UTF-8, cannot stand there.
  bool is_gone = response.status == 204 || response.status == 200 ||
                 (response.status == 404 && code != "NoSuchBucket") ||
                 (response.status == 400 && (code == "InvalidObjectName" || code == "InvalidURI"));
  if (!is_gone) co_return fault_of(response, call);
  co_return Result<>{};
}

Task<Result<>> S3Client::remove_batch(std::vector<std::string> keys, Deadline deadline) {
  AwsCall call = call_of("POST", "", deadline);
  std::string body = delete_body(keys);
  call.query.emplace_back("delete", "");
  call.headers.emplace_back("Content-MD5", base64(md5(body)));  // S3 wants it here
  call.headers.emplace_back("Content-Type", "application/xml");
  call.max_body_bytes = kMaxListBytes;
  call.body = share(Bytes(body.begin(), body.end()));
  CO_TRY(IncomingResponse response, co_await send(aws_, call));
  if (response.status != 200) co_return fault_of(response, call);
  co_return check_removed(response);
}

Task<Result<std::vector<std::string>>> S3Client::list(Listing listing, Deadline deadline) {
  std::vector<std::string> keys;
  while (keys.size() < listing.limit) {
    std::size_t left = std::min(listing.limit - keys.size(), kMaxKeysPerCall);
    AwsCall call = call_of("GET", "", deadline);
    call.query = {{"list-type", "2"},
                  {"encoding-type", "url"},
                  {"max-keys", std::to_string(left)},
                  {"prefix", listing.prefix}};
    // Where the last page ended is as good as the token of the next, and we need not keep it.
    const std::string after = keys.empty() ? listing.after : keys.back();
    if (!after.empty()) call.query.emplace_back("start-after", after);
    call.max_body_bytes = kMaxListBytes;
    CO_TRY(IncomingResponse response, co_await send(aws_, call));
    if (response.status != 200) co_return fault_of(response, call);
    CO_TRY(Page page, page_of(response));
    bool goes_on = page.keys.empty() || page.keys.front() > after;
    if (!goes_on) {
      co_return fail_private(ErrorCode::OriginFailed, "S3 list: the service ignores start-after");
    }
    bool is_last = page.is_last;
    std::move(page.keys.begin(), page.keys.end(), std::back_inserter(keys));
    if (is_last) break;
  }
  co_return keys;
}

}  // namespace tintype
