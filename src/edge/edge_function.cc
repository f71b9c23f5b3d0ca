// SPDX-License-Identifier: Apache-2.0
#include "edge/edge_function.h"

#include <algorithm>
#include <string_view>

#include "base/check.h"
#include "base/json.h"
#include "edge/edge_config.h"
#include "edge/minify.h"
#include "edge/script_items.h"

namespace tintype {
namespace embedded {
std::vector<std::pair<std::string_view, std::string_view>> edge_files();
}

namespace {

// CloudFront's quotas of a KeyValueStore: a value, a whole store.
constexpr std::size_t kStoreValueBytes = 1'024;
constexpr std::size_t kStoreBytes = 5'000'000;

// Of edge/handler.js: leaves a request to the service.
constexpr std::string_view kPassOn = "passedOn";

std::string parser_of(std::string_view dialect) {
  std::string name = "parse" + std::string(dialect);
  name[5] = static_cast<char>(name[5] - 'a' + 'A');
  return name;
}

}  // namespace

std::vector<std::string> dialects_of(const Policy& policy) {
  std::vector<std::string> names{"native"};
  for (std::string_view name : dialect_names()) {
    bool is_mounted = std::any_of(policy.mounts.begin(), policy.mounts.end(), [&](const Mount& m) {
      return name_of(m.dialect) == name && is_for_edge(policy, m);
    });
    if (is_mounted && name != "native") names.emplace_back(name);
  }
  return names;
}

namespace {

// The core and all dialects: what is not needed is dropped later.
std::vector<ScriptFile> sources() {
  std::vector<ScriptFile> out;
  for (const auto& [name, text] : embedded::edge_files()) {
    if (!name.starts_with("targets/")) out.push_back({std::string(name), std::string(text)});
  }
  return out;
}

Result<> check_parsers(const std::vector<ScriptFile>& files,
                       const std::vector<std::string>& dialects) {
  for (const std::string& dialect : dialects) {
    std::string head = "function " + parser_of(dialect) + "(";
    bool is_there = std::any_of(files.begin(), files.end(), [&](const ScriptFile& file) {
      return file.text.find(head) != std::string::npos;
    });
    if (!is_there) {
      return fail_public(ErrorCode::Internal,
                         "the dialect " + dialect + " has no parser at the edge");
    }
  }
  return {};
}

// What only some policies need: edge/handler.js says which function does what.
struct Parts {
  bool allows = false, leaves = false, redirects = false, signs = false, snaps = false;
  bool reads = false, passes = false;  // a mount each
};

Parts parts_of(const Policy& policy, const std::vector<std::string>& dialects) {
  Parts out;
  for (const Mount& mount : policy.mounts) {
    (is_read(policy, mount, dialects) ? out.reads : out.passes) = true;
  }
  for (const auto& [name, site] : policy.sites) {
    if (site.verify_at_service) {
      out.leaves = true;
      continue;
    }
    out.allows |= site.allowed_options.has_value();
    out.redirects |= site.redirects;
    out.signs |= !site.signing_keys.empty();
    out.snaps |= site.snap_widths;
  }
  return out;
}

// `entries` as "{a: b, …}".
std::string table(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string out;
  for (const auto& [key, value] : entries) {
    out.append(out.empty() ? "" : ", ").append(key).append(": ").append(value);
  }
  return "{" + out + "}";
}

// The three constants that the builder gives.
ScriptFile settings_file(const std::string& config, const std::vector<std::string>& dialects,
                         const Parts& parts) {
  std::vector<std::pair<std::string, std::string>> parsers, functions;
  for (const std::string& dialect : dialects) parsers.emplace_back(dialect, parser_of(dialect));
  if (parts.allows) functions.emplace_back("allow", "checkAllowed");
  if (parts.leaves) functions.emplace_back("leave", "leaveToService");
  if (parts.reads || parts.passes) {
    functions.emplace_back("mounting", parts.reads ? "parseMounted" : "passMounted");
  }
  if (parts.reads && parts.passes) functions.emplace_back("pass", std::string(kPassOn));
  if (parts.redirects) functions.emplace_back("redirect", "redirection");
  if (parts.signs) functions.emplace_back("sign", "checkSignature");
  if (parts.snaps) functions.emplace_back("snap", "snapToLadder");
  return {"policy", "const CONFIG = " + config + ";\nconst DIALECTS = " + table(parsers) +
                        ";\nconst PARTS = " + table(functions) + ";\n"};
}

// The handler that reads the site's policy first; the core's own handler answers then.
void keep_policies_apart(std::vector<ScriptFile>& files) {
  constexpr std::string_view kHandler = "function handler(";
  for (ScriptFile& file : files) {
    std::size_t at = file.text.find(kHandler);
    if (at != std::string::npos) file.text.replace(at, kHandler.size(), "function handleNow(");
  }
  files.push_back({"kvs.js", edge_file("targets/kvs.js")});
}

Result<std::size_t> policy_bytes(const std::string& config) {
  const ScriptFile files[] = {{"policy", "const CONFIG = " + config + ";"}};
  const std::string roots[] = {"CONFIG"};
  TRY(std::string text, minify(files, roots));
  return text.size();
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

std::string head_line(const Policy& policy, const std::string& version,
                      const std::vector<std::string>& dialects) {
  return "// Tintype " + version + " edge function, policy " + std::to_string(policy.revision) +
         ", dialects " + joined(dialects) + "\n";
}

bool has_function(const std::vector<ScriptFile>& files, std::string_view name) {
  std::string head = "function " + std::string(name) + "(";
  return std::any_of(files.begin(), files.end(), [&](const ScriptFile& file) {
    return file.text.find(head) != std::string::npos;
  });
}

// Puts functions together from the sources, with all dialects of the policy or fewer.
class Assembly {
 public:
  Assembly(const Policy& policy, const EdgeOrder& order)
      : policy_(policy), order_(order), files_(sources()), mounted_(dialects_of(policy)) {
    if (order.has_policies_apart) keep_policies_apart(files_);
  }

  const std::vector<std::string>& mounted() const { return mounted_; }
  Result<> check() const { return check_parsers(files_, mounted_); }
  bool can_pass_on() const { return has_function(files_, kPassOn); }

  Result<std::string> text(const std::vector<std::string>& dialects) const {
    TRY(std::string out, shortened(config(dialects), dialects));
    std::string import = order_.has_policies_apart ? "import cf from 'cloudfront';" : "";
    return head_line(policy_, order_.version, dialects) + import + out + "\n";
  }

  // Each dialect's own part is what it adds to the native function.
  Result<std::vector<std::pair<std::string, std::size_t>>> parts() const {
    constexpr const char* kNoPolicy = "{sites: {}, mounts: []}";
    std::vector<std::pair<std::string, std::size_t>> out;
    TRY(std::string base, shortened(kNoPolicy, {"native"}));
    out.emplace_back("core and native", base.size());
    for (const std::string& dialect : mounted_) {
      if (dialect == "native") continue;
      TRY(std::string with, shortened(kNoPolicy, {"native", dialect}));
      out.emplace_back(dialect, with.size() - base.size());
    }
    TRY(std::size_t policy, policy_bytes(config(mounted_)));
    out.emplace_back("policy", policy);
    return out;
  }

 private:
  std::string config(const std::vector<std::string>& dialects) const {
    if (!order_.has_policies_apart) return edge_config(policy_, dialects);
    return "{sites: {}, mounts: " + mounts_config(policy_, dialects) + "}";
  }

  Result<std::string> shortened(const std::string& config,
                                const std::vector<std::string>& dialects) const {
    const Parts parts = parts_of(policy_, dialects);
    std::vector<ScriptFile> files = files_;
    files.push_back(settings_file(config, dialects, parts));
    const std::string roots[] = {"handler"};
    return minify(files, roots);
  }

  const Policy& policy_;
  const EdgeOrder& order_;
  std::vector<ScriptFile> files_;
  std::vector<std::string> mounted_;
};

// The dialect that is the largest part and not native; none: native is all there is.
std::vector<std::string>::iterator largest(std::vector<std::string>& dialects,
                                           const EdgeFunction& function) {
  auto bytes = [&](const std::string& dialect) {
    for (const auto& [name, size] : function.part_bytes) {
      if (name == dialect) return size;
    }
    return std::size_t{0};
  };
  auto at = std::max_element(
      dialects.begin(), dialects.end(),
      [&](const std::string& a, const std::string& b) { return bytes(a) < bytes(b); });
  return *at == "native" ? dialects.end() : at;
}

}  // namespace

std::string edge_file(std::string_view path) {
  for (const auto& [name, text] : embedded::edge_files()) {
    if (name == path) return std::string(text);
  }
  CHECK(!"a file that is not in edge/");
  return {};
}

Result<EdgeFunction> build_edge_function(const Policy& policy, const EdgeOrder& order) {
  const Assembly assembly(policy, order);
  TRY(assembly.check());
  EdgeFunction out{.dialects = assembly.mounted()};
  TRY(out.part_bytes, assembly.parts());
  TRY(out.text, assembly.text(out.dialects));
  while (out.text.size() > order.limit_bytes && assembly.can_pass_on()) {
    auto left_out = largest(out.dialects, out);
    if (left_out == out.dialects.end()) break;
    out.passed_on.push_back(*left_out);
    out.dialects.erase(left_out);
    TRY(out.text, assembly.text(out.dialects));
  }
  Policy held = policy;
  if (order.has_policies_apart) held.sites.clear();
  out.has_secrets = has_secrets(held, out.dialects);
  return out;
}

Result<> check_size(const EdgeFunction& function) {
  if (function.text.size() <= kEdgeFunctionBytes) return {};
  std::string detail = "the edge function has " + std::to_string(function.text.size()) +
                       " bytes, and CloudFront takes " + std::to_string(kEdgeFunctionBytes) + ": ";
  for (const auto& [name, bytes] : function.part_bytes) {
    detail += name + " " + std::to_string(bytes) + ", ";
  }
  detail.resize(detail.size() - 2);
  detail +=
      ". Build one function for each cache behaviour (--site NAME, --mount PATH), keep the "
      "policies "
      "in a KeyValueStore (--kvs FILE), or use an edge of your own (--target nginx), which has no "
      "limit";
  return fail_public(ErrorCode::BadRequest, std::move(detail));
}

namespace {

// How a platform calls the function: a file of edge/, whose last lines, from `export_begin` on,
// hand out what the platform wants.
struct Adapter {
  std::string_view file, export_begin;
  std::vector<std::string> roots;
};

Result<std::string> readable_function(const Policy& policy, const std::string& version,
                                      const Adapter& adapter) {
  std::vector<ScriptFile> files = sources();
  std::vector<std::string> dialects = dialects_of(policy);
  TRY(check_parsers(files, dialects));
  files.push_back(
      settings_file(edge_config(policy, dialects), dialects, parts_of(policy, dialects)));
  std::string text = edge_file(adapter.file);
  std::size_t exported = text.find(adapter.export_begin);
  CHECK(exported != std::string::npos);
  files.push_back({std::string(adapter.file), text.substr(0, exported)});
  TRY(std::string gathered, gather_script(files, adapter.roots));
  return "// SPDX-License-Identifier: Apache-2.0\n" + head_line(policy, version, dialects) +
         gathered + "\n" + text.substr(exported);
}

}  // namespace

Result<std::string> readable_edge_function(const Policy& policy, const std::string& version) {
  // The handler for tests, and to compare.
  return readable_function(policy, version,
                           {"targets/nginx.js", "export default", {"answer", "handler"}});
}

Result<std::string> lambda_edge_function(const Policy& policy, const std::string& version) {
  return readable_function(policy, version,
                           {"targets/lambda.js", "exports.handler", {"handleRecord"}});
}

Result<std::string> policy_import(const Policy& policy) {
  JsonArray data;
  std::size_t total = 0;
  for (const auto& [name, site] : policy.sites) {
    std::string text = site_config(site);
    // "12 {…": room for the number, which has at most four digits in 5 MB.
    std::size_t count = (text.size() + 5 + kStoreValueBytes - 1) / kStoreValueBytes;
    text.insert(0, std::to_string(count) + " ");
    for (std::size_t i = 0; i < count; ++i) {
      std::string key = i == 0 ? name : name + "/" + std::to_string(i);
      std::string value =
          text.substr(std::min(i * kStoreValueBytes, text.size()), kStoreValueBytes);
      total += key.size() + value.size();
      data.raw(JsonObject().field("key", key).field("value", value).str());
    }
  }
  if (total > kStoreBytes) {
    return fail_public(ErrorCode::BadRequest, "the policies have " + std::to_string(total) +
                                                  " bytes, and a KeyValueStore takes " +
                                                  std::to_string(kStoreBytes));
  }
  JsonObject out;
  out.raw("data", data.str());
  return out.str() + "\n";
}

}  // namespace tintype
