// SPDX-License-Identifier: Apache-2.0
#include "main/edge_command.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/descriptor.h"
#include "base/json.h"
#include "base/text.h"
#include "edge/edge_config.h"
#include "edge/edge_function.h"
#include "edge/nginx_edge.h"
#include "main/config_file.h"

namespace tintype {
namespace {

namespace fs = std::filesystem;

Failure cannot_write(const std::string& path) {
  return fail_public(ErrorCode::Internal,
                     path + ": cannot be written: " + std::string(std::strerror(errno)));
}

// The file appears whole, and what is secret is never readable for others, not even for a moment.
Result<> write_file(const std::string& path, std::string_view text, bool is_secret) {
  std::string temporary = path + ".part";
  std::error_code error;
  fs::remove(temporary, error);
  int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, is_secret ? 0600 : 0644);
  if (fd < 0) return cannot_write(path);
  const Descriptor file(fd);
  while (!text.empty()) {
    ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(path);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return cannot_write(path);
  return {};
}

// "10 240".
std::string grouped(std::size_t number) {
  std::string digits = std::to_string(number);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, " ");
  return digits;
}

std::string padded(const std::string& text, std::size_t width) {
  return text.size() < width ? std::string(width - text.size(), ' ') + text : text;
}

std::string bar(std::size_t used, std::size_t room) {
  constexpr std::size_t kWidth = 30;
  std::size_t filled = std::min(kWidth, (used * kWidth + room / 2) / room);
  return "[" + std::string(filled, '#') + std::string(kWidth - filled, '.') + "]";
}

bool is_passed_on(const EdgeFunction& function, const std::string& dialect) {
  return std::find(function.passed_on.begin(), function.passed_on.end(), dialect) !=
         function.passed_on.end();
}

std::string table_of(const EdgeFunction& function) {
  std::string out;
  for (const auto& [name, bytes] : function.part_bytes) {
    out += name + std::string(name.size() < 16 ? 16 - name.size() : 1, ' ') +
           padded(grouped(bytes), 8) +
           (is_passed_on(function, name) ? "  left out, passed on to the service\n" : "\n");
  }
  std::size_t size = function.text.size();
  out += "together        " + padded(grouped(size), 8) + " of " + grouped(kEdgeFunctionBytes) +
         " bytes " + bar(size, kEdgeFunctionBytes) + " ";
  bool is_fine = size <= kEdgeFunctionBytes;
  out += is_fine ? grouped(kEdgeFunctionBytes - size) + " left\n"
                 : grouped(size - kEdgeFunctionBytes) + " too many\n";
  return out;
}

std::string json_of(const EdgeFunction& function, const EdgeArguments& arguments) {
  JsonObject parts;
  for (const auto& [name, bytes] : function.part_bytes) parts.field(name, bytes);
  JsonArray dialects, passed_on;
  for (const std::string& dialect : function.dialects) dialects.add(dialect);
  for (const std::string& dialect : function.passed_on) passed_on.add(dialect);
  JsonObject out;
  out.field("bytes", function.text.size()).field("limit_bytes", kEdgeFunctionBytes);
  out.raw("part_bytes", parts.str()).raw("dialects", dialects.str());
  out.raw("passed_on", passed_on.str());
  out.field("has_secrets", function.has_secrets).field("out", arguments.out);
  return out.str() + "\n";
}

void say_secret(const std::string& path) {
  std::fprintf(stderr,
               "tintype: note: %s holds keys of signatures; only its owner can read it, and it "
               "belongs in no repository\n",
               path.c_str());
}

// A build that would only ever be answered with 403 does not end as if all were well.
void warn_of_unknown_edge(const Policy& policy, std::string_view remedy) {
  std::string names;
  for (const std::string& name : sites_for_known_edges(policy)) {
    names.append(names.empty() ? "" : ", ").append(name);
  }
  if (names.empty()) return;
  std::fprintf(stderr,
               "tintype: WARNING: sites that sign or have allowed_options: %s. The service answers "
               "403 to their pictures unless the edge sends server.edge_secret as X-Origin-Verify: "
               "%.*s\n",
               names.c_str(), static_cast<int>(remedy.size()), remedy.data());
}

Result<> build_for_cloudfront(const EdgeArguments& arguments, const Policy& policy) {
  std::string out = arguments.out.empty() ? "edge.js" : arguments.out;
  bool is_apart = !arguments.kvs.empty();
  EdgeOrder order{.version = arguments.version, .has_policies_apart = is_apart};
  if (arguments.has_no_limit) order.limit_bytes = std::string::npos;
  TRY(EdgeFunction function, build_edge_function(policy, order));
  EdgeArguments said = arguments;
  said.out = out;
  std::fputs((arguments.as_json ? json_of(function, said) : table_of(function)).c_str(), stdout);
  if (!arguments.has_no_limit) {
    TRY(check_size(function));
  }
  TRY(write_file(out, function.text, function.has_secrets));
  if (is_apart) {
    TRY(std::string import, policy_import(policy));
    TRY(write_file(arguments.kvs, import, has_secrets(policy, {})));
  }
  if (!arguments.as_json) {
    std::printf("written to %s%s%s\n", out.c_str(), is_apart ? " and " : "", arguments.kvs.c_str());
  }
  if (function.has_secrets) say_secret(out);
  if (is_apart && has_secrets(policy, {})) say_secret(arguments.kvs);
  warn_of_unknown_edge(policy, "make it a custom header of the origin in CloudFront");
  return {};
}

// What CloudFront takes at viewer requests, zipped ("Quotas on Lambda@Edge"); the text is about
// five times its archive.
constexpr std::size_t kLambdaBytes = 1'048'576;

Result<> build_for_lambda(const EdgeArguments& arguments, const Policy& policy) {
  std::string out = arguments.out.empty() ? "index.js" : arguments.out;
  TRY(std::string text, lambda_edge_function(policy, arguments.version));
  std::vector<std::string> dialects = dialects_of(policy);
  bool is_secret = has_secrets(policy, dialects);
  TRY(write_file(out, text, is_secret));
  if (arguments.as_json) {
    JsonArray names;
    for (const std::string& dialect : dialects) names.add(dialect);
    JsonObject report;
    report.field("bytes", text.size()).raw("dialects", names.str());
    report.field("has_secrets", is_secret).field("out", out);
    std::printf("%s\n", report.str().c_str());
  } else {
    std::printf("written to %s: %s bytes; CloudFront takes %s zipped at viewer requests\n",
                out.c_str(), grouped(text.size()).c_str(), grouped(kLambdaBytes).c_str());
  }
  if (is_secret) say_secret(out);
  warn_of_unknown_edge(policy, "make it a custom header of the origin in CloudFront");
  return {};
}

// Worker processes of a root's nginx run as the folder's owner, who can read and write it.
struct Owner {
  uid_t user = 0;
  gid_t group = 0;
  std::string names;  // "user group", as in nginx's settings; empty where they have none
};

Owner owner_of(const std::string& folder) {
  struct stat at {};
  if (::stat(folder.c_str(), &at) != 0) return {};
  const passwd* owner = ::getpwuid(at.st_uid);
  if (owner == nullptr && ::geteuid() == 0) owner = ::getpwnam("nobody");
  if (owner == nullptr) return {at.st_uid, at.st_gid, {}};
  Owner out{owner->pw_uid, owner->pw_gid, owner->pw_name};
  const group* group = ::getgrgid(out.group);
  if (group == nullptr) return {out.user, out.group, {}};
  out.names.append(" ").append(group->gr_name);
  return out;
}

// A file or a folder with these rights, for its owner. No link is followed: root may be at work in
// the folder of somebody else.
Result<> keep_private(const std::string& path, int flags, mode_t mode, const Owner& owner) {
  int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
  if (fd < 0) return cannot_write(path);
  const Descriptor file(fd);
  bool is_owned = ::geteuid() != 0 || ::fchown(fd, owner.user, owner.group) == 0;
  if (!is_owned || ::fchmod(fd, mode) != 0) return cannot_write(path);
  return {};
}

// Whoever reaches the socket of the origins is the edge to the service; the logs hold addresses of
// viewers, and error.log whole requests with their signatures.
Result<> make_private_parts(const std::string& folder, const Owner& owner) {
  std::string socket = folder + "/socket";
  if (::mkdir(socket.c_str(), 0700) != 0 && errno != EEXIST) return cannot_write(socket);
  TRY(keep_private(socket, O_RDONLY | O_DIRECTORY, 0700, owner));
  for (const char* log : {"/access.log", "/error.log"}) {
    TRY(keep_private(folder + log, O_WRONLY | O_CREAT | O_APPEND, 0640, owner));
  }
  return {};
}

Result<std::string> read_secret(const std::string& path) {
  if (path.empty()) return std::string();
  std::ifstream in(path, std::ios::binary);
  std::string line;
  if (!std::getline(in, line) || trim(line).empty()) {
    return fail_public(ErrorCode::NotFound,
                       "--secret-file " + path + ": cannot be read, or is empty");
  }
  while (line.ends_with('\r') || line.ends_with(' ')) line.pop_back();
  return line;
}

Result<> build_for_nginx(const EdgeArguments& arguments, const Policy& policy) {
  if (arguments.out.empty()) {
    return fail_public(ErrorCode::BadRequest, "--target nginx needs --out DIR");
  }
  std::error_code error;
  std::string folder = fs::absolute(arguments.out).lexically_normal().string();
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  TRY(std::string secret, read_secret(arguments.secret_file));
  for (std::string_view name : {"", "/temp", "/cache"}) {
    fs::create_directories(folder + std::string(name), error);
    if (error) {
      return fail_public(ErrorCode::Internal, folder + ": cannot be made: " + error.message());
    }
  }
  const Owner owner = owner_of(folder);
  NginxOrder order{.version = arguments.version,
                   .folder = folder,
                   .listen = arguments.listen,
                   .service = arguments.service,
                   .store = arguments.store,
                   .cache_size = arguments.cache_size,
                   .secret = secret,
                   .js_module = arguments.js_module,
                   .user = owner.names};
  TRY(std::vector<EdgeFile> files, nginx_edge(policy, order));
  TRY(make_private_parts(folder, owner));
  for (const EdgeFile& file : files) {
    std::string path = folder + "/" + file.name;
    TRY(write_file(path, file.text, file.is_secret));
    if (file.is_secret && file.name == "edge.js") say_secret(path);
  }
  if (secret.empty()) warn_of_unknown_edge(policy, "build again with --secret-file FILE");
  if (arguments.as_json) {
    std::printf("%s\n", JsonObject()
                            .field("out", folder)
                            .field("has_secrets", has_secrets(policy, dialects_of(policy)))
                            .str()
                            .c_str());
    return {};
  }
  std::printf("written to %s; start it with\n  nginx -p %s -c %s/nginx.conf\n", folder.c_str(),
              folder.c_str(), folder.c_str());
  return {};
}

Result<> build(const EdgeArguments& arguments) {
  TRY(Policy whole, load_policy(arguments.config));
  TRY(Policy policy, select_policy(whole, {arguments.sites, arguments.mounts}));
  if (arguments.target == "cloudfront") return build_for_cloudfront(arguments, policy);
  if (!arguments.kvs.empty()) {
    return fail_public(ErrorCode::BadRequest, "--kvs goes with --target cloudfront only");
  }
  return arguments.target == "nginx" ? build_for_nginx(arguments, policy)
                                     : build_for_lambda(arguments, policy);
}

void add_nginx_options(CLI::App& build, EdgeArguments& arguments) {
  constexpr const char* kGroup = "For --target nginx";
  build.add_option("--listen", arguments.listen, "Address and port")
      ->capture_default_str()
      ->group(kGroup);
  build.add_option("--service", arguments.service, "URL of tintype serve")
      ->capture_default_str()
      ->group(kGroup);
  build
      .add_option("--store", arguments.store,
                  "Asked first: URL of an S3-compatible bucket that may be read unsigned")
      ->group(kGroup);
  build.add_option("--cache-size", arguments.cache_size, "Of the variants on disk")
      ->capture_default_str()
      ->group(kGroup);
  build
      .add_option("--secret-file", arguments.secret_file,
                  "What the service is told as X-Origin-Verify, in one line")
      ->group(kGroup);
  build.add_option("--js-module", arguments.js_module, "nginx's JavaScript module")
      ->capture_default_str()
      ->group(kGroup);
}

}  // namespace

