// SPDX-License-Identifier: Apache-2.0
// S3VariantStore: finished variants in a bucket. On the wire an object's path is the canonical path
// byte for byte, so that the edge asks the bucket for what it would ask us for; the key itself is
// that path decoded, without its leading '/'. The object carries media type and Cache-Control for
// the edge and, as metadata, what else must be known to serve it. Thread-safe.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "net/aws_client.h"
#include "store/variant_store.h"

namespace tintype {

struct S3VariantStoreSettings {
  std::string bucket;
  std::string prefix;    // before each key, such as "variants/"; the edge's origin path then
  std::string region;    // main/ fills in AWS_REGION where it is not set
  std::string endpoint;  // another service than AWS, "http://127.0.0.1:9000"
  Milliseconds timeout_ms{5'000};  // of one attempt
};

// Fails with BadRequest when the bucket's name or the region is none. `aws` must outlive the store.
Result<std::unique_ptr<VariantStore>> open_s3_variant_store(const S3VariantStoreSettings& settings,
                                                            AwsClient& aws);

}  // namespace tintype
