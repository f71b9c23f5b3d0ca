// SPDX-License-Identifier: Apache-2.0
// The places that AWS credentials are had from: environment, container endpoint, shared profile,
// instance metadata. Each says for itself whether it has any; the chain (aws_credentials.h) decides
// the order and remembers. Nothing is kept here; a place may be asked from any loop.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/aws_credentials.h"
#include "net/http_client.h"

namespace tintype {

struct AwsPlaceAnswer {
  std::optional<AwsCredentials> credentials;
  std::string reason;              // why there are none
  std::optional<ErrorCode> fault;  // there should be some here: ask nobody else
};

class AwsCredentialPlace {
 public:
  virtual ~AwsCredentialPlace() = default;
  virtual std::string name() const = 0;
  virtual Task<AwsPlaceAnswer> ask() = 0;
};

// In the order of asking. `http` must outlive them.
std::vector<std::unique_ptr<AwsCredentialPlace>> aws_credential_places(
    const AwsEnvironment& environment, HttpClient& http);

// Whether a container's credentials may be asked for there: https, or http to this host or to the
// link-local addresses of ECS and EKS. Everybody on the way could read them otherwise.
bool is_trusted_credential_url(const std::string& url);

}  // namespace tintype
