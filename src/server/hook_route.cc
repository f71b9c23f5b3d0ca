// SPDX-License-Identifier: Apache-2.0
#include "server/hook_route.h"

#include <string>
#include <string_view>
#include <utility>

namespace tintype {
namespace {

constexpr std::string_view kPath = "/_/hooks/asset/";
// A DAM's event is a few kilobytes; Amazon SNS allows 256 kB.
constexpr std::size_t kMaxBodyBytes = 1'000'000;

// Behind the path: "<site>/<name>". Both are tokens, so nothing in them is encoded.
HookCall call_of(AdminRequest request) {
  HookCall call;
  std::string_view rest = request.path().substr(kPath.size());
  std::size_t slash = rest.find('/');
  call.site = rest.substr(0, slash);
  if (slash != std::string_view::npos) call.name = rest.substr(slash + 1);
  for (const auto& [name, value] : request.headers) call.headers.take(name, value);
  call.client = std::move(request.client);
  call.body = std::move(request.body);
  return call;
}

Task<Answer> answer_hook(HookDesk& desk, HookCall call) {
  HookAnswer answer = co_await desk.take(std::move(call));
  co_return answer.status < 300 ? json_answer(answer.status, answer.json)
                                : problem_answer(answer.status, answer.problem);
}

}  // namespace

AdminRoute hook_route(HookDesk& desk) {
  AdminRoute route;
  route.method = "POST";
  route.path = kPath;
  route.on_image_port = true;
  route.max_body_bytes = kMaxBodyBytes;
  route.answer = [&desk](AdminRequest request) {
    return answer_hook(desk, call_of(std::move(request)));
  };
  return route;
}

}  // namespace tintype
