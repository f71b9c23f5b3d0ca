// SPDX-License-Identifier: Apache-2.0
// tintype: one binary, several commands. Reads the command line, wires, runs.
#include <cstdio>
#include <string>

#include <CLI/CLI.hpp>
#include <sys/resource.h>

#include "main/commands.h"

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

  auto* options = app.add_subcommand("options", "Print the table of URL options");
  options->callback([&] { code = run_options(); });
  auto* settings = app.add_subcommand("settings", "Print the table of settings");
  settings->callback([&] { code = run_settings(); });
  auto* version = app.add_subcommand("version", "Print the version");
  version->callback([&] { code = run_version(TINTYPE_VERSION); });

  CLI11_PARSE(app, argc, argv);
  return code;
}
