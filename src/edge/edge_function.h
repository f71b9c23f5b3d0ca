// SPDX-License-Identifier: Apache-2.0
// The edge function: the JavaScript sources that are built into the binary, and the policy, as one
// file for CloudFront Functions (short) or for nginx (readable). The contract of the sources is
// edge/README.md. Pure; a build takes some milliseconds.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "edge/script.h"
#include "policy/policy.h"

namespace tintype {

// What CloudFront takes (its quota "maximum function size", 10 KB).
inline constexpr std::size_t kEdgeFunctionBytes = 10'240;

struct EdgeFunction {
  std::string text;
  std::vector<std::string> dialects;   // that it reads; native first
  std::vector<std::string> passed_on;  // that did not fit: left to the service
  bool has_secrets = false;            // keys of signatures
  // What the text is made of: "core and native", each other dialect, "policy". Parts share code, so
  // that they need not add up.
  std::vector<std::pair<std::string, std::size_t>> part_bytes;
};

// The dialects of a policy's mounts; native first, which every site speaks.
std::vector<std::string> dialects_of(const Policy& policy);

struct EdgeOrder {
  std::string version;  // of Tintype
  std::size_t limit_bytes = kEdgeFunctionBytes;
  bool has_policies_apart = false;  // sites are read from a key-value store (policy_import)
};

// For CloudFront: one line of comment, then the function, as short as it can be. While it is above
// the limit, the largest dialect is left out: its mounts are then passed on to the service as they
// are. May still be above the limit: check_size(). Fails with Internal when a mounted dialect has
// no parser at the edge.
Result<EdgeFunction> build_edge_function(const Policy& policy, const EdgeOrder& order);

// Fails with BadRequest when the text is above kEdgeFunctionBytes: names the parts and the ways
// out.
Result<> check_size(const EdgeFunction& function);

// For nginx: the same function unshortened, with its adapter and comments.
Result<std::string> readable_edge_function(const Policy& policy, const std::string& version);

// For Lambda@Edge, Node.js 20 or newer: one CommonJS file with exports.handler, unshortened, all
// mounted dialects in it.
Result<std::string> lambda_edge_function(const Policy& policy, const std::string& version);

// A file of edge/, by its path there ("targets/nginx.conf"). Requires: it exists.
std::string edge_file(std::string_view path);

// The policies for an import into a CloudFront KeyValueStore, {"data":[{"key":…,"value":…},…]}: a
// site under its name, "<number of values> <JSON>", cut into values of at most 1,024 bytes, the
// further ones under "<name>/1" and so on. Fails with BadRequest above the store's 5 MB.
Result<std::string> policy_import(const Policy& policy);

}  // namespace tintype
