// SPDX-License-Identifier: Apache-2.0
// S3Client: the few calls of S3 that we use, on one bucket, over AwsClient. Buckets of AWS are
// addressed by host name (in the path where the name has dots, which certificates do not cover), of
// other services in the path. Keys are bytes, percent-encoded once. Thread-safe.
//
// Failures: NotFound (404), Forbidden (401, 403: also an absent key where the caller may not list),
// Timeout, TooLarge, and OriginFailed for all else, throttling included. Private messages name the
// call, the key and the <Code> of the answer, never its text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/aws_client.h"

namespace tintype {

struct S3Place {
  std::string bucket;
  std::string region;               // "eu-central-1"
  std::string endpoint;             // empty: AWS
  Milliseconds timeout_ms{10'000};  // of one attempt
};

struct S3Object {
  SharedBytes bytes;                              // null after head()
  std::string etag;                               // quoted; no digest of the bytes
  std::string media_type, cache_control, coding;  // coding: Content-Encoding
  std::int64_t modified_unix_seconds = 0, size_bytes = 0;
  std::map<std::string, std::string> metadata;  // x-amz-meta-* without that prefix, lower case
};

class S3Client {
 public:
  // `aws` must outlive the client.
  S3Client(AwsClient& aws, S3Place place);

  struct Wanted {
    std::string key;
    std::int64_t max_bytes = 50'000'000;
    std::string unless_etag;  // If-None-Match; empty: give it in any case
  };
  // Nothing when the object still has `unless_etag`.
  Task<Result<std::optional<S3Object>>> get(Wanted wanted, Deadline deadline);
  Task<Result<S3Object>> head(std::string key, Deadline deadline);

  struct Upload {
    std::string key;
    SharedBytes bytes;
    std::string media_type, cache_control;
    std::map<std::string, std::string> metadata;  // US-ASCII, 2 kB in all
    bool only_if_absent = false;                  // If-None-Match: *
  };
  enum class Put : std::uint8_t {
    Done,
    AlreadyThere,   // 412
    NotConditional  // 501: this service cannot do only_if_absent; nothing was written
  };
  Task<Result<Put>> put(Upload upload, Deadline deadline);

  // DeleteObjects, at most 1,000 keys. Absent ones are no failure. Fails naming the first key that
  // was refused and how many were.
  Task<Result<>> remove_many(std::vector<std::string> keys, Deadline deadline);

  // Keys that begin with `prefix` and come after `after`, in byte order, at most `limit`. Fewer
  // mean the end. One call for each 1,000.
  struct Listing {
    std::string prefix, after;
    std::size_t limit = 1'000;
  };
  Task<Result<std::vector<std::string>>> list(Listing listing, Deadline deadline);

  const S3Place& place() const { return place_; }
  // Where a key is, for people.
  std::string url_of(const std::string& key) const;

 private:
  AwsCall call_of(std::string method, const std::string& key, Deadline deadline) const;
  Task<Result<>> remove_one(std::string key, Deadline deadline);
  Task<Result<>> remove_batch(std::vector<std::string> keys, Deadline deadline);

  AwsClient& aws_;
  S3Place place_;
  std::string base_url_, path_prefix_;  // "https://b.s3.eu-central-1.amazonaws.com" and "/"
};

}  // namespace tintype
