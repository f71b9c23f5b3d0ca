// SPDX-License-Identifier: Apache-2.0
// `tintype edge build`: the settings' policies as an edge function for CloudFront, or as a whole
// edge on nginx. Returns exit codes as commands.h says: 2 when the settings or the flags do not do,
// also when the function is too large.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace tintype {

struct EdgeArguments {
  std::string version;
  std::string config = "tintype.yaml", target = "cloudfront", out, kvs;
  std::vector<std::string> sites, mounts;
  bool as_json = false, has_no_limit = false;
  // For nginx.
  std::string listen = "127.0.0.1:8090", service = "http://127.0.0.1:8080", store;
  std::string cache_size = "10g", secret_file;
  std::string js_module = "/usr/lib/nginx/modules/ngx_http_js_module.so";
};

// Adds the command and its options; `code` must outlive the parsing.
void add_edge_command(CLI::App& app, const std::string& version, int& code);
int run_edge_build(const EdgeArguments& arguments);

}  // namespace tintype
