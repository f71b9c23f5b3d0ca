// SPDX-License-Identifier: Apache-2.0
#include "main/config_file.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

namespace tintype {
namespace {

std::string folder_of(const std::string& path) {
  return std::filesystem::absolute(path).parent_path().string();
}

Result<std::string> read_config(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail_public(ErrorCode::NotFound,
                       path +
                           ": cannot be read. Name a settings file with --config FILE; "
                           "docs/configuration.md shows one to start from");
  }
  return std::string((std::istreambuf_iterator<char>(in)), {});
}

// Puts the file's name in front of what its reader says.
Error at_file(const std::string& path, Error error) {
  error.detail = path + ": " + (error.detail.empty() ? error.message : error.detail);
  return error;
}

}  // namespace

int complain(const Error& error, int code) {
  const std::string& text = error.detail.empty() ? error.message : error.detail;
  std::fprintf(stderr, "tintype: %s\n", text.c_str());
  return code;
}

Result<Settings> load_settings(const std::string& config) {
  TRY(std::string text, read_config(config));
  auto settings = read_settings(text, folder_of(config), process_environment());
  if (!settings) return fail(at_file(config, settings.error()));
  return settings;
}

Result<Policy> load_policy(const std::string& config) {
  TRY(std::string text, read_config(config));
  auto policy = parse_policy(text, folder_of(config));
  if (!policy) return fail(at_file(config, policy.error()));
  return policy;
}

}  // namespace tintype
