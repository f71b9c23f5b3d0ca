// SPDX-License-Identifier: Apache-2.0
// S3Origin: sources in a bucket, or below a prefix of it. The key of a source is the prefix and its
// path. Cache tags are read from the object's metadata (x-amz-meta-cache-tags, parted by commas or
// spaces); words that are no tags are left out. An absent key is NotFound, or Forbidden where the
// credentials may not list the bucket (s3:ListBucket).
#pragma once

#include <memory>
#include <string>

#include "net/aws_client.h"
#include "policy/policy.h"
#include "store/origin.h"

namespace tintype {

// `aws` must outlive the origin. `region` is used where the rule names none.
std::unique_ptr<Origin> open_s3_origin(const OriginRule& rule, AwsClient& aws,
                                       const std::string& region);

}  // namespace tintype
