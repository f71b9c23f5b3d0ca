// SPDX-License-Identifier: Apache-2.0
// CloudFront: asks a distribution to forget paths (API 2020-05-31, CreateInvalidation). Within its
// quotas: of one distribution 3,000 files and 15 wildcards may be in progress; what is under way is
// counted, and further paths wait until CloudFront has finished some, for a bounded time. The
// caller's reference makes a repeated call the same invalidation. Thread-safe.
//
// There is no CloudFront to test against outside AWS: the XML, the path and the handling of its
// documented errors are held by tests on a scripted server.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/aws_client.h"

namespace tintype {

struct CloudFrontSettings {
  std::string distribution;  // "E2EXAMPLE"
  std::string endpoint = "https://cloudfront.amazonaws.com";
  // docs.aws.amazon.com, CloudFront quotas, "Invalidations".
  std::size_t max_files = 3'000, max_wildcards = 15;
  // Between looks whether an invalidation has finished; a wildcard's takes about a minute.
  Milliseconds poll_ms{5'000};
  // All waiting of one call together: then it fails with Busy.
  Milliseconds patience_ms{900'000};
};

class CloudFront {
 public:
  // `aws` and `clock` outlive it.
  CloudFront(CloudFrontSettings settings, AwsClient& aws, const Clock& clock);
  ~CloudFront();

  // Returns when CloudFront has taken all paths; it forgets them within a minute or two after. A
  // path is what the edge caches under: the canonical path, after the function's rewriting. A
  // wildcard stands only at the end. Fails with BadRequest for paths that are none, Forbidden
  // (naming the permission), NotFound (no such distribution), Busy (the quota stayed full),
  // OriginFailed, Timeout.
  Task<Result<>> invalidate(std::vector<std::string> paths, std::string reference);
  // Whether CloudFront is through with an invalidation.
  Task<Result<bool>> is_completed(std::string invalidation);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Paths as they are sent: '*' only at the end, what RFC 1738 calls unsafe encoded. A '~', which
// canonical paths keep, is sent in both spellings: the documentation asks for %7E.
// Fails with BadRequest.
Result<std::vector<std::string>> invalidation_paths(const std::vector<std::string>& paths);
// The body of CreateInvalidation.
std::string invalidation_xml(const std::vector<std::string>& paths, std::string_view reference);

}  // namespace tintype
