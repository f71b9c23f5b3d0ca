// SPDX-License-Identifier: Apache-2.0
// `tintype replay`: access logs, or traffic made up, through the simulated cache layers (replay/),
// and the report of it. Returns exit codes as commands.h says: 2 when the logs hold no request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace tintype {

struct ReplayArguments {
  std::vector<std::string> logs;
  std::string config, site = "site", format, fields, svg;
  std::vector<std::string> mounts;  // "/=imgix"
  int edges = 13;
  std::string edge_cache = "250GB", shield_cache = "1TB", ttl = "30d", store_ttl = "30d";
  std::uint64_t store_entries = 16'000'000;
  bool with_ladder = false, as_json = false, is_synthetic = false;
  std::uint64_t requests = 10'000'000, seed = 1, products = 0;
  double zipf = 0.9, churn = 0.015, noise = 0.04;
};

// Adds the command and its options; `code` must outlive the parsing.
void add_replay(CLI::App& app, int& code);
int run_replay(const ReplayArguments& arguments);

}  // namespace tintype
