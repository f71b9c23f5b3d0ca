// SPDX-License-Identifier: Apache-2.0
#include "net/aws_credential_places.h"

#include <utility>

#include <arpa/inet.h>

#include "base/text.h"
#include "net/aws_credential_formats.h"
#include "net/url.h"

namespace tintype {
namespace {

// One round trip to a neighbour on the same machine; the waits of the AWS SDKs are as short. An
// instance endpoint that is not there answers nothing at all, and is asked last.
constexpr Milliseconds kContainerTimeout{2'000};
constexpr Milliseconds kInstanceTimeout{1'000};
constexpr std::int64_t kMaxAnswerBytes = 64'000;

std::string value_of(const AwsEnvironment& environment, const std::string& name) {
  return environment(name).value_or("");
}

AwsPlaceAnswer not_here(std::string reason) {
  return {{}, std::move(reason), {}};
}

AwsPlaceAnswer broken(ErrorCode code, std::string reason) {
  return {{}, std::move(reason), code};
}

OutgoingRequest request_of(std::string url, Milliseconds timeout) {
  OutgoingRequest request;
  request.url = std::move(url);
  request.max_body_bytes = kMaxAnswerBytes;
  request.allow_private_addresses = true;
  request.follow_redirects = false;
  request.timeout_ms = timeout;
  return request;
}

class EnvironmentPlace final : public AwsCredentialPlace {
 public:
  explicit EnvironmentPlace(AwsEnvironment environment) : environment_(std::move(environment)) {}
  std::string name() const override { return "environment"; }

  Task<AwsPlaceAnswer> ask() override {
    AwsCredentials found{value_of(environment_, "AWS_ACCESS_KEY_ID"),
                         value_of(environment_, "AWS_SECRET_ACCESS_KEY"),
                         value_of(environment_, "AWS_SESSION_TOKEN")};
    if (found.access_key_id.empty()) co_return not_here("AWS_ACCESS_KEY_ID is not set");
    if (found.secret_access_key.empty()) {
      co_return broken(ErrorCode::Forbidden,
                       "AWS_ACCESS_KEY_ID is set, but not AWS_SECRET_ACCESS_KEY");
    }
    co_return AwsPlaceAnswer{std::move(found), {}, {}};
  }

 private:
  AwsEnvironment environment_;
};

class ContainerPlace final : public AwsCredentialPlace {
 public:
  ContainerPlace(AwsEnvironment environment, HttpClient& http)
      : environment_(std::move(environment)), http_(http) {}
  std::string name() const override { return "container"; }

  Task<AwsPlaceAnswer> ask() override {
    std::string path = value_of(environment_, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    std::string url = value_of(environment_, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
    if (path.empty() && url.empty()) {
      co_return not_here("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and _FULL_URI are not set");
    }
    if (!path.empty()) url = "http://169.254.170.2" + path;
    if (!is_trusted_credential_url(url)) {
      co_return broken(ErrorCode::Forbidden,
                       "the container's URI is neither https nor an address of the container host");
    }
    auto token = authorization();
    if (!token) co_return broken(ErrorCode::Forbidden, token.error().message);
    OutgoingRequest request = request_of(url, kContainerTimeout);
    if (!token->empty()) request.headers = {{"Authorization", *token}};
    auto answer = co_await http_.send(std::move(request));
    if (!answer) co_return broken(answer.error().code, answer.error().message);
    if (answer->status != 200) {
      co_return broken(ErrorCode::OriginFailed, "status " + std::to_string(answer->status));
    }
    auto found = parse_aws_credentials_json(text_of(answer->body));
    if (!found) co_return broken(found.error().code, found.error().message);
    co_return AwsPlaceAnswer{std::move(*found), {}, {}};
  }

 private:
  // The file is read each time: EKS writes another token into it now and then.
  Result<std::string> authorization() const {
    std::string file = value_of(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if (file.empty()) return value_of(environment_, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
    TRY(std::string text, read_small_file(file));
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return text;
  }

  AwsEnvironment environment_;
  HttpClient& http_;
};

class ProfilePlace final : public AwsCredentialPlace {
 public:
  explicit ProfilePlace(AwsEnvironment environment) : environment_(std::move(environment)) {}
  std::string name() const override { return "profile"; }

  Task<AwsPlaceAnswer> ask() override {
    std::string profile = value_of(environment_, "AWS_PROFILE");
    std::string file = value_of(environment_, "AWS_SHARED_CREDENTIALS_FILE");
    // Whoever names a profile or a file wants that identity and no other.
    bool is_wanted = !profile.empty() || !file.empty();
    auto none = [is_wanted](std::string reason) {
      return is_wanted ? broken(ErrorCode::Forbidden, std::move(reason))
                       : not_here(std::move(reason));
    };
    std::string home = value_of(environment_, "HOME");
    if (file.empty() && home.empty()) co_return none("HOME is not set");
    if (file.empty()) file = home + "/.aws/credentials";
    if (profile.empty()) profile = "default";
    auto text = read_small_file(file);
    if (!text) co_return none(text.error().message);
    auto found = parse_aws_profile(*text, profile);
    if (!found) co_return broken(found.error().code, file + ": " + found.error().message);
    if (!*found) co_return none(file + " has no [" + profile + "]");
    co_return AwsPlaceAnswer{std::move(*found), {}, {}};
  }

 private:
  AwsEnvironment environment_;
};

// Instance metadata, version 2 only: version 1 gives the credentials to whoever can make a process
// on the instance fetch a URL.
class InstancePlace final : public AwsCredentialPlace {
 public:
  InstancePlace(AwsEnvironment environment, HttpClient& http)
      : environment_(std::move(environment)), http_(http) {}
  std::string name() const override { return "instance"; }

  Task<AwsPlaceAnswer> ask() override {
    if (lower(value_of(environment_, "AWS_EC2_METADATA_DISABLED")) == "true") {
      co_return not_here("AWS_EC2_METADATA_DISABLED is true");
    }
    std::string base = base_url();
    OutgoingRequest request = request_of(base + "/latest/api/token", kInstanceTimeout);
    request.method = "PUT";
    request.headers = {{"X-aws-ec2-metadata-token-ttl-seconds", "21600"}};
    auto token = co_await fetch(std::move(request));
    if (!token) co_return not_here(token.error().message);
    std::string path = base + "/latest/meta-data/iam/security-credentials/";
    auto roles = co_await fetch(with_token(path, *token));
    if (!roles) co_return not_here("no role: " + roles.error().message);
    std::string role(trim(roles->substr(0, roles->find_first_of("\r\n"))));
    if (role.empty()) co_return not_here("the instance has no role");
    auto text = co_await fetch(with_token(path + percent_encode(role), *token));
    if (!text) co_return broken(text.error().code, text.error().message);
    auto found = parse_aws_credentials_json(*text);
    if (!found) co_return broken(found.error().code, found.error().message);
    co_return AwsPlaceAnswer{std::move(*found), {}, {}};
  }

 private:
  std::string base_url() const {
    std::string base = value_of(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT");
    if (base.empty()) {
      auto mode = lower(value_of(environment_, "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"));
      base = mode == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
    }
    while (base.ends_with('/')) base.pop_back();
    return base;
  }

  static OutgoingRequest with_token(std::string url, const std::string& token) {
    OutgoingRequest request = request_of(std::move(url), kInstanceTimeout);
    request.headers = {{"X-aws-ec2-metadata-token", token}};
    return request;
  }

  Task<Result<std::string>> fetch(OutgoingRequest request) {
    std::string name = request.method + " " + request.url;
    CO_TRY(IncomingResponse answer, co_await http_.send(std::move(request)));
    if (answer.status != 200) {
      co_return fail_private(ErrorCode::OriginFailed,
                             name + ": status " + std::to_string(answer.status));
    }
    co_return std::string(text_of(answer.body));
  }

  AwsEnvironment environment_;
  HttpClient& http_;
};

}  // namespace

bool is_trusted_credential_url(const std::string& url) {
  UrlRules rules;
  rules.allow_any_port = true;
  auto parsed = check_url(url, rules);
  if (!parsed) return false;
  if (parsed->is_https) return true;
  std::string host = parsed->origin.substr(7, parsed->origin.rfind(':') - 7);  // after "http://"
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    bool is_loopback = ntohl(v4.s_addr) >> 24 == 127;
    return is_loopback || host == "169.254.170.2" || host == "169.254.170.23";
  }
  return host == "localhost" || host == "[::1]" || host == "[fd00:ec2::23]";
}

std::vector<std::unique_ptr<AwsCredentialPlace>> aws_credential_places(
    const AwsEnvironment& environment, HttpClient& http) {
  std::vector<std::unique_ptr<AwsCredentialPlace>> places;
  places.push_back(std::make_unique<EnvironmentPlace>(environment));
  places.push_back(std::make_unique<ContainerPlace>(environment, http));
  places.push_back(std::make_unique<ProfilePlace>(environment));
  places.push_back(std::make_unique<InstancePlace>(environment, http));
  return places;
}

}  // namespace tintype