void add_edge_command(CLI::App& app, const std::string& version, int& code) {
  auto shared = std::make_shared<EdgeArguments>();
  EdgeArguments& arguments = *shared;
  arguments.version = version;
  auto* edge = app.add_subcommand("edge", "What runs in front of the service");
  edge->require_subcommand(1);
  auto* build = edge->add_subcommand(
      "build", "Write the edge function for CloudFront or Lambda@Edge, or a whole edge on nginx");
  build->add_option("--config,-c", arguments.config, "Settings and sites")->capture_default_str();
  build->add_option("--target", arguments.target, "cloudfront, lambda or nginx")
      ->capture_default_str()
      ->check(CLI::IsMember({"cloudfront", "lambda", "nginx"}));
  build->add_option("--out,-o", arguments.out,
                    "A file (edge.js; for lambda index.js); for nginx a folder");
  build->add_option("--site", arguments.sites, "Only these sites");
  build->add_option("--mount", arguments.mounts, "Only these mounts, by their paths");
  build->add_option("--kvs", arguments.kvs,
                    "Write the policies to this file, for a CloudFront KeyValueStore");
  build->add_flag("--no-limit", arguments.has_no_limit,
                  "Write it whatever its size: CloudFront will not take it, others may");
  build->add_flag("--json", arguments.as_json, "Report as one JSON object");
  add_nginx_options(*build, arguments);
  build->footer(
      "Examples:\n"
      "  tintype edge build -c tintype.yaml -o edge.js\n"
      "  tintype edge build -c tintype.yaml -o edge.js --site shop --kvs policies.json\n"
      "  tintype edge build -c tintype.yaml --target lambda -o index.js\n"
      "  tintype edge build -c tintype.yaml --target nginx -o /srv/edge --service "
      "http://10.0.0.7:8080");
  build->callback([&code, shared] { code = run_edge_build(*shared); });
}

int run_edge_build(const EdgeArguments& arguments) {
  auto done = build(arguments);
  return done ? 0 : complain(done.error(), 2);
}

}  // namespace tintype
