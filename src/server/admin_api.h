// SPDX-License-Identifier: Apache-2.0
// AdminApi: the table of what may be done to the service by request, beside pictures: purges, hooks
// of the DAM. A route is a method, a path and a task that answers; it is served on the admin port,
// the image port or both. Only routes may have bodies: of known length and bounded, chunked ones
// are refused. Who may ask is the route's own affair (a bearer token, an HMAC over the raw body),
// and so is what its request means; the server only delivers it whole.
//
// Filled before the server starts, then only read: thread-safe.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/async.h"
#include "delivery/answer.h"

namespace tintype {

// One request to a route. Owns everything, so that a task may keep it.
struct AdminRequest {
  std::string method;  // "POST", "GET"
  std::string target;  // origin-form, as received
  // In the order received; names in lower case, values trimmed.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;    // raw bytes, as received
  std::string client;  // its address, "192.0.2.1"

  // Without the query.
  std::string_view path() const { return std::string_view(target).substr(0, target.find('?')); }
  // Behind the '?'; empty: none.
  std::string_view query() const;
  // The first value of a header, or empty. `name` in lower case.
  std::string_view header(std::string_view name) const;
  // How often a header stands there: what must be single is to be refused when it is not.
  std::size_t count(std::string_view name) const;
};

struct AdminRoute {
  std::string method;  // "POST" or "GET"; a GET route answers HEAD too and has no body
  // "/_/purge": this path alone. "/_/purge/", with a slash at its end: every path below it.
  std::string path;
  bool on_admin_port = true;
  bool on_image_port = false;  // also when edge_only is set: the route judges its callers itself
  std::size_t max_body_bytes = 1'000'000;  // 413 above it
  // Runs on the loop that took the request; must not block it.
  std::function<Task<Answer>(AdminRequest)> answer;
};

class AdminApi {
 public:
  enum class Port : std::uint8_t { Image, Admin };

  // Requires: the path begins with "/_/", the method is POST or GET, and no route is there twice.
  void add(AdminRoute route);
  // Null when nobody answers. `target` may have a query. HEAD finds GET routes.
  const AdminRoute* find(std::string_view method, std::string_view target, Port port) const;
  // "/_/purge, /_/purge/…": what the port offers, for its 404.
  std::string paths(Port port) const;

 private:
  std::vector<AdminRoute> routes_;
};

// An answer of a route: JSON, or a problem document for the people who asked.
Answer json_answer(int status, std::string_view json);
Answer problem_answer(int status, std::string_view detail);

// The fields of a head that the parser has accepted, in their order: names in lower case.
std::vector<std::pair<std::string, std::string>> fields_of(std::string_view head);

}  // namespace tintype
