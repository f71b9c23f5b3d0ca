// SPDX-License-Identifier: Apache-2.0
// Where AWS credentials come from. AwsCredentialChain asks, in this order, and stays with the first
// that answers: the environment (AWS_ACCESS_KEY_ID …), the container endpoint
// (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI), the shared profile
// (AWS_SHARED_CREDENTIALS_FILE, AWS_PROFILE), the instance (IMDSv2, unless
// AWS_EC2_METADATA_DISABLED). A place that is configured and fails ends the search, so that nobody
// gets another identity by mistake. Credentials that expire are fetched anew ahead of their end, in
// the background of a call; when that fails the old ones stay while they live. Thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/async.h"
#include "base/clock.h"
#include "base/result.h"
#include "net/http_client.h"

namespace tintype {

struct AwsCredentials {
  std::string access_key_id, secret_access_key;
  std::string session_token;              // empty: none
  std::int64_t expires_unix_seconds = 0;  // 0: never
};

class AwsCredentialSource {
 public:
  virtual ~AwsCredentialSource() = default;
  // Fails with Forbidden when there are none to be had, naming every place that was asked.
  virtual Task<Result<AwsCredentials>> credentials(Deadline deadline) = 0;
  // The service called these expired or unknown: ask for others before their time. At most once in
  // ten seconds this has an effect.
  virtual void reject(const AwsCredentials& refused) = 0;
};

// Fixed ones, for tests and for settings that name them.
class FixedAwsCredentials final : public AwsCredentialSource {
 public:
  explicit FixedAwsCredentials(AwsCredentials credentials) : credentials_(std::move(credentials)) {}
  Task<Result<AwsCredentials>> credentials(Deadline deadline) override;
  void reject(const AwsCredentials& refused) override;

 private:
  AwsCredentials credentials_;
};

// Looks an environment variable up; main/ passes the process', tests a map.
using AwsEnvironment = std::function<std::optional<std::string>(const std::string& name)>;

// `http` and `clock` must outlive it.
std::unique_ptr<AwsCredentialSource> open_aws_credential_chain(AwsEnvironment environment,
                                                               HttpClient& http,
                                                               const Clock& clock);

}  // namespace tintype
