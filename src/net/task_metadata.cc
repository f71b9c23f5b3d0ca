// SPDX-License-Identifier: Apache-2.0
#include "net/task_metadata.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "telemetry/log.h"

namespace tintype {
namespace {

using json = nlohmann::json;

constexpr std::int64_t kMaxAnswerBytes = 1'000'000;

std::string text_of(const json& object, const char* name) {
  if (!object.is_object()) return {};
  auto member = object.find(name);
  if (member == object.end() || !member->is_string()) return {};
  return member->get<std::string>();
}

// "arn:aws:ecs:eu-central-1:123456789012:task/shop/1a2b": the part between two colons.
std::string part_of(const std::string& arn, std::size_t index) {
  auto parts = split(arn, ':');
  return arn.starts_with("arn:") && index < parts.size() ? std::string(parts[index])
                                                         : std::string();
}

void add(std::vector<SpanAttribute>& to, std::string_view name, std::string text) {
  if (!text.empty()) to.emplace_back(name, std::move(text));
}

// Cluster is an ARN, or on older platforms a name, which then lies beside the task.
std::string cluster_arn(const std::string& cluster, const std::string& task_arn) {
  if (cluster.empty() || cluster.starts_with("arn:")) return cluster;
  std::size_t resource = task_arn.rfind(":task/");
  if (resource == std::string::npos) return {};
  return task_arn.substr(0, resource) + ":cluster/" + cluster;
}

void add_task(std::vector<SpanAttribute>& to, const json& task) {
  std::string arn = text_of(task, "TaskARN");
  if (arn.empty()) return;
  add(to, "cloud.provider", "aws");
  add(to, "cloud.platform", "aws_ecs");
  add(to, "cloud.region", part_of(arn, 3));
  add(to, "cloud.account.id", part_of(arn, 4));
  add(to, "cloud.availability_zone", text_of(task, "AvailabilityZone"));
  add(to, "aws.ecs.task.arn", arn);
  add(to, "aws.ecs.cluster.arn", cluster_arn(text_of(task, "Cluster"), arn));
  add(to, "aws.ecs.task.family", text_of(task, "Family"));
  add(to, "aws.ecs.task.revision", text_of(task, "Revision"));
  add(to, "aws.ecs.launchtype", lower(text_of(task, "LaunchType")));
}

void add_container(std::vector<SpanAttribute>& to, const json& container) {
  std::string arn = text_of(container, "ContainerARN");
  add(to, "cloud.resource_id", arn);
  add(to, "aws.ecs.container.arn", arn);
  add(to, "container.id", text_of(container, "DockerId"));
  add(to, "container.name", text_of(container, "DockerName"));
  add(to, "container.image.name", text_of(container, "Image"));
}

Task<std::string> ask(HttpClient& http, std::string url, Deadline deadline) {
  OutgoingRequest request;
  request.url = url;
  request.max_body_bytes = kMaxAnswerBytes;
  request.allow_private_addresses = true;  // 169.254.170.2
  request.deadline = deadline;
  auto response = co_await http.send(std::move(request));
  if (response && response->status == 200) {
    co_return std::string(response->body.begin(), response->body.end());
  }
  log(LogLevel::Info, "task-metadata-missing",
      {{"url", url},
       {"why",
        response ? "status " + std::to_string(response->status) : response.error().message}});
  co_return std::string();
}

}  // namespace

std::vector<SpanAttribute> parse_task_metadata(std::string_view task_json,
                                               std::string_view container_json) {
  std::vector<SpanAttribute> attributes;
  add_task(attributes, json::parse(task_json, nullptr, false));
  add_container(attributes, json::parse(container_json, nullptr, false));
  return attributes;
}

Task<std::vector<SpanAttribute>> read_task_metadata(HttpClient& http, std::string uri,
                                                    Deadline deadline) {
  std::string of_task = uri + "/task";
  std::string task = co_await ask(http, std::move(of_task), deadline);
  std::string container = co_await ask(http, std::move(uri), deadline);
  co_return parse_task_metadata(task, container);
}

}  // namespace tintype
