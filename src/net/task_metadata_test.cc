// SPDX-License-Identifier: Apache-2.0
#include "net/task_metadata.h"

#include <map>

#include <gtest/gtest.h>

#include "net/http_client_fixture.h"

namespace tintype {
namespace {

// As in the ECS developer guide's example of a Fargate task, shortened.
constexpr char kTask[] = R"({
  "Cluster": "arn:aws:ecs:eu-central-1:111122223333:cluster/default",
  "TaskARN": "arn:aws:ecs:eu-central-1:111122223333:task/default/e9028f8d5d8e4f258373e7b93ce9a3c3",
  "Family": "tintype", "Revision": "3", "DesiredStatus": "RUNNING",
  "Limits": {"CPU": 2, "Memory": 4096}, "AvailabilityZone": "eu-central-1b",
  "LaunchType": "FARGATE", "Containers": []})";
constexpr char kContainer[] = R"({
  "DockerId": "cd189a933e5849daa93386466019ab50-2495160603", "DockerName": "tintype",
  "Image": "111122223333.dkr.ecr.eu-central-1.amazonaws.com/tintype:0.4",
  "ContainerARN": "arn:aws:ecs:eu-central-1:111122223333:container/05966557"})";

std::map<std::string, std::string> texts_of(const std::vector<SpanAttribute>& attributes) {
  std::map<std::string, std::string> texts;
  for (const auto& [key, value] : attributes) texts[key] = std::get<std::string>(value);
  return texts;
}

TEST(TaskMetadata, NamesTheTaskAndItsContainer) {
  EXPECT_EQ(
      texts_of(parse_task_metadata(kTask, kContainer)),
      (std::map<std::string, std::string>{
          {"cloud.provider", "aws"},
          {"cloud.platform", "aws_ecs"},
          {"cloud.region", "eu-central-1"},
          {"cloud.account.id", "111122223333"},
          {"cloud.availability_zone", "eu-central-1b"},
          {"cloud.resource_id", "arn:aws:ecs:eu-central-1:111122223333:container/05966557"},
          {"aws.ecs.task.arn",
           "arn:aws:ecs:eu-central-1:111122223333:task/default/"
           "e9028f8d5d8e4f258373e7b93ce9a3c3"},
          {"aws.ecs.cluster.arn", "arn:aws:ecs:eu-central-1:111122223333:cluster/default"},
          {"aws.ecs.task.family", "tintype"},
          {"aws.ecs.task.revision", "3"},
          {"aws.ecs.launchtype", "fargate"},
          {"aws.ecs.container.arn", "arn:aws:ecs:eu-central-1:111122223333:container/05966557"},
          {"container.id", "cd189a933e5849daa93386466019ab50-2495160603"},
          {"container.name", "tintype"},
          {"container.image.name",
           "111122223333.dkr.ecr.eu-central-1.amazonaws.com/tintype:0.4"}}));
}

TEST(TaskMetadata, AClusterMayComeByItsName) {
  auto texts = texts_of(parse_task_metadata(
      R"({"Cluster": "shop", "TaskARN": "arn:aws:ecs:eu-west-1:1234:task/shop/ab"})", ""));
  EXPECT_EQ(texts["aws.ecs.cluster.arn"], "arn:aws:ecs:eu-west-1:1234:cluster/shop");
}

TEST(TaskMetadata, NonsenseTellsNothing) {
  for (const char* bad : {"", "[]", "null", "{", "{\"TaskARN\": 7}", "{\"TaskARN\": \"\"}"}) {
    EXPECT_TRUE(parse_task_metadata(bad, bad).empty()) << bad;
  }
}

std::vector<SpanAttribute> read(const std::string& uri) {
  HttpClient http(quick(), kClock);
  std::vector<SpanAttribute> attributes;
  asio::io_context loop;
  auto work = [&]() -> Task<> {
    attributes =
        co_await read_task_metadata(http, uri, Deadline::after(kClock, Milliseconds(5'000)));
  };
  asio::co_spawn(loop, work, asio::detached);
  loop.run();
  return attributes;
}

TEST(TaskMetadata, AsksForTaskAndContainer) {
  ScriptedOrigin endpoint([](ScriptedOrigin::Connection& connection, const std::string& head) {
    bool of_task = head.starts_with("GET /v4/abc/task ");
    return connection.send(ScriptedOrigin::answer(200, of_task ? kTask : kContainer));
  });
  auto texts = texts_of(read(endpoint.url("/v4/abc")));
  EXPECT_EQ(texts["aws.ecs.task.family"], "tintype");
  EXPECT_EQ(texts["container.name"], "tintype");
}

TEST(TaskMetadata, AFailingEndpointIsNoFault) {
  ScriptedOrigin endpoint(always(ScriptedOrigin::answer(500, "")));
  EXPECT_TRUE(read(endpoint.url("/v4/abc")).empty());
  EXPECT_TRUE(read("http://127.0.0.1:1/v4/abc").empty());
}

}  // namespace
}  // namespace tintype
