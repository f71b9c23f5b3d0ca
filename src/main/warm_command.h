// SPDX-License-Identifier: Apache-2.0
// `tintype warm`: standard variants of many sources, asked for before viewers do. The estimate
// comes first; what is done is kept, so that a run that was stopped goes on. Returns exit codes as
// commands.h says: 1 when some variants could not be had or the run was stopped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/warm_estimate.h"

namespace tintype {

struct WarmArguments {
  std::string config = "tintype.yaml", site;
  std::string skus, pattern, sitemap, log, list;
  bool from_origin = false;
  std::uint64_t limit = 0;  // 0: all sources
  std::string strip_prefix;
  std::vector<std::string> presets, accepts, servers, headers;
  bool each_server = false, dry_run = false, fresh = false;
  double rate_per_second = 20;
  int at_once = 4;
  std::string state;        // empty: tintype-warm-<site>.state
  std::string source_size;  // "4000x3000"
  WarmPrices prices;
};

// Adds the command and its options; `code` must outlive the parsing.
void add_warm(CLI::App& app, int& code);
int run_warm(const WarmArguments& arguments);

}  // namespace tintype
