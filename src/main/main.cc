// SPDX-License-Identifier: Apache-2.0
// tintype: one binary, several commands. Reads the command line, wires, runs.
#include <cstdio>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "dialect/write.h"
#include "main/commands.h"
#include "main/edge_command.h"
#include "main/policy_command.h"
#include "main/purge_command.h"
#include "main/replay_command.h"
#include "main/warm_command.h"

namespace tintype {
namespace {

constexpr char kConfig[] = "Settings and sites";

// One command: what it reads from the command line lives as long as its callback.
template <class Arguments>
std::pair<CLI::App*, std::shared_ptr<Arguments>> add_command(CLI::App& app, std::string name,
                                                             std::string about) {
  return {app.add_subcommand(std::move(name), std::move(about)), std::make_shared<Arguments>()};
}

void add_serve(CLI::App& app, int& code) {
  auto [command, config] = add_command<std::string>(app, "serve", "Serve pictures over HTTP");
  *config = "tintype.yaml";
  command->add_option("--config,-c", *config, kConfig)->capture_default_str();
  command->callback([&code, config = config] { code = run_serve(*config); });
}

void add_check_config(CLI::App& app, int& code) {
  auto [command, config] = add_command<std::string>(
      app, "check-config", "Check a settings file and say what is wrong with it");
  *config = "tintype.yaml";
  command->add_option("config,--config,-c", *config, kConfig)->capture_default_str();
  command->callback([&code, config = config] { code = run_check_config(*config); });
}

void add_convert(CLI::App& app, int& code) {
  auto [command, a] = add_command<ConvertArguments>(
      app, "convert", "Convert a picture, or all pictures of a folder");
  command->add_option("in", a->in, "A picture or a folder")->required();
  command->add_option("out", a->out, "A picture or a folder")->required();
  command->add_option("--as", a->options, "Options as in a URL: 'w=800&fit=cover&f=webp'");
  command->add_option("--config,-c", a->config, "Take presets and limits from this file");
  command->add_option("--site", a->site, "… of this site (default: the first)");
  command->callback([&code, a = a] { code = run_convert(*a); });
}

void add_explain(CLI::App& app, int& code) {
  auto [command, a] =
      add_command<ExplainArguments>(app, "explain", "Print every step from a URL to its plan");
  command->add_option("url", a->url, "A URL, or its path and query")->required();
  command->add_option("--config,-c", a->config, kConfig)->capture_default_str();
  command->add_option("-H,--header", a->headers, "A request header: 'Accept: image/avif'");
  command->add_flag("--json", a->as_json, "As one JSON object");
  command->add_flag("--no-source", a->no_source, "Do not fetch the source (no plan then)");
  command->callback([&code, a = a] { code = run_explain(*a); });
}

void add_translate(CLI::App& app, int& code) {
  auto [command, a] = add_command<TranslateArguments>(
      app, "translate", "Print URLs of one dialect in another, the native one by default");
  command->add_option("url", a->urls, "URLs, or their paths and queries; - reads lines")
      ->required();
  command->add_option("--to", a->to, "The dialect to write, of a mount of the URL's site")
      ->capture_default_str();
  command->add_option("--config,-c", a->config, "Settings and sites, with their mounts")
      ->capture_default_str();
  command->footer(
      "Dialects: " + written_dialects() +
      ".\nTry: tintype translate '/shop/a.jpg?w=400&q=80&f=webp' --to imgix\n"
      "Ends with 1 if a URL could not be read or written; which option is at fault is said.");
  command->callback([&code, a = a] { code = run_translate(*a); });
}

void add_canonical(CLI::App& app, int& code) {
  auto [command, a] =
      add_command<CanonicalArguments>(app, "canonical", "Print the canonical paths of URLs");
  command
      ->add_option("url", a->urls,
                   "URLs, or their paths and queries; - reads lines, also with headers: "
                   "'/shop/a.jpg?w=800 | Accept: image/avif'")
      ->required();
  command->add_option("--config,-c", a->config, kConfig)->capture_default_str();
  command->add_option("-H,--header", a->headers, "A request header: 'Accept: image/avif'");
  command->add_option("--now", a->now_unix_seconds,
                      "Unix time that expiring URLs are held against");
  command->callback([&code, a = a] { code = run_canonical(*a); });
}

void add_sign(CLI::App& app, int& code) {
  auto [command, a] =
      add_command<SignArguments>(app, "sign", "Sign URLs for a site that demands it");
  command->add_option("url", a->urls, "URLs, or their paths and queries; - reads lines")
      ->required();
  command->add_option("--config,-c", a->config, "Settings, with the site's keys")
      ->capture_default_str();
  command->add_option("--expires-in", a->expires_in, "Valid for this long, such as 1h or 30d");
  command->callback([&code, a = a] { code = run_sign(*a); });
}

void add_edge(CLI::App& app, int& code) {
  add_edge_command(app, TINTYPE_VERSION, code);
}

void add_tables(CLI::App& app, int& code) {
  app.add_subcommand("options", "Print the table of URL options")->callback([&code] {
    code = run_options();
  });
  app.add_subcommand("settings", "Print the table of settings")->callback([&code] {
    code = run_settings();
  });
  app.add_subcommand("version", "Print the version")->callback([&code] {
    code = run_version(TINTYPE_VERSION);
  });
}

}  // namespace
}  // namespace tintype

int main(int argc, char** argv) {
  CLI::App app{
      "Tintype develops pictures on demand: one original in, every size, crop, format and quality "
      "out."};
  app.require_subcommand(1);
  app.footer(
      "Documentation: docs/README.md. Try: tintype convert photo.jpg small.webp --as 'w=800'");
  int code = 0;
  using namespace tintype;
  for (auto* add :
       {add_serve, add_check_config, add_convert, add_explain, add_translate, add_canonical,
        add_sign, add_edge, add_policy, add_replay, add_purge, add_warm, add_tables}) {
    add(app, code);
  }
  CLI11_PARSE(app, argc, argv);
  return code;
}
