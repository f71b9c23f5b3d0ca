// SPDX-License-Identifier: Apache-2.0
// A self-hosted edge: the folder that nginx is started on, with the same function as CloudFront, a
// cache with request collapsing, and the failover from the store of variants to the service.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "policy/policy.h"

namespace tintype {

struct NginxOrder {
  std::string version;                    // of Tintype
  std::string folder;                     // absolute; nginx is started with it as its prefix
  std::string listen = "127.0.0.1:8090";  // as nginx writes it
  std::string service = "http://127.0.0.1:8080";
  std::string store;               // "http://host:port/bucket", path style; empty: none
  std::string cache_size = "10g";  // as nginx writes it
  std::string secret;              // for X-Origin-Verify; empty: none
  std::string js_module = "/usr/lib/nginx/modules/ngx_http_js_module.so";
  // Of the worker processes when nginx is started by root, "user group"; empty: no such line.
  std::string user;
};

struct EdgeFile {
  std::string name, text;
  bool is_secret = false;  // for its owner's eyes only
};

// edge.js, nginx.conf, README.md and, with a secret, secret.conf. Fails with BadRequest on what
// cannot stand in nginx's settings: URLs with a user or a query, a path of the service, a folder
// that is too long for its socket.
Result<std::vector<EdgeFile>> nginx_edge(const Policy& policy, const NginxOrder& order);

}  // namespace tintype
