// SPDX-License-Identifier: Apache-2.0
#include "server/admin_api.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "server/problem.h"

namespace tintype {
namespace {

bool is_served(const AdminRoute& route, AdminApi::Port port) {
  return port == AdminApi::Port::Admin ? route.on_admin_port : route.on_image_port;
}

bool covers(const AdminRoute& route, std::string_view path) {
  if (!route.path.ends_with('/')) return path == route.path;
  return path.size() > route.path.size() && path.starts_with(route.path);
}

Answer answer_with(SharedEntry entry) {
  Answer answer;
  answer.entry = std::move(entry);
  // No cache was asked: no Cache-Status is said, and the server counts no outcome of a route.
  answer.outcome = Outcome::ClientError;
  return answer;
}

}  // namespace

std::string_view AdminRequest::query() const {
  std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view() : std::string_view(target).substr(mark + 1);
}

std::string_view AdminRequest::header(std::string_view name) const {
  auto it = std::ranges::find(headers, name, [](const auto& field) { return field.first; });
  return it == headers.end() ? std::string_view() : std::string_view(it->second);
}

std::size_t AdminRequest::count(std::string_view name) const {
  auto has_name = [name](const auto& field) { return field.first == name; };
  return static_cast<std::size_t>(std::ranges::count_if(headers, has_name));
}

void AdminApi::add(AdminRoute route) {
  CHECK(route.path.starts_with("/_/"));
  CHECK(route.method == "POST" || route.method == "GET");
  auto is_same = [&route](const AdminRoute& other) {
    return other.path == route.path && other.method == route.method;
  };
  CHECK(std::ranges::none_of(routes_, is_same));
  routes_.push_back(std::move(route));
}

const AdminRoute* AdminApi::find(std::string_view method, std::string_view target,
                                 Port port) const {
  if (!target.starts_with("/_/")) return nullptr;
  std::string_view path = target.substr(0, target.find('?'));
  if (method == "HEAD") method = "GET";
  for (const AdminRoute& route : routes_) {
    if (route.method == method && is_served(route, port) && covers(route, path)) return &route;
  }
  return nullptr;
}

std::string AdminApi::paths(Port port) const {
  std::vector<std::string> all;
  for (const AdminRoute& route : routes_) {
    if (!is_served(route, port)) continue;
    std::string path = route.path.ends_with('/') ? route.path + "…" : route.path;
    if (std::ranges::find(all, path) == all.end()) all.push_back(std::move(path));
  }
  std::string out;
  for (const std::string& path : all) out.append(out.empty() ? "" : ", ").append(path);
  return out;
}

Answer json_answer(int status, std::string_view json) {
  return answer_with(page_entry(status, "application/json", std::string(json) + "\n"));
}

Answer problem_answer(int status, std::string_view detail) {
  return answer_with(problem_entry(status, detail));
}

std::vector<std::pair<std::string, std::string>> fields_of(std::string_view head) {
  std::vector<std::pair<std::string, std::string>> fields;
  bool is_request_line = true;
  while (!head.empty()) {
    std::size_t end = head.find("\r\n");
    std::string_view line = head.substr(0, end);
    head.remove_prefix(end == std::string_view::npos ? head.size() : end + 2);
    std::size_t colon = line.find(':');
    // The empty line that may stand before a request is skipped with those that have no colon.
    if (line.empty()) continue;
    if (std::exchange(is_request_line, false) || colon == std::string_view::npos) continue;
    fields.emplace_back(lower(line.substr(0, colon)), std::string(trim(line.substr(colon + 1))));
  }
  return fields;
}

}  // namespace tintype
