// SPDX-License-Identifier: Apache-2.0
// `tintype policy`: the sites of a settings file and those of the DynamoDB table: validate, diff,
// push, pull, history, rollback, create-table. Returns exit codes as commands.h says, and 1 from
// diff when the two differ. Faults go to standard error, results to standard output.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

namespace tintype {

struct PolicyArguments {
  std::string config = "tintype.yaml", table, region, endpoint, site, by;
  std::int64_t to = 0;
  bool is_dry_run = false;
  bool with_removal = false;  // push: sites that the file does not have go
};

// Adds the command and its sub-commands; `code` must outlive the parsing.
void add_policy(CLI::App& app, int& code);

int run_policy_validate(const PolicyArguments& arguments);
int run_policy_diff(const PolicyArguments& arguments);
int run_policy_push(const PolicyArguments& arguments);
int run_policy_pull(const PolicyArguments& arguments);
int run_policy_history(const PolicyArguments& arguments);
int run_policy_rollback(const PolicyArguments& arguments);
int run_policy_create_table(const PolicyArguments& arguments);

}  // namespace tintype
