// SPDX-License-Identifier: Apache-2.0
// tintype: one binary, several commands. Reads the command line, wires, runs.
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "main/commands.h"
#include "main/edge_command.h"
#include "main/replay_command.h"

int main(int argc, char** argv) {
  using namespace tintype;
  CLI::App app{
      "Tintype develops pictures on demand: one original in, every size, crop, format and quality "
      "out."};
  app.require_subcommand(1);
  app.footer(
      "Documentation: docs/README.md. Try: tintype convert photo.jpg small.webp --as 'w=800'");
  int code = 0;

  std::string config = "tintype.yaml";
  auto* serve = app.add_subcommand("serve", "Serve pictures over HTTP");
  serve->add_option("--config,-c", config, "Settings and sites")->capture_default_str();
  serve->callback([&] { code = run_serve(config); });

  auto* check =
      app.add_subcommand("check-config", "Check a settings file and say what is wrong with it");
  check->add_option("config,--config,-c", config, "Settings and sites")->capture_default_str();
  check->callback([&] { code = run_check_config(config); });

  ConvertArguments converting;
  auto* convert = app.add_subcommand("convert", "Convert a picture, or all pictures of a folder");
  convert->add_option("in", converting.in, "A picture or a folder")->required();
  convert->add_option("out", converting.out, "A picture or a folder")->required();
  convert->add_option("--as", converting.options, "Options as in a URL: 'w=800&fit=cover&f=webp'");
  convert->add_option("--config,-c", converting.config, "Take presets and limits from this file");
  convert->add_option("--site", converting.site, "… of this site (default: the first)");
  convert->callback([&] { code = run_convert(converting); });

  ExplainArguments explaining;
  auto* explain = app.add_subcommand("explain", "Print every step from a URL to its plan");
  explain->add_option("url", explaining.url, "A URL, or its path and query")->required();
  explain->add_option("--config,-c", explaining.config, "Settings and sites")
      ->capture_default_str();
  explain->add_option("-H,--header", explaining.headers, "A request header: 'Accept: image/avif'");
  explain->add_flag("--json", explaining.as_json, "As one JSON object");
  explain->add_flag("--no-source", explaining.no_source, "Do not fetch the source (no plan then)");
  explain->callback([&] { code = run_explain(explaining); });

  TranslateArguments translating;
  auto* translate =
      app.add_subcommand("translate", "Print URLs of other services' dialects in the native one");
  translate->add_option("url", translating.urls, "URLs, or their paths and queries; - reads lines")
      ->required();
  translate->add_option("--config,-c", translating.config, "Settings and sites, with their mounts")
      ->capture_default_str();
  translate->callback([&] { code = run_translate(translating); });

  CanonicalArguments naming;
  auto* canonical = app.add_subcommand("canonical", "Print the canonical paths of URLs");
  canonical
      ->add_option("url", naming.urls,
                   "URLs, or their paths and queries; - reads lines, also with headers: "
                   "'/shop/a.jpg?w=800 | Accept: image/avif'")
      ->required();
  canonical->add_option("--config,-c", naming.config, "Settings and sites")->capture_default_str();
  canonical->add_option("-H,--header", naming.headers, "A request header: 'Accept: image/avif'");
  canonical->add_option("--now", naming.now_unix_seconds,
                        "Unix time that expiring URLs are held against");
  canonical->callback([&] { code = run_canonical(naming); });

  SignArguments signing;
  auto* sign = app.add_subcommand("sign", "Sign URLs for a site that demands it");
  sign->add_option("url", signing.urls, "URLs, or their paths and queries; - reads lines")
      ->required();
  sign->add_option("--config,-c", signing.config, "Settings, with the site's keys")
      ->capture_default_str();
  sign->add_option("--expires-in", signing.expires_in, "Valid for this long, such as 1h or 30d");
  sign->callback([&] { code = run_sign(signing); });

  EdgeArguments edging{.version = TINTYPE_VERSION};
  add_edge_command(app, edging, code);

  ReplayArguments replaying;
  add_replay_command(app, replaying, code);

  auto* options = app.add_subcommand("options", "Print the table of URL options");
  options->callback([&] { code = run_options(); });
  auto* settings = app.add_subcommand("settings", "Print the table of settings");
  settings->callback([&] { code = run_settings(); });
  auto* version = app.add_subcommand("version", "Print the version");
  version->callback([&] { code = run_version(TINTYPE_VERSION); });

  CLI11_PARSE(app, argc, argv);
  return code;
}
