// SPDX-License-Identifier: Apache-2.0
#include "main/commands.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>

#include <sys/resource.h>

#include "base/text.h"
#include "cli/convert.h"
#include "delivery/explain.h"
#include "dialect/dialect.h"
#include "main/application.h"
#include "main/settings.h"
#include "store/open_origin.h"
#include "transform/native_url.h"
#include "transform/option_docs.h"

namespace tintype {
namespace {

int complain(const Error& error, int code = 1) {
  const std::string& text = error.detail.empty() ? error.message : error.detail;
  std::fprintf(stderr, "tintype: %s\n", text.c_str());
  return code;
}

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

// Sockets, sources and cache files are descriptors; the soft limit of many shells is 1,024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
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

}  // namespace

int run_serve(const std::string& config) {
  auto settings = load_settings(config);
  if (!settings) return complain(settings.error());
  set_log_level(settings->log_level, settings->log_as_text);
  raise_descriptor_limit();
  std::string path = std::filesystem::absolute(config).string();
  auto application = Application::start({.settings = std::move(*settings), .config_path = path});
  if (!application) return complain(application.error());
  log(LogLevel::Info, "serving",
      {{"port", (*application)->port()},
       {"admin_port", (*application)->admin_port()},
       {"config", path}});
  (*application)->run();
  return 0;
}

int run_check_config(const std::string& config) {
  auto settings = load_settings(config);
  if (!settings) return complain(settings.error());
  auto policy = load_policy(config);
  if (!policy) return complain(policy.error());
  std::printf("%s is fine: %zu site%s", config.c_str(), policy->sites.size(),
              policy->sites.size() == 1 ? "" : "s");
  const char* separator = ": ";
  for (const auto& [name, site] : policy->sites) {
    std::printf("%s%s (%s, %zu presets)", separator, name.c_str(),
                site.origin.kind == OriginRule::Kind::Folder ? site.origin.folder.c_str()
                                                             : site.origin.base_url.c_str(),
                site.presets.size());
    separator = ", ";
  }
  std::printf("\n");
  return 0;
}

namespace {

Result<SitePolicy> site_for_convert(const ConvertArguments& arguments) {
  if (arguments.config.empty()) {
    // A person converting own pictures sets the limits by what the machine can do, not by policy.
    SitePolicy site;
    site.name = "local";
    site.limits = {.max_width_px = kMaxSide,
                   .max_height_px = kMaxSide,
                   .max_variant_pixels = 200'000'000,
                   .max_source_pixels = 200'000'000,
                   .max_progressive_pixels = 100'000'000};
    site.unknown_parameters = UnknownParameters::Refuse;
    return site;
  }
  TRY(Policy policy, load_policy(arguments.config));
  if (arguments.site.empty()) return policy.sites.begin()->second;
  if (const SitePolicy* site = policy.find(arguments.site)) return *site;
  return fail_public(ErrorCode::NotFound,
                     arguments.config + ": has no site named " + arguments.site, "site");
}

void report(const ConvertReport& report) {
  for (const std::string& fault : report.faults)
    std::fprintf(stderr, "tintype: %s\n", fault.c_str());
  if (report.converted == 0) return;
  std::printf("%zu picture%s, %s -> %s", report.converted, report.converted == 1 ? "" : "s",
              human_bytes(report.source_bytes).c_str(), human_bytes(report.variant_bytes).c_str());
  if (report.failed > 0) std::printf(", %zu failed", report.failed);
  std::printf("\n");
}

}  // namespace

int run_convert(const ConvertArguments& arguments) {
  set_log_level(LogLevel::Warn, true);
  auto site = site_for_convert(arguments);
  if (!site) return complain(site.error(), 2);
  WorkerSettings workers;
  workers.max_queued_weight = 1e9;  // nobody else waits: the lanes below are the bound
  workers.render_timeout_ms = Milliseconds(60'000);
  SystemClock clock;
  auto zygote = Zygote::start(workers);
  if (!zygote) return complain(zygote.error());
  auto pool = WorkerPool::start(std::move(*zygote), workers, clock);
  if (!pool) return complain(pool.error());
  PoolRenderer renderer(**pool);
  ConvertOrder order{.in = arguments.in,
                     .out = arguments.out,
                     .options = arguments.options,
                     .site = std::move(*site),
                     .at_once = 2 * std::max(1, (*pool)->state().workers)};
  auto done = convert(order, renderer, clock);
  if (!done) return complain(done.error(), 2);
  report(*done);
  return done->failed == 0 ? 0 : 1;
}

namespace {

// Of "Name: value" headers those that may change bytes.
Result<HintTexts> hints_of(const std::vector<std::string>& headers) {
  HintTexts texts;
  for (const std::string& header : headers) {
    std::size_t colon = header.find(':');
    if (colon == std::string::npos) {
      return fail_public(ErrorCode::BadRequest, "-H '" + header + "': must be 'Name: value'");
    }
    std::string_view text = header;
    texts.take(trim(text.substr(0, colon)), trim(text.substr(colon + 1)));
  }
  return texts;
}

}  // namespace

int run_explain(const ExplainArguments& arguments) {
  auto headers = hints_of(arguments.headers);
  if (!headers) return complain(headers.error(), 2);
  auto policy = load_policy(arguments.config);
  if (!policy) return complain(policy.error(), 2);
  SystemClock clock;
  asio::thread_pool blocking(1);
  HttpClient http({}, clock);
  FixedPolicy policies(std::move(*policy));
  Origins origins([&](const OriginRule& rule) {
    return open_origin(rule, {.http = http, .blocking = blocking, .clock = clock});
  });
  ExplainParts parts{.policies = policies,
                     .origins = origins,
                     .clock = clock,
                     .with_source = !arguments.no_source};
  asio::io_context loop;
  Explanation explanation;
  auto work = [&]() -> Task<> { explanation = co_await explain(arguments.url, *headers, parts); };
  asio::co_spawn(loop, work(), asio::detached);
  loop.run();
  blocking.join();  // a read that was given up on would post to the loop
  std::printf("%s\n", arguments.as_json ? explanation.json.c_str() : explanation.text.c_str());
  return explanation.ok ? 0 : 1;
}

namespace {

// Prints the native URL, or why there is none; whether there was one.
bool translate(const std::string& url, const Policy& policy) {
  auto ask = parse_target(target_of_url(url), policy.mounts);
  if (!ask) {
    std::fprintf(stderr, "tintype: %s: %s\n", url.c_str(), ask.error().detail.c_str());
    return false;
  }
  std::printf("%s\n", native_url(*ask).c_str());
  if (!ask->preset.empty() && ask->yielding != 0) {
    std::fprintf(stderr,
                 "tintype: %s: note: here the preset wins over options beside it; in the native "
                 "dialect they win\n",
                 url.c_str());
  }
  return true;
}

}  // namespace

int run_translate(const TranslateArguments& arguments) {
  auto policy = load_policy(arguments.config);
  if (!policy) return complain(policy.error(), 2);
  bool is_fine = true;
  for (const std::string& url : arguments.urls) {
    if (url != "-") {
      is_fine &= translate(url, *policy);
      continue;
    }
    for (std::string line; std::getline(std::cin, line);) {
      if (!line.empty()) is_fine &= translate(line, *policy);
    }
  }
  return is_fine ? 0 : 1;
}

int run_options() {
  std::printf("%s", options_as_markdown().c_str());
  return 0;
}

int run_settings() {
  std::printf("%s", settings_as_markdown().c_str());
  return 0;
}

int run_version(const char* version) {
  std::printf("tintype %s\n", version);
  return 0;
}

}  // namespace tintype
