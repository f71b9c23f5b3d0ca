// SPDX-License-Identifier: Apache-2.0
#include "net/aws_credentials.h"

#include <atomic>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/text.h"
#include "net/aws_credential_places.h"
#include "net/http_client_fixture.h"

namespace tintype {
namespace {

using Got = Result<AwsCredentials>;

AwsEnvironment environment_of(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

// A container endpoint that hands out A1, A2, … and may be told to fail.
class Endpoint {
 public:
  explicit Endpoint(const ManualClock& clock) : clock_(clock) {}

  std::string url() const { return origin_.url("/creds?id=1"); }
  std::vector<ScriptedOrigin::Request> requests() const { return origin_.requests(); }
  void fail_with(int status) { status_ = status; }  // 0: close; 200: work again
  void answer_for(Seconds life) { life_ = life; }
  void wait_first(milliseconds duration) { delay_ = duration; }

 private:
  bool answer(Connection& connection) {
    if (!connection.wait(delay_)) return false;
    if (status_ == 0) return false;
    if (status_ != 200) return connection.send(ScriptedOrigin::answer(status_, "hush"));
    std::string number = std::to_string(++given_);
    auto end = iso_date(clock_.unix_seconds() + life_.load().count());
    return connection.send(ScriptedOrigin::answer(
        200, R"({"AccessKeyId":"A)" + number + R"(","SecretAccessKey":"S","Token":"T)" + number +
                 R"(","Expiration":")" + end + R"("})"));
  }

  const ManualClock& clock_;
  std::atomic<int> status_{200}, given_{0};
  std::atomic<Seconds> life_{Seconds(3'600)};
  std::atomic<milliseconds> delay_{milliseconds(0)};
  ScriptedOrigin origin_{[this](Connection& connection, const ScriptedOrigin::Request&) {
    return answer(connection);
  }};
};

class AwsCredentialChain : public testing::Test {
 protected:
  using Source = std::unique_ptr<AwsCredentialSource>;

  Source open(std::map<std::string, std::string> values) {
    values.try_emplace("AWS_EC2_METADATA_DISABLED", "true");
    return open_aws_credential_chain(environment_of(std::move(values)), http_, clock_);
  }
  Source open_container() {
    return open({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint_.url()}});
  }
  static Got ask(const Source& source, Deadline deadline = {}) {
    return run_to_end(source->credentials(deadline));
  }
  static std::string key_of(const Got& got) {
    return got ? got->access_key_id : std::string(name_of(got.error().code));
  }
  std::string file_with(const std::string& text) {
    std::string path = testing::TempDir() + "tintype-aws-" + std::to_string(getpid()) + "-" +
                       std::to_string(files_.size());
    std::ofstream(path) << text;
    files_.push_back(path);
    return path;
  }
  void TearDown() override {
    for (const std::string& path : files_) std::remove(path.c_str());
  }

  ManualClock clock_;
  HttpClient http_{quick(), kClock};
  Endpoint endpoint_{clock_};
  std::vector<std::string> files_;
};

// ---- which place

TEST_F(AwsCredentialChain, TheEnvironmentComesFirst) {
  auto source = open({{"AWS_ACCESS_KEY_ID", "E"},
                      {"AWS_SECRET_ACCESS_KEY", "S"},
                      {"AWS_SESSION_TOKEN", "T"},
                      {"AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint_.url()}});
  auto got = ask(source);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "E");
  EXPECT_EQ(got->secret_access_key, "S");
  EXPECT_EQ(got->session_token, "T");
  clock_.advance(std::chrono::hours(1'000));
  EXPECT_EQ(key_of(ask(source)), "E");
  EXPECT_TRUE(endpoint_.requests().empty());
}

TEST_F(AwsCredentialChain, HalfAnEnvironmentIsAMistakeAndNotPassedOver) {
  auto got = ask(
      open({{"AWS_ACCESS_KEY_ID", "E"}, {"AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint_.url()}}));
  EXPECT_EQ(key_of(got), "forbidden");
  EXPECT_TRUE(endpoint_.requests().empty());
}

TEST_F(AwsCredentialChain, NamesEveryPlaceThatHasNone) {
  auto got = ask(open({{"HOME", "/nowhere"}}));
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, ErrorCode::Forbidden);
  for (const char* place : {"environment: ", "container: ", "profile: ", "instance: "}) {
    EXPECT_NE(got.error().message.find(place), std::string::npos) << got.error().message;
  }
}

TEST_F(AwsCredentialChain, AProfileIsReadFromItsFile) {
  std::string file = file_with(
      "[default]\naws_access_key_id = D\naws_secret_access_key = S\n"
      "[staging]\naws_access_key_id = P\naws_secret_access_key = S\naws_session_token = T\n");
  EXPECT_EQ(key_of(ask(open({{"AWS_SHARED_CREDENTIALS_FILE", file}}))), "D");
  auto got = ask(open({{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_PROFILE", "staging"}}));
  EXPECT_EQ(key_of(got), "P");
  EXPECT_EQ(got->session_token, "T");
  auto gone = ask(open({{"AWS_SHARED_CREDENTIALS_FILE", file}, {"AWS_PROFILE", "prod"}}));
  EXPECT_EQ(key_of(gone), "forbidden");
}

TEST_F(AwsCredentialChain, ANamedProfileThatIsMissingDoesNotBecomeTheInstancesRole) {
  ScriptedOrigin metadata(always(ScriptedOrigin::answer(200, "x")));
  auto got = ask(open({{"AWS_PROFILE", "prod"},
                       {"HOME", "/nowhere"},
                       {"AWS_EC2_METADATA_DISABLED", "false"},
                       {"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url("")}}));
  EXPECT_EQ(key_of(got), "forbidden");
  EXPECT_EQ(metadata.connections(), 0);
}

// ---- the container endpoint

TEST_F(AwsCredentialChain, TheContainerGetsItsTokenWhichIsReadEachTime) {
  std::string file = file_with("first\n");
  auto source = open({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint_.url()},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "unused"},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", file}});
  auto got = ask(source);
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "A1");
  EXPECT_EQ(got->session_token, "T1");
  EXPECT_EQ(got->expires_unix_seconds, clock_.unix_seconds() + 3'600);
  std::ofstream(file) << "second";
  clock_.advance(std::chrono::hours(2));
  EXPECT_EQ(key_of(ask(source)), "A2");
  auto seen = endpoint_.requests();
  ASSERT_EQ(seen.size(), 2u);
  EXPECT_EQ(seen[0].target, "/creds?id=1");
  EXPECT_EQ(seen[0].header("authorization"), "first");
  EXPECT_EQ(seen[1].header("authorization"), "second");
}

TEST_F(AwsCredentialChain, ATokenInTheEnvironmentIsSentToo) {
  auto source = open({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint_.url()},
                      {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "Basic x"}});
  EXPECT_EQ(key_of(ask(source)), "A1");
  EXPECT_EQ(endpoint_.requests().at(0).header("authorization"), "Basic x");
  EXPECT_EQ(key_of(ask(open_container())), "A2");
  EXPECT_EQ(endpoint_.requests().at(1).header("authorization"), "");
}

TEST_F(AwsCredentialChain, AContainerThatFailsIsNotPassedOver) {
  std::string file = file_with("[default]\naws_access_key_id = D\naws_secret_access_key = S\n");
  for (int status : {0, 302, 403, 500}) {
    endpoint_.fail_with(status);
    auto got = ask(open({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", endpoint_.url()},
                         {"AWS_SHARED_CREDENTIALS_FILE", file}}));
    EXPECT_EQ(key_of(got), "origin-failed") << status;
    EXPECT_EQ(got.error().message.find("hush"), std::string::npos);
  }
}

TEST(AwsCredentialUrl, MayBeHttpsOrAnAddressOfThisHostOnly) {
  for (const char* url :
       {"https://creds.example/x", "http://127.0.0.1:8080/x", "http://127.9.9.9/", "http://[::1]/",
        "http://localhost:80/x", "http://169.254.170.2/v2/credentials/1", "http://169.254.170.23/",
        "http://[fd00:ec2::23]/v1/credentials"}) {
    EXPECT_TRUE(is_trusted_credential_url(url)) << url;
  }
  for (const char* url :
       {"http://creds.example/x", "http://169.254.169.254/", "http://10.0.0.1/",
        "http://127.0.0.1.example/", "http://169.254.170.2.example/", "http://169.254.170.2@evil/",
        "http://[::2]/", "ftp://127.0.0.1/", "127.0.0.1", ""}) {
    EXPECT_FALSE(is_trusted_credential_url(url)) << url;
  }
}

TEST_F(AwsCredentialChain, AnUntrustedContainerUriIsRefusedAndSaysWhy) {
  auto got = ask(open({{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://creds.example/x"}}));
  EXPECT_EQ(key_of(got), "forbidden");
  EXPECT_NE(got.error().message.find("neither https"), std::string::npos);
  // What follows the address must not become part of the host.
  auto relative = ask(open({{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", ".evil.example/x"}}));
  EXPECT_EQ(key_of(relative), "forbidden");
}

// ---- the instance

std::map<std::string, std::string> instance_at(const ScriptedOrigin& metadata) {
  return {{"HOME", "/nowhere"},
          {"AWS_EC2_METADATA_DISABLED", "false"},
          {"AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url("/")}};
}

TEST_F(AwsCredentialChain, TheInstanceIsAskedWithASessionToken) {
  ScriptedOrigin metadata([](Connection& connection, const ScriptedOrigin::Request& request) {
    if (request.target == "/latest/api/token" && request.method == "PUT") {
      return connection.send(ScriptedOrigin::answer(200, "session=="));
    }
    if (request.header("x-aws-ec2-metadata-token") != "session==") {
      return connection.send(ScriptedOrigin::answer(401, ""));
    }
    if (request.target == "/latest/meta-data/iam/security-credentials/") {
      return connection.send(ScriptedOrigin::answer(200, "img-role\n"));
    }
    if (request.target != "/latest/meta-data/iam/security-credentials/img-role") {
      return connection.send(ScriptedOrigin::answer(404, ""));
    }
    return connection.send(ScriptedOrigin::answer(
        200, R"({"AccessKeyId":"I","SecretAccessKey":"S","Token":"T","Code":"Success"})"));
  });
  auto got = ask(open(instance_at(metadata)));
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(got->access_key_id, "I");
  auto first = metadata.requests().at(0);
  EXPECT_EQ(first.header("x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(first.header("content-length"), "0");
}

TEST_F(AwsCredentialChain, AnInstanceWithoutARoleOrWithoutMetadataHasNone) {
  ScriptedOrigin without_role([](Connection& connection, const ScriptedOrigin::Request& request) {
    bool is_token = request.method == "PUT";
    return connection.send(ScriptedOrigin::answer(is_token ? 200 : 404, "x"));
  });
  auto got = ask(open(instance_at(without_role)));
  EXPECT_EQ(key_of(got), "forbidden");
  EXPECT_NE(got.error().message.find("no role"), std::string::npos) << got.error().message;
  ScriptedOrigin closed([](Connection&, const ScriptedOrigin::Request&) { return false; });
  EXPECT_EQ(key_of(ask(open(instance_at(closed)))), "forbidden");
}

// ---- renewal

TEST_F(AwsCredentialChain, CredentialsAreRenewedAheadOfTheirEndBehindACall) {
  auto source = open_container();
  EXPECT_EQ(key_of(ask(source)), "A1");
  clock_.advance(Seconds(3'299));
  EXPECT_EQ(key_of(ask(source)), "A1");
  EXPECT_EQ(endpoint_.requests().size(), 1u);
  clock_.advance(Seconds(1));
  EXPECT_EQ(key_of(ask(source)), "A1") << "nobody waits for the renewal";
  EXPECT_EQ(endpoint_.requests().size(), 2u);
  EXPECT_EQ(key_of(ask(source)), "A2");
  EXPECT_EQ(endpoint_.requests().size(), 2u);
}

TEST_F(AwsCredentialChain, OldOnesStayWhileTheyLiveAndFailuresAreSpacedOut) {
  auto source = open_container();
  EXPECT_EQ(key_of(ask(source)), "A1");
  clock_.advance(Seconds(3'301));
  endpoint_.fail_with(500);
  std::size_t asked = endpoint_.requests().size();
  for (int i = 0; i < 290; ++i) {
    ASSERT_EQ(key_of(ask(source)), "A1") << i;
    clock_.advance(Seconds(1));
  }
  asked = endpoint_.requests().size() - asked;
  EXPECT_GE(asked, 7u) << "1, 2, 4, … 60 seconds apart";
  EXPECT_LE(asked, 11u);
  clock_.advance(Seconds(70));
  EXPECT_EQ(key_of(ask(source)), "origin-failed") << "they are dead by now";
  asked = endpoint_.requests().size();
  EXPECT_EQ(key_of(ask(source)), "origin-failed");
  EXPECT_EQ(endpoint_.requests().size(), asked) << "the answer of a moment ago";
  endpoint_.fail_with(200);
  clock_.advance(Seconds(6));
  EXPECT_EQ(key_of(ask(source)), "A2");
}

TEST_F(AwsCredentialChain, OneFetchServesEverybody) {
  endpoint_.wait_first(milliseconds(50));
  auto source = open_container();
  asio::io_context loop;
  int got = 0;
  for (int i = 0; i < 20; ++i) {
    auto body = [&]() -> Task<> {
      auto credentials = co_await source->credentials({});
      got += credentials && credentials->access_key_id == "A1";
    };
    asio::co_spawn(loop, body, asio::detached);
  }
  loop.run();
  EXPECT_EQ(got, 20);
  EXPECT_EQ(endpoint_.requests().size(), 1u);
}

TEST_F(AwsCredentialChain, NobodyWaitsLongerThanTheirDeadline) {
  endpoint_.wait_first(milliseconds(250));
  auto source = open_container();
  asio::io_context loop;
  std::string hasty, patient;
  auto hurry = [&]() -> Task<> {
    Deadline soon = Deadline::after(clock_, Milliseconds(20));
    hasty = key_of(co_await source->credentials(soon));
    EXPECT_EQ(patient, "");
  };
  auto wait = [&]() -> Task<> { patient = key_of(co_await source->credentials({})); };
  asio::co_spawn(loop, wait, asio::detached);
  asio::co_spawn(loop, hurry, asio::detached);
  loop.run();
  EXPECT_EQ(hasty, "timeout");
  EXPECT_EQ(patient, "A1");
}

TEST_F(AwsCredentialChain, CredentialsThatComeExpiredAreUsedAllTheSame) {
  endpoint_.answer_for(Seconds(-100));
  auto source = open_container();
  EXPECT_EQ(key_of(ask(source)), "A1");
  EXPECT_EQ(key_of(ask(source)), "A1");
  EXPECT_EQ(endpoint_.requests().size(), 1u);
  clock_.advance(Seconds(30));
  EXPECT_EQ(key_of(ask(source)), "A1");
  EXPECT_EQ(key_of(ask(source)), "A2");
}

// ---- refusal

TEST_F(AwsCredentialChain, RefusedOnesAreReplacedAtOnceButNotOften) {
  auto source = open_container();
  auto first = ask(source);
  source->reject(*first);
  auto second = ask(source);
  EXPECT_EQ(key_of(second), "A2");
  source->reject(*first);
  EXPECT_EQ(key_of(ask(source)), "A2") << "those are gone already";
  source->reject(*second);
  EXPECT_EQ(key_of(ask(source)), "A2") << "too soon";
  clock_.advance(Seconds(10));
  source->reject(*second);
  EXPECT_EQ(key_of(ask(source)), "A3");
}

TEST_F(AwsCredentialChain, RefusedOnesAreBetterThanNone) {
  auto source = open_container();
  auto first = ask(source);
  endpoint_.fail_with(500);
  source->reject(*first);
  EXPECT_EQ(key_of(ask(source)), "A1");
}

TEST(FixedAwsCredentials, AreWhatTheyAre) {
  FixedAwsCredentials fixed({"F", "S"});
  fixed.reject({"F", "S"});
  auto got = run_to_end(fixed.credentials({}));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->access_key_id, "F");
}

}  // namespace
}  // namespace tintype
