// SPDX-License-Identifier: Apache-2.0
#include "main/policy_command.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <unistd.h>

#include "base/text.h"
#include "main/config_file.h"
#include "main/policy_desk.h"

namespace tintype {
namespace {

DiffStyle style_of_terminal() {
  bool with_colour = isatty(STDOUT_FILENO) == 1 && !process_environment()("NO_COLOR");
  return {.with_colour = with_colour};
}

std::string plural(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// The options of the command line that name the same table again.
std::string same_place(const PolicyArguments& arguments) {
  std::string text;
  if (arguments.config != "tintype.yaml") text += " --config " + arguments.config;
  if (!arguments.table.empty()) text += " --table " + arguments.table;
  if (!arguments.region.empty()) text += " --region " + arguments.region;
  if (!arguments.endpoint.empty()) text += " --endpoint " + arguments.endpoint;
  return text;
}

void print_difference(const SiteDifference& difference) {
  const char* what = difference.before.version == 0 ? "is not in the table yet"
                     : difference.is_local          ? "differs"
                                                    : "is in the table, and not in the file";
  std::printf("site %s %s", difference.site.c_str(), what);
  if (difference.before.version > 0) {
    std::printf(" (version %lld)", static_cast<long long>(difference.before.version));
  }
  std::printf("\n%s", difference.text.c_str());
}

// Opens the desk, which needs a table; a missing one is a matter of usage.
template <class Work>
int with_desk(const PolicyArguments& arguments, Work work) {
  set_log_level(LogLevel::Warn, true);
  auto desk = PolicyDesk::open(arguments);
  if (!desk) return complain(desk.error(), 2);
  auto code = work(**desk);
  return code ? *code : complain(code.error());
}

void print_version(const SiteVersion& version, bool is_in_force) {
  std::printf("  %c %8lld  %s  %3lld items  %s\n", is_in_force ? '*' : ' ',
              static_cast<long long>(version.version),
              iso_date(version.updated_unix_seconds).c_str(), static_cast<long long>(version.items),
              version.by.c_str());
}

// One site's push; whether it is in force now.
Result<bool> push_site(PolicyDesk& desk, const PolicyArguments& arguments,
                       const SiteDifference& difference) {
  TRY(auto version, desk.push(difference, arguments.by));
  const char* site = difference.site.c_str();
  if (!version) {
    std::fprintf(stderr,
                 "tintype: site %s: somebody else changed it in the table meanwhile; nothing was "
                 "pushed. Look with tintype policy diff, then push again\n",
                 site);
    return false;
  }
  if (difference.is_local) {
    std::printf("site %s: version %lld is in force\n", site, static_cast<long long>(*version));
  } else {
    std::printf("site %s: is gone; its versions are kept\n", site);
  }
  if (difference.before.version > 0) {
    std::printf("  to go back: tintype policy rollback --site %s --to %lld%s\n", site,
                static_cast<long long>(difference.before.version), same_place(arguments).c_str());
  }
  return true;
}

}  // namespace

int run_policy_validate(const PolicyArguments& arguments) {
  auto local = read_local_policy(arguments);
  if (!local) return complain(local.error());
  std::size_t items = 0;
  for (const auto& [site, pieces] : *local) items += pieces.size();
  std::printf("%s is fine: %s, %s\n", arguments.config.c_str(),
              plural(local->size(), "site").c_str(), plural(items, "item").c_str());
  return 0;
}

int run_policy_diff(const PolicyArguments& arguments) {
  auto local = read_local_policy(arguments);
  if (!local) return complain(local.error());
  return with_desk(arguments, [&](PolicyDesk& desk) -> Result<int> {
    TRY(auto differences, desk.compare(*local, style_of_terminal()));
    for (const SiteDifference& difference : differences) print_difference(difference);
    if (differences.empty()) std::printf("the file and the table say the same\n");
    return differences.empty() ? 0 : 1;
  });
}

int run_policy_push(const PolicyArguments& arguments) {
  auto local = read_local_policy(arguments);
  if (!local) return complain(local.error());
  return with_desk(arguments, [&](PolicyDesk& desk) -> Result<int> {
    TRY(auto differences, desk.compare(*local, style_of_terminal()));
    if (!arguments.with_removal) {
      std::erase_if(differences, [](const SiteDifference& d) { return !d.is_local; });
    }
    if (differences.empty()) {
      std::printf("nothing to push: the table says the same\n");
      return 0;
    }
    TRY(desk.check_together(differences));
    for (const SiteDifference& difference : differences) print_difference(difference);
    if (arguments.is_dry_run) {
      std::printf("nothing was pushed (--dry-run)\n");
      return 0;
    }
    bool is_done = true;
    for (const SiteDifference& difference : differences) {
      TRY(bool is_in_force, push_site(desk, arguments, difference));
      is_done &= is_in_force;
    }
    return is_done ? 0 : 1;
  });
}

int run_policy_pull(const PolicyArguments& arguments) {
  return with_desk(arguments, [&](PolicyDesk& desk) -> Result<int> {
    TRY(PolicyItems items, desk.pull());
    if (items.empty()) return fail_public(ErrorCode::NotFound, "the table holds no such site");
    TRY(std::string yaml, policy_as_yaml(items));
    std::printf("%s", yaml.c_str());
    return 0;
  });
}

int run_policy_history(const PolicyArguments& arguments) {
  return with_desk(arguments, [&](PolicyDesk& desk) -> Result<int> {
    TRY(PolicyIndex index, desk.index());
    // A site that was taken out has a history all the same.
    if (!arguments.site.empty()) index.try_emplace(arguments.site);
    bool is_known = false;
    for (const auto& [site, now] : index) {
      TRY(auto versions, desk.history(site));
      if (versions.empty()) continue;
      is_known = true;
      std::printf("site %s%s\n", site.c_str(), now.version == 0 ? " (not in force)" : "");
      for (const SiteVersion& version : versions) {
        print_version(version, version.version == now.version);
      }
    }
    if (!is_known) return fail_public(ErrorCode::NotFound, "the table holds no such site");
    return 0;
  });
}

int run_policy_rollback(const PolicyArguments& arguments) {
  return with_desk(arguments, [&](PolicyDesk& desk) -> Result<int> {
    TRY(SiteVersion now, desk.in_force(arguments.site));
    auto shown = [](std::int64_t version) { return static_cast<long long>(version); };
    if (now.version == arguments.to) {
      std::printf("site %s: version %lld is in force already\n", arguments.site.c_str(),
                  shown(now.version));
      return 0;
    }
    if (arguments.is_dry_run) {
      std::printf("site %s: version %lld would be in force instead of %lld (--dry-run)\n",
                  arguments.site.c_str(), shown(arguments.to), shown(now.version));
      return 0;
    }
    PolicyVersions::Move move{.site = arguments.site, .base = now.version, .to = arguments.to};
    TRY(bool is_done, desk.move(std::move(move)));
    if (!is_done) {
      return fail_public(ErrorCode::Busy, "site " + arguments.site +
                                              ": somebody else changed it in the table meanwhile; "
                                              "look at tintype policy history, then try again");
    }
    std::printf("site %s: version %lld is in force (was %lld)\n", arguments.site.c_str(),
                shown(arguments.to), shown(now.version));
    return 0;
  });
}

int run_policy_create_table(const PolicyArguments& arguments) {
  return with_desk(arguments, [&](PolicyDesk& desk) -> Result<int> {
    TRY(bool is_new, desk.create_table());
    std::printf("table %s in region %s %s\n", desk.settings().table.c_str(),
                desk.settings().region.c_str(), is_new ? "is ready" : "was there already");
    return 0;
  });
}

namespace {

struct SubCommand {
  CLI::App* app;
  std::shared_ptr<PolicyArguments> arguments;
};

struct About {
  const char* name;
  const char* text;
  int (*run)(const PolicyArguments& arguments);
};

SubCommand add_sub(CLI::App& policy, const About& about, int& code) {
  auto arguments = std::make_shared<PolicyArguments>();
  CLI::App* app = policy.add_subcommand(about.name, about.text);
  app->add_option("--config,-c", arguments->config, "Settings and sites")->capture_default_str();
  app->callback([&code, arguments, run = about.run] { code = run(*arguments); });
  return {app, arguments};
}

SubCommand add_table_sub(CLI::App& policy, const About& about, int& code) {
  SubCommand sub = add_sub(policy, about, code);
  PolicyArguments& a = *sub.arguments;
  sub.app->add_option("--table", a.table, "The table; default: policy_table.name");
  sub.app->add_option("--region", a.region, "Its region; default: policy_table.region, AWS_REGION");
  sub.app->add_option("--endpoint", a.endpoint, "Another service than AWS: http://127.0.0.1:8000");
  return sub;
}

void add_site(const SubCommand& sub, bool is_required) {
  sub.app->add_option("--site", sub.arguments->site, is_required ? "The site" : "Only this site")
      ->required(is_required);
}

}  // namespace

void add_policy(CLI::App& app, int& code) {
  CLI::App* policy = app.add_subcommand("policy", "The sites in the DynamoDB table");
  policy->require_subcommand(1);
  add_sub(*policy, {"validate", "Check the sites of the file", run_policy_validate}, code);
  About about{"diff", "Print what a push would change; ends with 1 if so", run_policy_diff};
  add_site(add_table_sub(*policy, about, code), false);
  about = {"push", "Put the sites of the file into the table, and in force", run_policy_push};
  auto push = add_table_sub(*policy, about, code);
  add_site(push, false);
  push.app->add_flag("--dry-run", push.arguments->is_dry_run, "Print what would be done");
  push.app->add_flag("--remove", push.arguments->with_removal,
                     "Take sites out of force that the file does not have");
  push.app->add_option("--by", push.arguments->by, "Who pushes; default: the user");
  about = {"pull", "Print the sites of the table as YAML, with secrets", run_policy_pull};
  add_site(add_table_sub(*policy, about, code), false);
  about = {"history", "List the versions that are kept; * is in force", run_policy_history};
  add_site(add_table_sub(*policy, about, code), false);
  about = {"rollback", "Put a kept version in force again", run_policy_rollback};
  auto rollback = add_table_sub(*policy, about, code);
  add_site(rollback, true);
  rollback.app->add_option("--to", rollback.arguments->to, "The version, as history lists it")
      ->required()
      ->check(CLI::Range(1, 99'999'999));
  rollback.app->add_flag("--dry-run", rollback.arguments->is_dry_run, "Print what would be done");
  about = {"create-table", "Make the table, on demand; for development and tests",
           run_policy_create_table};
  add_table_sub(*policy, about, code);
}

}  // namespace tintype
