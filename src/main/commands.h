// SPDX-License-Identifier: Apache-2.0
// The commands of the binary, each called once, from main(). A command returns the process's exit
// code: 0 done, 1 failed, 2 asked wrongly. Faults go to standard error as "tintype: what is wrong",
// results to standard output.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tintype {

struct ConvertArguments {
  std::string in, out, options, config, site;
};

struct ExplainArguments {
  std::string url;
  std::string config = "tintype.yaml";
  std::vector<std::string> headers;
  bool as_json = false, no_source = false;
};

struct TranslateArguments {
  std::vector<std::string> urls;
  std::string to = "native";  // a dialect that can be written (dialect/write.h)
  std::string config = "tintype.yaml";
};

struct CanonicalArguments {
  std::vector<std::string> urls;
  std::string config = "tintype.yaml";
  std::vector<std::string> headers;
  std::int64_t now_unix_seconds = 0;  // 0: the clock's
};

struct SignArguments {
  std::vector<std::string> urls;
  std::string config = "tintype.yaml";
  std::string expires_in;  // "1h"; empty: never
};

int run_serve(const std::string& config);
int run_check_config(const std::string& config);
int run_convert(const ConvertArguments& arguments);
int run_explain(const ExplainArguments& arguments);
int run_translate(const TranslateArguments& arguments);
int run_canonical(const CanonicalArguments& arguments);
int run_sign(const SignArguments& arguments);
int run_options();
int run_settings();
int run_version(const char* version);

}  // namespace tintype
