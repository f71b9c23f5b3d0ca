// SPDX-License-Identifier: Apache-2.0
// `tintype purge`: sends a purge order to the admin API of running services. First as a dry run,
// whose counts are shown; then for good, with a progress bar while it is under way. Returns exit
// codes as commands.h says: 1 when a service failed or refused, 2 when it was asked wrongly.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace tintype {

struct PurgeArguments {
  // Base URLs of admin ports. Tasks that share a purge feed need only one of them named.
  std::vector<std::string> servers{"http://127.0.0.1:8081"};
  std::string token_file;  // empty: TINTYPE_ADMIN_TOKEN
  std::string site, source, prefix, tag, preset;
  bool all = false, dry_run = false, yes = false;
};

// Adds the command and its options; `code` must outlive the parsing.
void add_purge(CLI::App& app, int& code);
int run_purge(const PurgeArguments& arguments);

}  // namespace tintype
