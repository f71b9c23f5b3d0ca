// SPDX-License-Identifier: Apache-2.0
#include "edge/nginx_edge.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "edge/edge_config.h"
#include "edge/edge_function.h"

namespace tintype {
namespace {

// A socket's address holds 108 bytes with its end (man 7 unix); "/socket/origins.sock" is 20 of
// them.
constexpr std::size_t kMaxFolderBytes = 87;

bool is_among(std::string_view text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

Failure not_allowed(std::string_view flag, const std::string& value, std::string_view expected) {
  return fail_public(ErrorCode::BadRequest,
                     std::string(flag) + " " + value + ": expected " + std::string(expected));
}

struct Origin {
  bool is_secure = false;
  std::string host;    // as in the URL
  std::string name;    // of the host, without its port; an address of IPv6 in its brackets
  std::string server;  // with its port
  std::string path;    // "/bucket", or empty
};

Result<Origin> read_origin(std::string_view flag, const std::string& url) {
  constexpr std::string_view kExpected = "a URL such as http://127.0.0.1:8080";
  Origin out;
  out.is_secure = url.starts_with("https://");
  if (!out.is_secure && !url.starts_with("http://")) return not_allowed(flag, url, kExpected);
  std::string rest = url.substr(out.is_secure ? 8 : 7);
  std::size_t slash = std::min(rest.find('/'), rest.size());
  out.host = rest.substr(0, slash);
  out.path = rest.substr(slash);
  while (out.path.ends_with('/')) out.path.pop_back();
  bool is_fine = is_among(out.host, ".-:[]") && (out.path.empty() || is_among(out.path, "/.-_~"));
  if (!is_fine) return not_allowed(flag, url, kExpected);
  std::size_t bracket = out.host.starts_with('[') ? out.host.find(']') : 0;
  if (bracket == std::string::npos) return not_allowed(flag, url, kExpected);
  std::size_t colon = out.host.find(':', bracket);
  bool has_port = colon != std::string::npos;
  out.name = out.host.substr(0, colon);
  out.server = has_port ? out.host : out.host + (out.is_secure ? ":443" : ":80");
  return out;
}

std::string proxy_to(const Origin& origin, std::string_view upstream) {
  std::string scheme = origin.is_secure ? "https" : "http";
  std::string out = "            proxy_pass " + scheme + "://" + std::string(upstream) +
                    origin.path + "$request_uri;\n            proxy_set_header Host " +
                    origin.host + ";\n            proxy_set_header Connection \"\";\n";
  if (!origin.is_secure) return out;
  return out + "            proxy_ssl_server_name on;\n            proxy_ssl_name " + origin.name +
         ";\n            proxy_ssl_verify on;\n            proxy_ssl_trusted_certificate "
         "/etc/ssl/certs/ca-certificates.crt;\n";
}

std::string service_location(const Origin& service, bool has_secret) {
  std::string out = proxy_to(service, "edge_service");
  if (has_secret) out += "            include secret.conf;\n";
  return out +
         "            proxy_connect_timeout 2s;\n"
         "            proxy_read_timeout 30s;\n"
         "            proxy_next_upstream off;\n";
}

// S3 answers 403 for an object that is not there to whoever may not list the bucket.
std::string store_location(const Origin& store) {
  return proxy_to(store, "edge_store") +
         "            proxy_connect_timeout 2s;\n"
         "            proxy_read_timeout 5s;\n"
         "            proxy_next_upstream off;\n"
         "            proxy_intercept_errors on;\n"
         "            error_page 403 404 500 502 503 504 = @service;\n"
         "            proxy_hide_header x-amz-id-2;\n"
         "            proxy_hide_header x-amz-request-id;\n";
}

std::string filled(std::string text, const std::map<std::string, std::string>& words) {
  for (const auto& [word, value] : words) {
    for (std::size_t at = text.find(word); at != std::string::npos;
         at = text.find(word, at + value.size())) {
      text.replace(at, word.size(), value);
    }
  }
  return text;
}

Result<> check(const NginxOrder& order) {
  if (!is_among(order.listen, ".-:[]*")) {
    return not_allowed("--listen", order.listen, "an address such as 127.0.0.1:8090 or *:80");
  }
  if (!is_among(order.cache_size, "")) {
    return not_allowed("--cache-size", order.cache_size, "a size such as 512m or 10g");
  }
  if (!is_among(order.folder, "/.-_~+") || order.folder.size() > kMaxFolderBytes) {
    return not_allowed("--out", order.folder,
                       "a folder of A-Z a-z 0-9 / . - _ ~ + whose whole path has at most 87 bytes");
  }
  if (!is_among(order.js_module, "/.-_~+")) {
    return not_allowed("--js-module", order.js_module, "the path of ngx_http_js_module.so");
  }
  if (!order.secret.empty() && !is_among(order.secret, ".-_~+/=")) {
    return fail_public(ErrorCode::BadRequest,
                       "--secret-file: expected one line of A-Z a-z 0-9 . - _ ~ + / =");
  }
  return {};
}

}  // namespace

Result<std::vector<EdgeFile>> nginx_edge(const Policy& policy, const NginxOrder& order) {
  TRY(check(order));
  TRY(Origin service, read_origin("--service", order.service));
  if (!service.path.empty()) {
    return not_allowed("--service", order.service, "a URL without a path");
  }
  TRY(std::string script, readable_edge_function(policy, order.version));
  std::map<std::string, std::string> words{
      {"@FOLDER@", order.folder},         {"@LISTEN@", order.listen},
      {"@CACHE_SIZE@", order.cache_size}, {"@JS_MODULE@", order.js_module},
      {"@SERVICE_HOST@", service.server}, {"@USER@", ""},
      {"@STORE_UPSTREAM@", ""},           {"@FIRST@", "service"},
      {"@SECOND_LOCATION@", ""},          {"@SECRET_NOTE@", ""}};
  std::string to_service = service_location(service, !order.secret.empty());
  words["@FIRST_LOCATION@"] = to_service;
  if (!order.user.empty()) words["@USER@"] = "user " + order.user + ";\n";
  if (!order.store.empty()) {
    TRY(Origin store, read_origin("--store", order.store));
    words["@FIRST@"] = "store, then service";
    words["@FIRST_LOCATION@"] = store_location(store);
    words["@SECOND_LOCATION@"] = "\n        location @service {\n" + to_service + "        }\n";
    words["@STORE_UPSTREAM@"] = "    upstream edge_store {\n        server " + store.server +
                                ";\n        keepalive 64;\n    }\n";
  }
  bool has_keys = has_secrets(policy, dialects_of(policy));
  if (has_keys) words["@SECRET_NOTE@"] = " **and the keys of signatures**";
  std::vector<EdgeFile> files;
  files.push_back({"nginx.conf", filled(edge_file("targets/nginx.conf"), words)});
  files.push_back({"edge.js", std::move(script), has_keys});
  files.push_back({"README.md", filled(edge_file("targets/nginx.md"), words)});
  if (!order.secret.empty()) {
    files.push_back(
        {"secret.conf", "proxy_set_header X-Origin-Verify \"" + order.secret + "\";\n", true});
  }
  return files;
}

}  // namespace tintype
