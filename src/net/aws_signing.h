// SPDX-License-Identifier: Apache-2.0
// AwsSigner: Signature Version 4, in headers and in presigned URLs. S3 signs the path as it is sent
// (encoded once, never normalised) and wants the payload's hash as a header; all other services
// sign the normalised path, encoded a second time. libcurl's own signer is not used: it fails on
// keys and headers that occur (docs/internals/figures.md F-sigv4). Everything is pure, time is an
// argument; only the derived keys are remembered, a day each. Thread-safe.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "net/aws_credentials.h"

namespace tintype {

using AwsPairs = std::vector<std::pair<std::string, std::string>>;

// The payload hash of a body that is not signed; S3 takes it.
inline constexpr std::string_view kAwsUnsignedPayload = "UNSIGNED-PAYLOAD";

struct AwsScope {
  std::string region;   // "eu-central-1"
  std::string service;  // "s3"
};

struct AwsSigningRequest {
  std::string method = "GET";
  std::string host;          // as the Host header has it: with the port unless it is the default
  std::string path = "/";    // as it is sent, so encoded: aws_encoded_path()
  AwsPairs query;            // decoded, in any order; sent as aws_encoded_query()
  AwsPairs headers;          // all are signed; Host is added
  std::string payload_hash;  // aws_payload_hash(), or kAwsUnsignedPayload
};

class AwsSigner {
 public:
  // The headers to be sent beside those of the request: X-Amz-Date, Authorization, and where they
  // apply X-Amz-Security-Token and X-Amz-Content-Sha256.
  AwsPairs sign(const AwsSigningRequest& request, const AwsCredentials& credentials,
                const AwsScope& scope, std::int64_t unix_seconds);

  // The whole query of a presigned URL, without '?'. Valid for `life` (S3: 7 days at most, and no
  // longer than the credentials live).
  std::string presign(const AwsSigningRequest& request, const AwsCredentials& credentials,
                      const AwsScope& scope, std::pair<std::int64_t, Seconds> start_and_life);

 private:
  struct DerivedKey {
    std::string secret, day;
    AwsScope scope;
    std::string key;
  };

  std::string derived_key(const std::string& secret, const std::string& day, const AwsScope& scope);
  std::string signature(const std::string& canonical, const AwsCredentials& credentials,
                        const AwsScope& scope, std::int64_t unix_seconds);

  std::mutex mutex_;
  std::vector<DerivedKey> keys_;  // guarded by mutex_; oldest first
};

// "a b/ä" -> "a%20b/%C3%A4": everything but A-Z a-z 0-9 - . _ ~ and '/' as %XX.
std::string aws_encoded_path(std::string_view decoded_path);
// Encoded, sorted by name and then by value: "list-type=2&prefix=a%2Fb".
std::string aws_encoded_query(const AwsPairs& query);
std::string aws_payload_hash(ByteView body);
// "20130524T000000Z"
std::string aws_date(std::int64_t unix_seconds);
// What is hashed and signed; a test compares it with the text that a service names in its refusal.
std::string aws_canonical_request(const AwsSigningRequest& request, std::string_view service);

}  // namespace tintype
